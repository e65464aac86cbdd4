"""The filters of a question about opportunities: one table for terminal, chat, page and replay.

From `FILTERS` are made the options of ``kos signals`` and ``kos replay``, the words of chat and
their help, the fields and addresses of the page, and the reference page. Each of them understands
the names of all the others, and reads and refuses values here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec
from rapidfuzz import fuzz, process

from kos.domain.books.calendar import read_duration
from kos.domain.market.odds import MOST_ODDS, as_decimal, read_odds
from kos.domain.money import PENNY, read_count, read_pounds
from kos.domain.opportunities.dutches import DutchQuery, check_dutch_query, dutch_of
from kos.domain.opportunities.known_names import (
    ALL,
    bookmakers,
    exchanges,
    key_form,
    letters,
    sports,
)
from kos.domain.opportunities.opportunity import (
    MAX_LIMIT,
    MAX_STAKE,
    BetKind,
    OpportunityQuery,
    Ranking,
    SignalKeys,
    check_query,
)
from kos.errors import InvalidInput


class SignalKind(StrEnum):
    """What can be asked for."""

    QUALIFYING = BetKind.QUALIFYING.value
    SNR = BetKind.FREE_BET_SNR.value
    SR = BetKind.FREE_BET_SR.value
    REFUND = BetKind.REFUND.value
    ARBS = "arbs"
    DUTCH = "dutch"


class FilterUnit(StrEnum):
    """How the value of a filter is typed; the texts are for the reference page."""

    POUNDS = "pounds"
    ODDS = "odds"
    ODDS_RANGE = "lowest and highest odds"
    DURATION = "time, in hours if no unit is given"
    COUNT = "whole number"
    CHOICE = "one of a list"
    BOOKMAKER = "bookmaker"
    EXCHANGE = "exchange"
    SPORT = "sport or competition"


_ALL_KINDS: Final = frozenset(SignalKind)
_PAIRS: Final = _ALL_KINDS - {SignalKind.DUTCH}
_ALL_BETS: Final = frozenset(BetKind)
_OWN_MONEY: Final = frozenset({BetKind.QUALIFYING})
_REFUND: Final = frozenset({BetKind.REFUND})
KIND_WORDS: Final = {
    SignalKind.QUALIFYING: "qualifying bets",
    SignalKind.SNR: "free bets (SNR)",
    SignalKind.SR: "free bets (SR)",
    SignalKind.REFUND: "refund bets",
    SignalKind.ARBS: "arbs",
    SignalKind.DUTCH: "dutching",
}
"""The kinds within a sentence."""


class FilterChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a list."""

    value: str
    title: str
    words: tuple[str, ...] = ()
    """Other words for it."""
    kinds: frozenset[SignalKind] = _ALL_KINDS
    bets: frozenset[BetKind] = _ALL_BETS


class FilterSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """An option or tick box that means a value of a filter."""

    name: str
    value: str
    help: str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One filter, as every face offers and reads it."""

    name: str
    """Of the page's field; with hyphens that of the option."""
    word: str
    """The usual word in chat."""
    label: str
    """For people, within a sentence."""
    help: str
    unit: FilterUnit
    others: tuple[str, ...] = ()
    """More names that are understood."""
    letter: str = ""
    """Of the short option."""
    default: str = ""
    """As typed; empty for none."""
    defaults: Mapping[SignalKind, str] = {}
    """Where a kind has another default."""
    example: str = ""
    """A value for the help of chat; empty: the help leaves the filter out."""
    least: Decimal = PENNY
    """Pounds, or a count."""
    most: Decimal = MAX_STAKE
    choices: tuple[FilterChoice, ...] = ()
    switches: tuple[FilterSwitch, ...] = ()
    kinds: frozenset[SignalKind] = _ALL_KINDS
    bets: frozenset[BetKind] = _ALL_BETS
    """Of dutching: those at the bookmaker."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that takes a value of the filter, the usual one first."""
        return tuple(dict.fromkeys((self.name, self.word, *self.others)))

    def default_for(self, kind: SignalKind) -> str:
        """The default for a kind, as typed."""
        return self.defaults.get(kind, self.default)


_YES: Final = ("1", "on", "true")
_NO: Final = ("0", "off", "false")

