"""What calculators take: types that a signature is written with, each with its reader.

The table of kinds is read off these signatures.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Annotated, TypeVar

import msgspec

from kos.domain.bets.accumulator import AccumulatorLeg
from kos.domain.bets.exposure import ExchangeSide, MarketBet
from kos.domain.calculators.readers import (
    Choice,
    Many,
    Number,
    OddsReader,
    Reader,
    RecordReader,
    ShortText,
    Whole,
    pounds,
    share,
)
from kos.domain.market.fair_odds import Method
from kos.domain.market.ladder import BETFAIR, BETFAIR_LINES, Ladder
from kos.domain.market.odds import MOST_ODDS
from kos.errors import InvalidInput

T = TypeVar("T")

MAX_MONEY = 10**9
BETFAIR_PRICES = "Betfair odds markets 1.01..1000"
ZERO = Fraction(0)
ONE = Fraction(1)


class FreeBet(StrEnum):
    """What a back bet is staked with."""

    NONE = "none"
    SNR = "snr"
    SR = "sr"


class FeeBase(StrEnum):
    """What a fee on a back bet is taken from."""

    WINNINGS = "winnings"
    RETURN = "return"


class AccumulatorMode(StrEnum):
    """What an accumulator is staked with, and what is refunded."""

    NORMAL = "normal"
    SNR = "snr"
    SR = "sr"
    REFUND = "refund"
    """A cash bet with a refund when any leg loses."""
    LOCK_IN = "lock_in"
    """A cash bet with a refund when exactly one leg loses."""


class Cover(StrEnum):
    """What kind of bet covers an outcome."""

    BACK = "back"
    EXCHANGE = "exchange"
    LAY = "lay"


class CoverLeg(msgspec.Struct, frozen=True):
    """One bet of a mixed dutch, as quoted."""

    odds: Fraction
    type: Cover
    commission: Fraction


def words(enum: type[StrEnum], **more: object) -> Choice:
    """A choice of an enumeration's members, with other spellings by keyword."""
    return Choice({member.value: member for member in enum} | more)


_money = Number("pounds above 0, up to 1,000,000,000", 0, MAX_MONEY, pounds, above=True)
_amount = Number("pounds, 0 to 1,000,000,000", 0, MAX_MONEY, pounds)
_balance = Number("pounds from -1,000,000,000 to 1,000,000,000", -MAX_MONEY, MAX_MONEY, pounds)
_rate = Number("a rate from 0% to below 100%, e.g. 2% or 0.02", 0, 1, share, below=True)
_retention = Number("the share of a bonus kept as cash, 0% to 100%, e.g. 75% or 0.75", 0, 1, share)
_rating = Number("what you keep of each £1 staked, 0 to 2", 0, 2, share)
_probability = Number("a probability, 0 to 1", 0, 1, share)
_chance = Number("a probability above 0 and below 1", 0, 1, share, above=True, below=True)
_share = Number("a fraction above 0, up to 1 (1/4, 0.25)", 0, 1, share, above=True)
_odds_reader = OddsReader()
_leg_odds_reader = OddsReader(word_for_one="void")
_name = ShortText("a name")

Money = Annotated[Fraction, _money]
Amount = Annotated[Fraction, _amount]
Balance = Annotated[Fraction, _balance]
Rate = Annotated[Fraction, _rate]
Retention = Annotated[Fraction, _retention]
Rating = Annotated[Fraction, _rating]
Probability = Annotated[Fraction, _probability]
Share = Annotated[Fraction, _share]
Odds = Annotated[Fraction, _odds_reader]
Price = Annotated[Fraction, OddsReader(MOST_ODDS)]
Bias = Annotated[
    Fraction, Number("a number from -1 (underlay) through 0 (balanced) to 1 (overlay)", -1, 1)
]
Multiple = Annotated[Fraction, Number("a multiple from 0 to 1,000", 0, 1000)]
Ticks = Annotated[int, Whole(-100_000, 100_000)]
Count = Annotated[int, Whole(1, 1000)]
NameText = Annotated[str, _name]

