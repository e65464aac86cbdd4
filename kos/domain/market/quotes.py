"""What was seen on the markets, and when: events, quotes, exchange markets and books.

All values are frozen msgspec structs, so that a message can carry them over a process border
as they are. Odds are decimal odds, stake included, exactly as the source printed them. Times
are timezone-aware UTC. Sizes are pounds.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

BACK_MARKET: Final = "h2h"
"""The feed's key of head-to-head back prices."""
LAY_MARKET: Final = "h2h_lay"
"""The feed's key of an exchange's lay prices for the same outcomes."""


class OutcomeQuote(msgspec.Struct, frozen=True, gc=False):
    """One price for one outcome, at one bookmaker or on an exchange inside the odds feed."""

    name: str
    """The outcome as the feed prints it: a team, a player, ``Draw``, ``Over``."""
    price: Decimal
    """Decimal odds, greater than 1."""
    point: Decimal | None = None
    """Handicap or line; None where the market has none."""
    limit: Decimal | None = None
    """The feed's bet limit. Its currency and side are not documented; None when unknown."""
    link: str | None = None
    """Deep link to the bet slip, where the feed gives one."""


class MarketQuotes(msgspec.Struct, frozen=True, gc=False):
    """One market of one bookmaker: all outcomes it quotes."""

    key: str
    """The feed's market key: ``h2h``, ``h2h_lay``, ``totals``..."""
    updated_at: datetime | None
    """When the feed read this market; None when the feed does not say."""
    outcomes: tuple[OutcomeQuote, ...]
    link: str | None = None


class BookmakerQuotes(msgspec.Struct, frozen=True, gc=False):
    """All markets of one bookmaker for one event."""

    key: str
    """The bookmaker's key in the feed; identity hangs on this, never on the title."""
    title: str
    markets: tuple[MarketQuotes, ...]
    link: str | None = None


class EventQuotes(msgspec.Struct, frozen=True, gc=False):
    """One event of the odds feed with every bookmaker's prices."""

    id: str
    sport_key: str
    sport_title: str
    kickoff: datetime
    home: str | None
    """Home side as the feed prints it; None for outrights."""
    away: str | None
    bookmakers: tuple[BookmakerQuotes, ...]


class Sport(msgspec.Struct, frozen=True):
    """One sport key as the odds feed lists it."""

    key: str
    group: str
    title: str
    active: bool
    has_outrights: bool


class Drop(msgspec.Struct, frozen=True):
    """Something a decoder left out, and why. Counted, logged and shown, never silent."""

    path: str
    """Where in the body, e.g. ``[3].bookmakers[1].markets[0].outcomes[2].price``."""
    reason: str
    """A short constant text, fit to be a counter's label: ``price not above 1``."""


class ExchangeRunner(msgspec.Struct, frozen=True, gc=False):
    """One selection of an exchange market."""

    selection_id: int
    name: str
    sort_priority: int = 0
    handicap: Decimal = Decimal(0)


class ExchangeMarket(msgspec.Struct, frozen=True):
    """One exchange market as its catalogue describes it."""

    market_id: str
    market_type: str
    """The type code, e.g. ``MATCH_ODDS``. Never decide by the market's name."""
    event_id: str
    event_name: str
    """As printed: ``Home v Away``, in North American sports ``Away @ Home``."""
    event_type_id: str
    event_type: str
    competition: str
    """Empty where the catalogue names none."""
    kickoff: datetime
    runners: tuple[ExchangeRunner, ...]
    base_rate: Decimal | None = None
    """Commission on net winnings as a fraction of one, for this account; None when not read."""
    discount_allowed: bool = False
    ladder: str = "CLASSIC"
    country: str = ""


class PriceSize(msgspec.Struct, frozen=True, gc=False):
    """One level of an exchange ladder."""

    price: Decimal
    size: Decimal
    """Pounds of backers' stake available at this price."""


class RunnerBook(msgspec.Struct, frozen=True):
    """The two sides of one runner's book, best price first."""

    selection_id: int
    status: str
    """``ACTIVE``, ``REMOVED``, ``WINNER``..."""
    to_back: tuple[PriceSize, ...] = ()
    """What one can back at, highest first."""
    to_lay: tuple[PriceSize, ...] = ()
    """What one can lay at, lowest first."""
    handicap: Decimal = Decimal(0)


class MarketBook(msgspec.Struct, frozen=True):
    """Prices of one exchange market at one moment."""

    market_id: str
    status: str
    """``OPEN``, ``SUSPENDED``, ``CLOSED`` or ``INACTIVE``."""
    is_in_play: bool
    is_delayed: bool
    """True when the key only gets delayed data (1 to 180 s old)."""
    version: int
    runners: tuple[RunnerBook, ...]
    received_at: datetime
    published_at: datetime | None = None
    """The service's own time of these prices; None when it does not say (polling)."""


class Verdict(StrEnum):
    """What the matcher says of one bookmaker event."""

    MATCH = "match"
    DOUBT = "doubt"
    NONE = "none"


class OutcomeRunner(msgspec.Struct, frozen=True, gc=False):
    """One outcome of the odds feed given its selection on the exchange."""

    outcome: str
    selection_id: int
    runner: str


class EventMatch(msgspec.Struct, frozen=True):
    """One bookmaker event and the exchange market it belongs to, with evidence.

    Only a ``match`` may be priced. A ``doubt`` names its best guess for a person to judge.
    """

    event_id: str
    sport_key: str
    verdict: Verdict
    confidence: float
    """0 to 1."""
    exchange_event_id: str | None = None
    market_id: str | None = None
    is_swapped: bool = False
    """The exchange lists the two sides the other way round."""
    outcomes: tuple[OutcomeRunner, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why, in words a person can check."""