FILTERS: Final = (
    Filter(
        name="kind",
        word="kind",
        label="kind",
        help="Type of bet: cash, free bet, refund, arbs or dutching.",
        unit=FilterUnit.CHOICE,
        letter="k",
        default=SignalKind.QUALIFYING.value,
        choices=(
            FilterChoice(value="qualifying", title="Qualifying", words=("qualifier",)),
            FilterChoice(value="snr", title="Free bet (SNR)", words=("free_bet_snr",)),
            FilterChoice(value="sr", title="Free bet (SR)", words=("free_bet_sr",)),
            FilterChoice(value="refund", title="Refund"),
            FilterChoice(value="arbs", title="Arbs"),
            FilterChoice(value="dutch", title="Dutching"),
        ),
    ),
    Filter(
        name="bookmaker",
        word="bookmaker",
        label="bookmaker",
        help="Bookmaker, e.g. coral or William Hill. Default: all.",
        unit=FilterUnit.BOOKMAKER,
        letter="b",
    ),
    Filter(
        name="stake",
        word="stake",
        label="stake",
        help="Back stake, or value of the free bet, in pounds. For dutching: the stake at the "
        "bookmaker, or the total stake if no bookmaker is given.",
        unit=FilterUnit.POUNDS,
        letter="s",
        default="10",
        example="10",
    ),
    Filter(
        name="sport",
        word="sport",
        label="sport",
        help="Sport or competition, e.g. soccer or soccer_epl.",
        unit=FilterUnit.SPORT,
        example="soccer",
    ),
    Filter(
        name="within_hours",
        word="within",
        label="starts within",
        help="Starts within this time, e.g. 2h, 90m or 3d.",
        unit=FilterUnit.DURATION,
        example="2h",
    ),
    Filter(
        name="odds",
        word="odds",
        label="odds",
        help="Lowest and highest back odds, e.g. 2-6.",
        unit=FilterUnit.ODDS_RANGE,
        example="2-6",
    ),
    Filter(
        name="min_odds",
        word="min",
        label="minimum back odds",
        help="Minimum back odds.",
        unit=FilterUnit.ODDS,
        example="2",
    ),
    Filter(
        name="max_odds",
        word="max",
        label="maximum back odds",
        help="Maximum back odds.",
        unit=FilterUnit.ODDS,
        example="6",
    ),
    Filter(
        name="min_liquidity",
        word="liquidity",
        label="minimum available to lay",
        help="Minimum available on the exchange, in pounds.",
        unit=FilterUnit.POUNDS,
        others=("liq",),
        example="50",
        least=Decimal(0),
    ),
    Filter(
        name="max_liability",
        word="liability",
        label="maximum liability",
        help="Maximum liability, in pounds.",
        unit=FilterUnit.POUNDS,
        example="100",
        least=Decimal(0),
        kinds=_PAIRS,
    ),
    Filter(
        name="exchange",
        word="exchange",
        label="exchange",
        help="Only lay at this exchange, e.g. betfair or smarkets.",
        unit=FilterUnit.EXCHANGE,
        example="betfair",
        kinds=_PAIRS,
    ),
    Filter(
        name="rank",
        word="rank",
        label="sort order",
        help="Sort order.",
        unit=FilterUnit.CHOICE,
        others=("ranking",),
        default=Ranking.SEED.value,
        defaults={
            SignalKind.ARBS: Ranking.RATING.value,
            SignalKind.DUTCH: Ranking.RATING.value,
        },
        example="rating",
        choices=(
            FilterChoice(value="seed", title="KOS score", words=("score",)),
            FilterChoice(value="rating", title="Rating"),
            FilterChoice(value="value", title="Profit (£)"),
            FilterChoice(value="value_per_hour", title="Profit per hour"),
            FilterChoice(
                value="value_per_liability", title="Profit per £1 of liability", kinds=_PAIRS
            ),
            FilterChoice(
                value="return_on_capital", title="Return on capital per hour", kinds=_PAIRS
            ),
        ),
    ),
    Filter(
        name="free_bet",
        word="free",
        label="free bet you earn",
        help="Value of the free bet you earn, in pounds.",
        unit=FilterUnit.POUNDS,
        others=("free_bet_value",),
        example="10",
        kinds=frozenset({SignalKind.QUALIFYING, SignalKind.ARBS, SignalKind.DUTCH}),
        bets=_OWN_MONEY,
    ),
    Filter(
        name="arbs",
        word="arbs",
        label="arbs",
        help="Whether arbs are shown, or nothing but arbs.",
        unit=FilterUnit.CHOICE,
        example="only",
        choices=(
            FilterChoice(value="yes", title="Yes", words=_YES),
            FilterChoice(value="no", title="No", words=_NO, kinds=_PAIRS - {SignalKind.ARBS}),
            FilterChoice(value="only", title="Only", bets=_OWN_MONEY),
        ),
        switches=(
            FilterSwitch(name="hide_arbs", value="no", help="Hide arbs."),
            FilterSwitch(name="only_arbs", value="only", help="Show only arbs."),
        ),
    ),
    Filter(
        name="refund",
        word="back",
        label="refund",
        help="Refund if the bet loses, in pounds. Default: the stake.",
        unit=FilterUnit.POUNDS,
        others=("refund_value",),
        kinds=frozenset({SignalKind.REFUND, SignalKind.DUTCH}),
        bets=_REFUND,
    ),
    Filter(
        name="refund_in_cash",
        word="cash",
        label="refund in cash",
        help="Whether the refund is paid in cash, not as a free bet.",
        unit=FilterUnit.CHOICE,
        others=("refund_cash", "is_refund_cash"),
        choices=(
            FilterChoice(value="yes", title="Yes", words=_YES),
            FilterChoice(value="no", title="No", words=_NO),
        ),
        switches=(
            FilterSwitch(
                name="refund_in_cash",
                value="yes",
                help="The refund is paid in cash, not as a free bet.",
            ),
        ),
        kinds=frozenset({SignalKind.REFUND, SignalKind.DUTCH}),
        bets=_REFUND,
    ),
    Filter(
        name="leg",
        word="leg",
        label="leg",
        help="Dutching: the type of bet at the bookmaker.",
        unit=FilterUnit.CHOICE,
        default=BetKind.QUALIFYING.value,
        choices=(
            FilterChoice(value="qualifying", title="Cash", words=("qualifier",)),
            FilterChoice(value="snr", title="Free bet (SNR)", words=("free_bet_snr",)),
            FilterChoice(value="sr", title="Free bet (SR)", words=("free_bet_sr",)),
            FilterChoice(value="refund", title="Refund"),
        ),
        kinds=frozenset({SignalKind.DUTCH}),
    ),
    Filter(
        name="exchanges",
        word="exchanges",
        label="exchanges",
        help="Dutching: whether legs can be on exchanges.",
        unit=FilterUnit.CHOICE,
        default="yes",
        choices=(
            FilterChoice(value="yes", title="Yes", words=_YES),
            FilterChoice(value="no", title="No", words=_NO),
        ),
        switches=(
            FilterSwitch(
                name="without_exchanges",
                value="no",
                help="Dutching: bookmakers only, no exchange legs.",
            ),
        ),
        kinds=frozenset({SignalKind.DUTCH}),
    ),
    Filter(
        name="limit",
        word="limit",
        label="number of results",
        help="Number of results.",
        unit=FilterUnit.COUNT,
        letter="n",
        least=Decimal(1),
        most=Decimal(MAX_LIMIT),
    ),
)
"""In the order of the help."""

