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
    bets: frozenset[BetKind] = ALL_BETS


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
    bets: frozenset[BetKind] = ALL_BETS
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
        kinds=frozenset({SignalKind.REFUND, SignalKind.DUTCH}),
        bets=_REFUND,
    ),
    Filter(
        name="refund_in_cash",
        word="cash",
        label="refund in cash",
        help="Whether the refund is paid in cash, not as a free bet.",
        unit=FilterUnit.CHOICE,
        others=("refund_cash",),
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
