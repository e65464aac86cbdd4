"""A query string as a query for opportunities, and the lists of the filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import msgspec

from kos.domain.opportunities.opportunity import (
    MAX_LIMIT,
    MAX_STAKE,
    BetKind,
    Opportunity,
    OpportunityQuery,
    Ranking,
    check_query,
)
from kos.errors import InvalidInput
from kos.views.opportunities import exchange_name

DEFAULT_LIMIT = 200
LIMITS = tuple(limit for limit in (50, 200, 500, 2000) if limit <= MAX_LIMIT)
_MOST_CHOICES = 2000
"""The maximum number of names kept of each kind, so that a faulty feed cannot fill the memory."""

ARBS = "arbs"
"""A mode of the page: qualifying bets that make a profit."""
MODES = {
    BetKind.QUALIFYING.value: "Qualifying",
    BetKind.FREE_BET_SNR.value: "Free bet (SNR)",
    BetKind.FREE_BET_SR.value: "Free bet (SR)",
    BetKind.REFUND.value: "Refund",
    ARBS: "Arbs",
}
_TICKED = frozenset({"1", "on"})
Named = TypeVar("Named", bound=StrEnum)

RANKING_NAMES = {
    Ranking.SEED: "KOS score",
    Ranking.RATING: "Rating",
    Ranking.VALUE: "Profit (£)",
    Ranking.VALUE_PER_HOUR: "Profit per hour",
    Ranking.VALUE_PER_LIABILITY: "Profit per £1 of liability",
    Ranking.RETURN_ON_CAPITAL: "Return on capital per hour",
}


def question_of(words: Mapping[str, str]) -> OpportunityQuery:
    """The query of an address.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    is_arbs = words.get("kind") == ARBS
    kind = BetKind.QUALIFYING if is_arbs else _one_of(words, "kind", BetKind, BetKind.QUALIFYING)
    is_refund = kind is BetKind.REFUND
    query = OpportunityQuery(
        kind=kind,
        stake=_amount(words, "stake") or Decimal(10),
        bookmaker=_key(words, "bookmaker"),
        free_bet_value=_amount(words, "free_bet") if kind is BetKind.QUALIFYING else None,
        refund_value=_amount(words, "refund") if is_refund else None,
        is_refund_cash=is_refund and words.get("refund_cash") in _TICKED,
        limit=_limit(words),
        sport=_key(words, "sport"),
        exchange=_key(words, "exchange"),
        min_odds=_amount(words, "min_odds"),
        max_odds=_amount(words, "max_odds"),
        min_liquidity=_amount(words, "min_liquidity"),
        max_liability=_amount(words, "max_liability"),
        max_minutes_to_kickoff=_minutes(words),
        hide_arbs=not is_arbs and words.get("hide_arbs") in _TICKED,
        only_arbs=is_arbs,
        ranking=_one_of(words, "rank", Ranking, Ranking.SEED),
    )
    check_query(query)
    if query.stake != query.stake.quantize(Decimal("0.01")):
        raise InvalidInput("stake", query.stake, "an amount in pounds and pence")
    return query


def _amount(words: Mapping[str, str], name: str) -> Decimal | None:
    text = words.get(name, "").strip().removeprefix("£")
    if not text:
        return None
    allowed = f"a number above 0, up to {MAX_STAKE:,}"
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise InvalidInput(name, text, allowed) from None
    if not (amount.is_finite() and 0 < amount <= MAX_STAKE):
        raise InvalidInput(name, text, allowed)
    return amount


def _minutes(words: Mapping[str, str]) -> float | None:
    hours = _amount(words, "within_hours")
    return None if hours is None else float(hours) * 60.0


def _limit(words: Mapping[str, str]) -> int:
    text = words.get("limit", "") or str(DEFAULT_LIMIT)
    if not (text.isdecimal() and text.isascii()):
        raise InvalidInput("limit", text, f"a number from 1 to {MAX_LIMIT}")
    return int(text[:9])


def _key(words: Mapping[str, str], name: str) -> str | None:
    return words.get(name, "").strip()[:100] or None


def _one_of(words: Mapping[str, str], name: str, kinds: type[Named], default: Named) -> Named:
    text = words.get(name, "")
    if not text:
        return default
    try:
        return kinds(text)
    except ValueError:
        allowed = ", ".join(str(each.value) for each in kinds)
        raise InvalidInput(name, text, f"one of {allowed}") from None


class Choices:
    """Bookmakers, exchanges and sports seen so far, for the lists of the filters."""

    def __init__(self) -> None:
        self._bookmakers: dict[str, str] = {}
        self._exchanges: dict[str, str] = {}
        self._sports: dict[str, str] = {}

    def note(self, found: Iterable[Opportunity]) -> None:
        """Add those in an answer."""
        for each in found:
            self._bookmakers[each.bookmaker] = each.bookmaker_title
            self._exchanges[each.exchange] = exchange_name(each.exchange)
            self._sports[each.sport_key] = each.sport_title
        for known in (self._bookmakers, self._exchanges, self._sports):
            while len(known) > _MOST_CHOICES:
                del known[next(iter(known))]

    def as_json(self) -> bytes:
        """Key and name of each, by name."""
        return msgspec.json.encode(
            {
                "bookmaker": _by_name(self._bookmakers),
                "exchange": _by_name(self._exchanges),
                "sport": _by_name(self._sports),
            }
        )


def _by_name(known: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(known.items(), key=lambda item: (item[1].casefold(), item[0]))