BY_NAME: Final = {declared.name: declared for declared in FILTERS}
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


# --- from what was typed to a query -----------------------------------------------------------------


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
    choices = [each for each in declared.choices if SignalKind(each.value) in allowed]
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
    query = _query(_values(kind, bet, texts, seen), bet, limit)
    if kind is SignalKind.ARBS:
        query = msgspec.structs.replace(query, only_arbs=True)
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
    query = dutch_of(_query(values, bet, limit), with_exchanges=values["exchanges"] == "yes")
    check_dutch_query(query)
    return query


def _query(values: Mapping[str, Any], bet: BetKind, limit: int) -> OpportunityQuery:
    within = values.get("within_hours")
    return OpportunityQuery(
        kind=bet,
        stake=values["stake"],
        bookmaker=values.get("bookmaker"),
        free_bet_value=values.get("free_bet"),
        refund_value=values.get("refund"),
        is_refund_cash=values.get("refund_in_cash") == "yes",
        limit=values.get("limit", limit),
        sport=values.get("sport"),
        exchange=values.get("exchange"),
        min_odds=values.get("min_odds"),
        max_odds=values.get("max_odds"),
        min_liquidity=values.get("min_liquidity"),
        max_liability=values.get("max_liability"),
        max_minutes_to_kickoff=None if within is None else within.total_seconds() / 60,
        hide_arbs=values.get("arbs") == "no",
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
            value = read_pounds(label, text, declared.least, declared.most)
        case FilterUnit.ODDS | FilterUnit.ODDS_RANGE:
            value = as_decimal(read_odds(label, text, MOST_ODDS))
        case FilterUnit.DURATION:
            value = read_duration(label, text)
        case FilterUnit.COUNT:
            value = read_count(label, text, int(declared.least), int(declared.most))
        case FilterUnit.BOOKMAKER:
            value = None if text.casefold() in ALL else bookmakers(seen).key_of(text)
        case FilterUnit.EXCHANGE:
            value = exchanges().key_of(text)
        case FilterUnit.SPORT:
            value = sports(seen).key_of(text)
        case FilterUnit.CHOICE:
            fitting = [each for each in declared.choices if kind in each.kinds and bet in each.bets]
            value = _choice(declared, text, fitting)
    return value


def _choice(declared: Filter, text: str, choices: Iterable[FilterChoice]) -> str:
    """The value of a choice by its name, title or other words, or by an unmistakable start."""
    spellings = {
        letters(word): each.value
        for each in choices
        for word in (*each.words, each.title, each.value)
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
    if SignalKind.DUTCH in declared.kinds and declared.bets != _ALL_BETS:
        words[-1] = f"{words[-1]} with such a bet"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