YesNo = Annotated[
    bool, Choice({"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False})
]
AnyBet = Annotated[FreeBet, words(FreeBet)]
CashBet = Annotated[FreeBet, Choice({"none": FreeBet.NONE})]
SnrBet = Annotated[FreeBet, Choice({"snr": FreeBet.SNR})]
SrBet = Annotated[FreeBet, Choice({"sr": FreeBet.SR})]
FeeModel = Annotated[
    str, Choice({"net_win": "net_win", "smaller_of_stake_and_winnings": "smaller"})
]
Fees = Annotated[FeeBase, words(FeeBase, total_return=FeeBase.RETURN)]
Mode = Annotated[
    AccumulatorMode,
    words(AccumulatorMode, none=AccumulatorMode.NORMAL, cash=AccumulatorMode.NORMAL),
]
StakeOrSnr = Annotated[FreeBet, Choice({"none": FreeBet.NONE, "snr": FreeBet.SNR})]
BackOrLay = Annotated[
    str, Choice({"back": "back", "lay": "lay", "snr": "snr", "free_bet_snr": "snr"})
]
LadderName = Annotated[
    Ladder,
    Choice({"betfair": BETFAIR, "betfair_lines": BETFAIR_LINES, BETFAIR_PRICES: BETFAIR}),
]
Spelling = Annotated[str, ShortText("odds in this spelling, such as 13/8 or -150")]
RoundingMode = Annotated[bool, Choice({"calculator": False, "conservative": True})]
MarginMethod = Annotated[Method, words(Method, proportional=Method.MULTIPLICATIVE)]
BetSide = Annotated[ExchangeSide, words(ExchangeSide)]

OddsList = Annotated[tuple[Fraction, ...], Many(_odds_reader)]
OutcomeOdds = Annotated[tuple[Fraction, ...], Many(_odds_reader, 2)]
LegOdds = Annotated[tuple[Fraction, ...], Many(_leg_odds_reader)]
Rates = Annotated[tuple[Fraction, ...], Many(_rate)]
Deductions = Annotated[tuple[Fraction, ...], Many(_rate)]
Chances = Annotated[tuple[Fraction, ...], Many(_chance)]
Amounts = Annotated[tuple[Fraction, ...], Many(_amount, 0)]
Names = Annotated[tuple[str, ...], Many(_name, 2)]

Legs = Annotated[
    tuple[AccumulatorLeg, ...],
    Many(
        RecordReader(
            AccumulatorLeg,
            {"back_odds": _leg_odds_reader, "lay_odds": _odds_reader, "commission": _rate},
            commission=ZERO,
        )
    ),
]


def _in_order(**fields: object) -> tuple[object, ...]:
    return tuple(fields.values())


Matched = Annotated[
    tuple[tuple[Fraction, Fraction, Fraction | None], ...],
    Many(
        RecordReader(
            _in_order,
            {"stake": _amount, "odds": _odds_reader, "commission": _rate},
            commission=None,
        ),
        0,
    ),
]
Levels = Annotated[
    tuple[tuple[Fraction, Fraction], ...],
    Many(RecordReader(_in_order, {"odds": _odds_reader, "available": _amount})),
]
_on_selection: dict[str, Reader] = {"selection": _name, "odds": _odds_reader, "stake": _money}
_laid = RecordReader(partial(MarketBet, ExchangeSide.LAY), _on_selection)
_backed = RecordReader(partial(MarketBet, ExchangeSide.BACK), _on_selection)
Lays = Annotated[tuple[MarketBet, ...], Many(_laid, 0)]
Backs = Annotated[tuple[MarketBet, ...], Many(_backed, 0)]
Bets = Annotated[
    tuple[MarketBet, ...],
    Many(
        RecordReader(
            MarketBet,
            {
                "side": words(ExchangeSide),
                "odds": _odds_reader,
                "stake": _money,
                "selection": _name,
            },
            selection="",
        )
    ),
]
CoverLegs = Annotated[
    tuple[CoverLeg, ...],
    Many(
        RecordReader(
            CoverLeg,
            {"odds": _odds_reader, "type": words(Cover), "commission": _rate},
            type=Cover.BACK,
            commission=ZERO,
        )
    ),
]


def _bonus(face: Fraction, retention: Fraction) -> Fraction:
    return face * retention


Bonuses = Annotated[
    tuple[Fraction, ...], Many(RecordReader(_bonus, {"face": _money, "retention": _retention}), 0)
]
ValueBets = Annotated[
    tuple[tuple[Fraction, Fraction], ...],
    Many(RecordReader(_in_order, {"odds": _odds_reader, "probability": _probability})),
]


def needed(field: str, value: T | None, why: str) -> T:
    """An optional input that the others given make necessary.

    Raises:
        InvalidInput: It was not given.
    """
    if value is None:
        raise InvalidInput(field, None, f"a value: {why}")
    return value


def spread(field: str, values: tuple[T, ...], length: int) -> tuple[T, ...]:
    """One value for all, or one each.

    Raises:
        InvalidInput: Another number of values.
    """
    if len(values) == 1:
        return values * length
    if len(values) != length:
        raise InvalidInput(field, f"{len(values)} values", f"1 or {length} values")
    return values
