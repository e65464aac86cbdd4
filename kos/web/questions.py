"""A query string as a query for opportunities, and the fields and lists of the filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from kos.domain.market.places import PLACE_NAMES
from kos.domain.market.sports import sport_title
from kos.domain.opportunities.filters import BY_NAME, FILTERS, Filter, FilterUnit, SignalKind
from kos.domain.opportunities.opportunity import (
    MAX_LIMIT,
    Opportunity,
    OpportunityQuery,
    SignalKeys,
)
from kos.domain.opportunities.queries import canonical, opportunity_query, signal_kind
from kos.errors import InvalidInput
from kos.views.opportunities import exchange_name

DEFAULT_LIMIT = 200
LIMITS = tuple(str(limit) for limit in (50, 200, 500, 2000) if limit <= MAX_LIMIT)
_MOST_CHOICES = 2000
"""The maximum number of names kept of each kind, so that a faulty feed cannot fill the memory."""

KINDS = tuple(kind for kind in SignalKind if kind is not SignalKind.DUTCH)
"""What the page can be asked for."""
_TYPED = frozenset({FilterUnit.POUNDS, FilterUnit.ODDS, FilterUnit.DURATION})
_IN_FRONT = frozenset({"stake", "refund"})
MORE = tuple(
    declared for declared in FILTERS if declared.unit in _TYPED and declared.name not in _IN_FRONT
)
"""The typed filters under "More filters"."""


def question_of(words: Mapping[str, str], seen: SignalKeys | None = None) -> OpportunityQuery:
    """The query of an address.

    Args:
        words: The query string.
        seen: The names with prices now; None if they are not known.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    texts = canonical(words)
    return opportunity_query(signal_kind(texts, KINDS), texts, seen, DEFAULT_LIMIT)


def fields_of(words: Mapping[str, str], query: OpportunityQuery | None) -> dict[str, str]:
    """The text of each field of the form.

    Args:
        words: The query string.
        query: What it asks; None if it was refused, and the fields keep what was typed.
    """
    fields = {declared.name: default_of(declared) for declared in FILTERS}
    for name, text in words.items():
        try:
            fields |= canonical({name: text})
        except InvalidInput:
            continue
    if query is None:
        return fields
    return fields | {
        "kind": SignalKind.ARBS.value if query.only_arbs else query.kind.value,
        "bookmaker": query.bookmaker or "",
        "exchange": query.exchange or "",
        "sport": query.sport or "",
        "rank": query.ranking.value,
        "limit": str(query.limit),
    }


def default_of(declared: Filter) -> str:
    """What a field has if nothing is typed."""
    if declared.name == "limit":
        return str(DEFAULT_LIMIT)
    return f"{declared.default}.00" if declared.name == "stake" else declared.default


def modes_of(name: str) -> str:
    """The modes of the page that a filter or the value of a switch is for; empty for all."""
    declared = BY_NAME.get(name)
    if declared is None:
        (kinds,) = [
            choice.kinds
            for of_filter in FILTERS
            for switch in of_filter.switches
            for choice in of_filter.choices
            if (switch.name, switch.value) == (name, choice.value)
        ]
    else:
        kinds = declared.kinds
    modes = [kind.value for kind in KINDS if kind in kinds]
    return "" if len(modes) == len(KINDS) else " ".join(modes)


class Choices:
    """Bookmakers, exchanges and sports seen so far, for the lists of the filters."""

    def __init__(self) -> None:
        self._bookmakers: dict[str, str] = {}
        self._exchanges: dict[str, str] = {}
        self._sports: dict[str, str] = {}

    def note(self, opportunities: Iterable[Opportunity]) -> None:
        """Add those in an answer."""
        for opportunity in opportunities:
            self._bookmakers[opportunity.bookmaker] = PLACE_NAMES.get(
                opportunity.bookmaker, opportunity.bookmaker_title
            )
            self._exchanges[opportunity.exchange] = exchange_name(opportunity.exchange)
            self._sports[opportunity.sport_key] = opportunity.sport_title
        for titles in (self._bookmakers, self._exchanges, self._sports):
            while len(titles) > _MOST_CHOICES:
                del titles[next(iter(titles))]

    def as_json(self) -> bytes:
        """Key and name of each, by name; sports of several competitions first."""
        counts = Counter(key.partition("_")[0] for key in self._sports)
        whole = {key: f"All {sport_title(key)}" for key, count in counts.items() if count > 1}
        return msgspec.json.encode(
            {
                "bookmaker": _by_name(self._bookmakers),
                "exchange": _by_name(self._exchanges),
                "sport": _by_name(whole) + _by_name(self._sports),
            }
        )


def _by_name(titles: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(titles.items(), key=lambda item: (item[1].casefold(), item[0]))
