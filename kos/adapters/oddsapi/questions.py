"""PURE: what is asked of the odds endpoints, how it is written, and what it costs at most."""

from __future__ import annotations

from typing import Final

import msgspec

from kos.domain.market.quotes import BACK_MARKET

_BOOKMAKERS_PER_REGION: Final = 10


class OddsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask of ``/odds``. Regions or bookmakers must be named; bookmakers win.

    ``h2h`` and ``outrights`` bring the exchanges' lay markets with them, for nothing.
    """

    regions: tuple[str, ...] = ("uk",)
    bookmakers: tuple[str, ...] = ()
    markets: tuple[str, ...] = (BACK_MARKET,)
    include_links: bool = False
    include_bet_limits: bool = False

    def params(self) -> dict[str, str]:
        """Query parameters, without the key."""
        params = {
            "markets": ",".join(dict.fromkeys(self.markets)),
            "oddsFormat": "decimal",
            "dateFormat": "iso",
        }
        if self.bookmakers:
            params["bookmakers"] = ",".join(dict.fromkeys(self.bookmakers))
        else:
            params["regions"] = ",".join(dict.fromkeys(self.regions))
        if self.include_links:
            params["includeLinks"] = "true"
        if self.include_bet_limits:
            params["includeBetLimits"] = "true"
        return params


def odds_cost(question: OddsQuestion) -> int:
    """Credits of one ``/odds`` call at most: markets times regions (nothing if no event comes).

    Ten bookmakers named one by one count as a region, and so does each further ten begun.
    """
    regions = len(set(question.regions))
    if question.bookmakers:
        regions = -(-len(set(question.bookmakers)) // _BOOKMAKERS_PER_REGION)
    return len(set(question.markets)) * regions
