"""The filters of a question about opportunities: one table for terminal, chat, page and replay.

From `FILTERS` are made the options of ``kos signals`` and ``kos replay``, the words of chat and
their help, the fields and addresses of the page, and the reference page. Each of them understands
the names of all the others; `kos.domain.opportunities.queries` reads what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import force_setattr

from kos.domain.money import PENNY
from kos.domain.opportunities.opportunity import MAX_LIMIT, MAX_STAKE, BetKind, Ranking


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
ALL_BETS: Final = frozenset(BetKind)
_OWN_MONEY: Final = frozenset({BetKind.QUALIFYING})
_REFUND: Final = frozenset({BetKind.REFUND})
_REFUNDED: Final = frozenset({SignalKind.REFUND, SignalKind.DUTCH})
KIND_WORDS: Final = {
    SignalKind.QUALIFYING: "qualifying bets",
    SignalKind.SNR: "free bets (SNR)",
    SignalKind.SR: "free bets (SR)",
    SignalKind.REFUND: "refund bets",
    SignalKind.ARBS: "arbs",
    SignalKind.DUTCH: "dutching",
}
"""The kinds within a sentence."""


class FilterChoice(msgspec.Struct, frozen=True):
    """One value of a list."""

    value: str
    title: str
    words: tuple[str, ...] = ()
    """Other words for it."""
    kinds: frozenset[SignalKind] = _ALL_KINDS
    bets: frozenset[BetKind] = ALL_BETS


class FilterSwitch(msgspec.Struct, frozen=True):
    """An option or tick box that means a value of a filter."""

    name: str
    value: str
    help: str


class Filter(msgspec.Struct, frozen=True):
    """One filter, as every face offers and reads it."""

    name: str
    """Of the page's field; with hyphens that of the option."""
    unit: FilterUnit
    help: str
    word: str = ""
    """The usual word in chat; empty: the name."""
    label: str = ""
    """For people, within a sentence; empty: the word."""
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
    bets: frozenset[BetKind] = ALL_BETS
    """Of dutching: those at the bookmaker."""

    def __post_init__(self) -> None:
        """Name it in chat and in sentences as it is named, where nothing else was said."""
        force_setattr(self, "word", self.word or self.name)
        force_setattr(self, "label", self.label or self.word)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that takes a value of the filter, the usual one first."""
        return tuple(dict.fromkeys((self.name, self.word, *self.others)))

    def default_for(self, kind: SignalKind) -> str:
        """The default for a kind, as typed."""
        return self.defaults.get(kind, self.default)


_YES: Final = FilterChoice("yes", "Yes", ("1", "on", "true"))
_NO: Final = FilterChoice("no", "No", ("0", "off", "false"))
_BETS: Final = (
    FilterChoice("snr", "Free bet (SNR)", ("free_bet_snr",)),
    FilterChoice("sr", "Free bet (SR)", ("free_bet_sr",)),
    FilterChoice("refund", "Refund"),
)

FILTERS: Final = (
    Filter(
        "kind",
        FilterUnit.CHOICE,
        "Type of bet: cash, free bet, refund, arbs or dutching.",
        letter="k",
        default=SignalKind.QUALIFYING.value,
        choices=(
            FilterChoice("qualifying", "Qualifying", ("qualifier",)),
            *_BETS,
            FilterChoice("arbs", "Arbs"),
            FilterChoice("dutch", "Dutching"),
        ),
    ),
    Filter(
        "bookmaker",
        FilterUnit.BOOKMAKER,
        "Bookmaker, e.g. coral or William Hill. Default: all.",
        letter="b",
    ),
    Filter(
        "stake",
        FilterUnit.POUNDS,
        "Back stake, or value of the free bet, in pounds. For dutching: the stake at the "
        "bookmaker, or the total stake if no bookmaker is given.",
        letter="s",
        default="10",
        example="10",
    ),
    Filter(
        "sport",
        FilterUnit.SPORT,
        "Sport or competition, e.g. soccer or soccer_epl.",
        example="soccer",
    ),
    Filter(
        "within_hours",
        FilterUnit.DURATION,
        "Starts within this time, e.g. 2h, 90m or 3d.",
        "within",
        "starts within",
        example="2h",
    ),
    Filter("odds", FilterUnit.ODDS_RANGE, "Lowest and highest back odds, e.g. 2-6.", example="2-6"),
    Filter(
        "min_odds", FilterUnit.ODDS, "Minimum back odds.", "min", "minimum back odds", example="2"
    ),
    Filter(
        "max_odds", FilterUnit.ODDS, "Maximum back odds.", "max", "maximum back odds", example="6"
    ),
    Filter(
        "min_liquidity",
        FilterUnit.POUNDS,
        "Minimum available on the exchange, in pounds.",
        "liquidity",
        "minimum available to lay",
        others=("liq",),
        example="50",
        least=Decimal(0),
    ),
    Filter(
        "max_liability",
        FilterUnit.POUNDS,
        "Maximum liability, in pounds.",
        "liability",
        "maximum liability",
        example="100",
        least=Decimal(0),
        kinds=_PAIRS,
    ),
    Filter(
        "exchange",
        FilterUnit.EXCHANGE,
        "Only lay at this exchange, e.g. betfair or smarkets.",
        example="betfair",
        kinds=_PAIRS,
    ),
    Filter(
        "rank",
        FilterUnit.CHOICE,
        "Sort order.",
        label="sort order",
        default=Ranking.SEED.value,
        defaults=dict.fromkeys((SignalKind.ARBS, SignalKind.DUTCH), Ranking.RATING.value),
        example="rating",
        choices=(
            FilterChoice("seed", "KOS score", ("score",)),
            FilterChoice("rating", "Rating"),
            FilterChoice("value", "Profit (£)"),
            FilterChoice("value_per_hour", "Profit per hour"),
            FilterChoice("value_per_liability", "Profit per £1 of liability", kinds=_PAIRS),
            FilterChoice("return_on_capital", "Return on capital per hour", kinds=_PAIRS),
        ),
    ),
    Filter(
        "free_bet",
        FilterUnit.POUNDS,
        "Value of the free bet you earn, in pounds.",
        "free",
        "free bet you earn",
        example="10",
        kinds=frozenset({SignalKind.QUALIFYING, SignalKind.ARBS, SignalKind.DUTCH}),
        bets=_OWN_MONEY,
    ),
    Filter(
        "arbs",
        FilterUnit.CHOICE,
        "Whether arbs are shown, or nothing but arbs.",
        example="only",
        choices=(
            _YES,
            msgspec.structs.replace(_NO, kinds=_PAIRS - {SignalKind.ARBS}),
            FilterChoice("only", "Only", bets=_OWN_MONEY),
        ),
        switches=(
            FilterSwitch("hide_arbs", "no", "Hide arbs."),
            FilterSwitch("only_arbs", "only", "Show only arbs."),
        ),
    ),
    Filter(
        "refund",
        FilterUnit.POUNDS,
        "Refund if the bet loses, in pounds. Default: the stake.",
        "back",
        "refund",
        kinds=_REFUNDED,
        bets=_REFUND,
    ),
    Filter(
        "refund_in_cash",
        FilterUnit.CHOICE,
        "Whether the refund is paid in cash, not as a free bet.",
        "cash",
        "refund in cash",
        others=("refund_cash",),
        choices=(_YES, _NO),
        switches=(
            FilterSwitch("refund_in_cash", "yes", "The refund is paid in cash, not as a free bet."),
        ),
        kinds=_REFUNDED,
        bets=_REFUND,
    ),
    Filter(
        "leg",
        FilterUnit.CHOICE,
        "Dutching: the type of bet at the bookmaker.",
        default=BetKind.QUALIFYING.value,
        choices=(FilterChoice("qualifying", "Cash", ("qualifier",)), *_BETS),
        kinds=frozenset({SignalKind.DUTCH}),
    ),
    Filter(
        "exchanges",
        FilterUnit.CHOICE,
        "Dutching: whether legs can be on exchanges.",
        default="yes",
        choices=(_YES, _NO),
        switches=(
            FilterSwitch("without_exchanges", "no", "Dutching: bookmakers only, no exchange legs."),
        ),
        kinds=frozenset({SignalKind.DUTCH}),
    ),
    Filter(
        "limit",
        FilterUnit.COUNT,
        "Number of results.",
        label="number of results",
        letter="n",
        least=Decimal(1),
        most=Decimal(MAX_LIMIT),
    ),
)
"""In the order of the help."""

BY_NAME: Final = {declared.name: declared for declared in FILTERS}
