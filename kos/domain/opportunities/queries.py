"""What was typed as filters, at any face, as a query to the scorer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

import msgspec
from rapidfuzz import fuzz, process

from kos.domain.books.calendar import read_duration
from kos.domain.market.odds import MOST_ODDS, as_decimal, read_odds
from kos.domain.money import read_count, read_pounds
from kos.domain.opportunities.dutches import DutchQuery, check_dutch_query
from kos.domain.opportunities.filters import (
    ALL_BETS,
    BY_NAME,
    FILTERS,
    KIND_WORDS,
    Filter,
    FilterChoice,
    FilterUnit,
    SignalKind,
)
from kos.domain.opportunities.known_names import (
    ALL,
    bookmakers,
    exchanges,
    key_form,
    letters,
    sports,
)
from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    OpportunityQuery,
    Ranking,
    SignalKeys,
    check_query,
)
from kos.errors import InvalidInput

_BY_WORD: Final = {name: declared for declared in FILTERS for name in declared.names}
_SWITCHES: Final = {
    switch.name: (declared, switch)
    for declared in FILTERS
    for switch in declared.switches
    if switch.name != declared.name
}
_NAMED: Final = frozenset({"bookmaker", "sport"})
_RANGE: Final = re.compile(r"(.+?)\s*(?:-|\bto\b)\s*(.+)")
_MOST_TYPED: Final = 100
_ALIKE: Final = 60.0


def canonical(given: Mapping[str, str], kind: SignalKind | None = None) -> dict[str, str]:
    """What was given, by the filters' own names; empty texts are left out.

    Args:
        given: Any face's names, in any case, each with its text.
        kind: The kind asked for, where it is not among them.

    Raises:
        InvalidInput: There is no such filter, or one is given twice.
    """
    texts: dict[str, str] = {}
    for typed, value in given.items():
        text = value.strip()[:_MOST_TYPED]
        if not text:
            continue
        name, meant = _meaning(typed, text, kind)
        for own, own_text in _bounds(text) if name == "odds" else [(name, meant)]:
            if own_text and texts.setdefault(own, own_text).casefold() != own_text.casefold():
                raise InvalidInput(BY_NAME[own].label, f"{texts[own]} and {own_text}", "one value")
    return texts


def needs_names(given: Mapping[str, str]) -> bool:
    """Whether what was given names a bookmaker or a sport."""
    return not _NAMED.isdisjoint(
        _BY_WORD[word].name for word in map(key_form, given) if word in _BY_WORD
    )


def signal_kind(
    texts: Mapping[str, str], kinds: Iterable[SignalKind] = tuple(SignalKind)
) -> SignalKind:
    """The kind asked for.

    Args:
        texts: As `canonical` gives them.
        kinds: Those that can be asked for here.

    Raises:
        InvalidInput: There is no such kind; lists those that there are.
    """
    declared, allowed = BY_NAME["kind"], set(kinds)
    choices = [choice for choice in declared.choices if SignalKind(choice.value) in allowed]
    return SignalKind(_choice(declared, texts.get("kind") or declared.default, choices))


def opportunity_query(
    kind: SignalKind, texts: Mapping[str, str], seen: SignalKeys | None, limit: int
) -> OpportunityQuery:
    """The query that was typed.

    Args:
        kind: Any but dutching.
        texts: As `canonical` gives them.
        seen: The names with prices now; None if they are not known.
        limit: The number of results if none is given.

    Raises:
        InvalidInput: A value is wrong or does not fit; says what is allowed.
    """
    bet = BetKind.QUALIFYING if kind is SignalKind.ARBS else BetKind(kind.value)
    values = _values(kind, bet, texts, seen)
    asked = _asked(values, bet, limit)
    if kind is SignalKind.ARBS:
        asked = msgspec.structs.replace(asked, only_arbs=True)
    query = OpportunityQuery(
        **msgspec.structs.asdict(asked),
        exchange=values.get("exchange"),
        max_liability=values.get("max_liability"),
        hide_arbs=values.get("arbs") == "no",
    )
    check_query(query)
    return query


def dutch_query(texts: Mapping[str, str], seen: SignalKeys | None, limit: int) -> DutchQuery:
    """The query about dutches that was typed; see `opportunity_query`.

    Raises:
        InvalidInput: A value is wrong or does not fit; says what is allowed.
    """
    leg = BY_NAME["leg"]
    bet = BetKind(_choice(leg, texts.get("leg") or leg.default, leg.choices))
    values = _values(SignalKind.DUTCH, bet, texts, seen)
    asked = msgspec.structs.asdict(_asked(values, bet, limit))
    query = DutchQuery(**asked, with_exchanges=values["exchanges"] == "yes")
    check_dutch_query(query)
    return query


def _asked(values: Mapping[str, Any], bet: BetKind, limit: int) -> BetQuery:
    within = values.get("within_hours")
    return BetQuery(
        kind=bet,
        stake=values["stake"],
        bookmaker=values.get("bookmaker"),
        free_bet_value=values.get("free_bet"),
        refund_value=values.get("refund"),
        is_refund_cash=values.get("refund_in_cash") == "yes",
        limit=values.get("limit", limit),
        sport=values.get("sport"),
        min_odds=values.get("min_odds"),
        max_odds=values.get("max_odds"),
        min_liquidity=values.get("min_liquidity"),
        max_minutes_to_kickoff=None if within is None else within.total_seconds() / 60,
        only_arbs=values.get("arbs") == "only",
        ranking=Ranking(values["rank"]),
    )


def _values(
    kind: SignalKind, bet: BetKind, texts: Mapping[str, str], seen: SignalKeys | None
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for declared in FILTERS:
        text = texts.get(declared.name, "")
        if text and (kind not in declared.kinds or bet not in declared.bets):
            raise InvalidInput(declared.label, text, f"it only for {_fitting(declared)}")
        text = text or (declared.default_for(kind) if kind in declared.kinds else "")
        if text and declared.name not in {"kind", "leg"}:
            values[declared.name] = _read(declared, text, kind, bet, seen)
    if values.get("min_odds", 0) > values.get("max_odds", MOST_ODDS):
        highest = f"odds up to the maximum, {values['max_odds']:f}"
        raise InvalidInput(BY_NAME["min_odds"].label, texts["min_odds"], highest)
    return values


def _read(
    declared: Filter, text: str, kind: SignalKind, bet: BetKind, seen: SignalKeys | None
) -> object:
    label = declared.label
    value: object
    match declared.unit:
        case FilterUnit.POUNDS:
            value = read_pounds(label, text, least=declared.least, most=declared.most)
        case FilterUnit.ODDS | FilterUnit.ODDS_RANGE:
            value = as_decimal(read_odds(label, text, MOST_ODDS))
        case FilterUnit.DURATION:
            value = read_duration(label, text)
        case FilterUnit.COUNT:
            value = read_count(label, text, least=int(declared.least), most=int(declared.most))
        case FilterUnit.BOOKMAKER:
            value = None if text.casefold() in ALL else bookmakers(seen).key_of(text)
        case FilterUnit.EXCHANGE:
            value = exchanges().key_of(text)
        case FilterUnit.SPORT:
            value = sports(seen).key_of(text)
        case FilterUnit.CHOICE:
            fitting = [
                choice for choice in declared.choices if kind in choice.kinds and bet in choice.bets
            ]
            value = _choice(declared, text, fitting)
        case _:
            assert_never(declared.unit)
    return value


def _choice(declared: Filter, text: str, choices: Iterable[FilterChoice]) -> str:
    """The value of a choice by its name, title or other words, or by an unmistakable start."""
    spellings = {
        letters(word): choice.value
        for choice in choices
        for word in (*choice.words, choice.title, choice.value)
    }
    wanted = letters(text)
    if wanted in spellings:
        return spellings[wanted]
    started = {value for word, value in spellings.items() if wanted and word.startswith(wanted)}
    if len(started) == 1:
        return started.pop()
    values = list(dict.fromkeys(spellings.values()))
    raise InvalidInput(declared.label, text, f"{', '.join(values[:-1])} or {values[-1]}")


def _meaning(typed: str, text: str, kind: SignalKind | None) -> tuple[str, str]:
    """The filter that a name means, and its text; an empty text for a switch that is off."""
    word = key_form(typed)
    if kind is SignalKind.DUTCH and word == "kind":
        return "leg", text
    if word in _SWITCHES:
        declared, switch = _SWITCHES[word]
        is_on = _choice(BY_NAME["refund_in_cash"], text, BY_NAME["refund_in_cash"].choices) == "yes"
        return declared.name, switch.value if is_on else ""
    if word not in _BY_WORD or (kind is not None and word == "kind"):
        near = process.extractOne(
            word, [*_BY_WORD, *_SWITCHES], scorer=fuzz.ratio, score_cutoff=_ALIKE
        )
        names = ", ".join(declared.word for declared in FILTERS)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InvalidInput("filter", typed[:_MOST_TYPED], f"one of {names}{hint}")
    return _BY_WORD[word].name, text


def _bounds(text: str) -> list[tuple[str, str]]:
    both = _RANGE.fullmatch(text)
    if both is None:
        raise InvalidInput("odds", text, "a range such as 2-6")
    return [("min_odds", both[1]), ("max_odds", both[2])]


def _fitting(declared: Filter) -> str:
    words = [KIND_WORDS[kind] for kind in SignalKind if kind in declared.kinds]
    if SignalKind.DUTCH in declared.kinds and declared.bets != ALL_BETS:
        words[-1] = f"{words[-1]} with such a bet"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
