"""Questions about opportunities as people type them, and what each asks or why it is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.filters import SignalKind
from kos.domain.opportunities.opportunity import (
    BetKind,
    OpportunityQuery,
    Ranking,
    SignalKeys,
    SignalPlace,
    SignalSport,
)

LIMIT = 25
"""The number of results where a question does not say."""
SEEN = SignalKeys(
    as_of=datetime(2026, 3, 14, 12, 0, tzinfo=UTC),
    bookmakers=(
        SignalPlace(key="coral", title="Coral", events=9),
        SignalPlace(key="paddypower", title="Paddy Power", events=9),
        SignalPlace(key="newbook", title="New Book", events=2),
    ),
    exchanges=(SignalPlace(key="smarkets", title="Smarkets", events=9),),
    sports=(
        SignalSport(key="soccer_epl", title="EPL", events=9),
        SignalSport(key="soccer_uefa_champs_league", title="UEFA Champions League", events=3),
        SignalSport(key="tennis_atp_wimbledon", title="ATP Wimbledon", events=2),
    ),
)
"""What the daemon has prices for. `kos replay` asks no daemon, so no question here needs it."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question, with the names of any face."""

    kind: SignalKind
    filters: dict[str, str]
    query: OpportunityQuery | DutchQuery | None = None
    refusal: str = ""


def _asks(kind: SignalKind, filters: str, **fields: object) -> Asked:
    """A question that is understood."""
    bet = BetKind.QUALIFYING if kind is SignalKind.ARBS else BetKind(kind.value)
    usual = Ranking.RATING if kind is SignalKind.ARBS else Ranking.SEED
    query = OpportunityQuery(
        kind=bet, limit=LIMIT, ranking=usual, only_arbs=kind is SignalKind.ARBS
    )
    return Asked(
        kind=kind, filters=_filters(filters), query=msgspec.structs.replace(query, **fields)
    )


def _refused(kind: SignalKind, filters: str, refusal: str) -> Asked:
    """A question that is refused."""
    return Asked(kind=kind, filters=_filters(filters), refusal=refusal)


def _dutch(filters: str, **fields: object) -> Asked:
    query = msgspec.structs.replace(DutchQuery(limit=LIMIT), **fields)
    return Asked(kind=SignalKind.DUTCH, filters=_filters(filters), query=query)


def _filters(text: str) -> dict[str, str]:
    """``stake=10; sport=soccer`` by name."""
    return dict(pair.strip().split("=", 1) for pair in text.split(";") if pair.strip())


QUALIFYING, SNR, SR = SignalKind.QUALIFYING, SignalKind.SNR, SignalKind.SR
REFUND, ARBS = SignalKind.REFUND, SignalKind.ARBS
POUNDS = "Enter an amount from £0.01 to £100,000, in pounds and pence."
ODDS = (
    "Enter odds above 1, up to 1,000: decimal (2.5), fractional (13/8, evens) or American "
    "(+150, -200)."
)

QUESTIONS = (
    # Nothing said: the defaults.
    _asks(QUALIFYING, ""),
    _asks(SNR, ""),
    _asks(SR, ""),
    _asks(REFUND, ""),
    _asks(ARBS, ""),
    # Stakes.
    _asks(QUALIFYING, "stake=25", stake=Decimal(25)),
    _asks(QUALIFYING, "STAKE=£9.92", stake=Decimal("9.92")),
    _asks(SNR, "stake=1,000", stake=Decimal(1000)),
    _asks(QUALIFYING, "stake=100000", stake=Decimal(100_000)),
    _refused(QUALIFYING, "stake=200000", f"Stake cannot be '200000'. {POUNDS}"),
    _refused(QUALIFYING, "stake=0", f"Stake cannot be '0'. {POUNDS}"),
    _refused(QUALIFYING, "stake=nan", f"Stake cannot be 'nan'. {POUNDS}"),
    _refused(QUALIFYING, "stake=1.005", f"Stake cannot be '1.005'. {POUNDS}"),
    _refused(QUALIFYING, "stake=1,50", f"Stake cannot be '1,50'. {POUNDS}"),
    # Bookmakers.
    _asks(QUALIFYING, "bookmaker=coral", bookmaker="coral"),
    _asks(SNR, "bookmaker=William Hill", bookmaker="williamhill"),
    _asks(SNR, "bookmaker=paddy", bookmaker="paddypower"),
    _asks(ARBS, "bookmaker=LADBROKES", bookmaker="ladbrokes_uk"),
    _asks(SR, "bookmaker=all"),
    _refused(
        QUALIFYING,
        "bookmaker=corall",
        "Bookmaker cannot be 'corall'. Enter a bookmaker that KOS knows (did you mean Coral?).",
    ),
    # Sports.
    _asks(QUALIFYING, "sport=soccer", sport="soccer"),
    _asks(QUALIFYING, "sport=SOCCER_EPL", sport="soccer_epl"),
    _asks(QUALIFYING, "sport=epl", sport="soccer_epl"),
    _asks(SNR, "sport=football", sport="soccer"),
    _asks(SNR, "sport=Ice Hockey", sport="icehockey"),
    _asks(ARBS, "sport=nba", sport="basketball_nba"),
    _asks(REFUND, "sport=rugby", sport="rugby"),
    _refused(
        QUALIFYING,
        "sport=socer",
        "Sport cannot be 'socer'. Enter a sport that KOS knows (did you mean Soccer?).",
    ),
    _refused(
        QUALIFYING,
        "sport=nonsense!",
        "Sport cannot be 'nonsense!'. Enter the name of a sport, e.g. Soccer, Tennis, Golf.",
    ),
    # Exchanges.
    _asks(QUALIFYING, "exchange=smarkets", exchange="smarkets"),
    _asks(QUALIFYING, "exchange=Betfair", exchange="betfair"),
    _asks(SR, "exchange=polymarket", exchange="polymarket"),
    _refused(
        QUALIFYING,
        "exchange=bank",
        "Exchange cannot be 'bank'. Enter the name of an exchange, e.g. Betfair, Matchbook, "
        "Smarkets.",
    ),
    # Odds.
    _asks(QUALIFYING, "min_odds=2; max_odds=6", min_odds=Decimal(2), max_odds=Decimal(6)),
    _asks(QUALIFYING, "min=2; max=2", min_odds=Decimal(2), max_odds=Decimal(2)),
    _asks(QUALIFYING, "odds=2-6", min_odds=Decimal(2), max_odds=Decimal(6)),
    _asks(SNR, "min=5/1", min_odds=Decimal(6)),
    _asks(SNR, "max-odds=evens", max_odds=Decimal(2)),
    _refused(QUALIFYING, "min=1", f"Minimum back odds cannot be '1'. {ODDS}"),
    _refused(QUALIFYING, "max_odds=5000", f"Maximum back odds cannot be '5000'. {ODDS}"),
    _refused(
        QUALIFYING,
        "odds=6-2",
        "Minimum back odds cannot be '6'. Enter odds up to the maximum, 2.",
    ),
    _refused(QUALIFYING, "odds=short", "Odds cannot be 'short'. Enter a range such as 2-6."),
    # Time.
    _asks(QUALIFYING, "within_hours=2", max_minutes_to_kickoff=120.0),
    _asks(QUALIFYING, "within=90m", max_minutes_to_kickoff=90.0),
    _asks(ARBS, "within-hours=3d", max_minutes_to_kickoff=4320.0),
    # Money on the exchange.
    _asks(QUALIFYING, "liquidity=50", min_liquidity=Decimal(50)),
    _asks(QUALIFYING, "liq=0", min_liquidity=Decimal(0)),
    _asks(QUALIFYING, "max_liability=£100", max_liability=Decimal(100)),
    # Free bets and refunds.
    _asks(QUALIFYING, "free=10", free_bet_value=Decimal(10)),
    _asks(ARBS, "free-bet=10", free_bet_value=Decimal(10)),
    _refused(
        SNR,
        "free_bet=10",
        "Free bet you earn cannot be '10'. Enter it only for qualifying bets, arbs and dutching "
        "with such a bet.",
    ),
    _asks(REFUND, "back=5; cash=yes", refund_value=Decimal(5), is_refund_cash=True),
    _asks(REFUND, "refund=5; refund_cash=1", refund_value=Decimal(5), is_refund_cash=True),
    _refused(
        QUALIFYING,
        "refund=5",
        "Refund cannot be '5'. Enter it only for refund bets and dutching with such a bet.",
    ),
    # Order, arbs, and how many.
    _asks(QUALIFYING, "rank=Rating; sport=", ranking=Ranking.RATING),
    _asks(REFUND, "rank=rat", ranking=Ranking.RATING),
    _asks(ARBS, "rank=value", ranking=Ranking.VALUE),
    _refused(
        QUALIFYING,
        "rank=best",
        "Sort order cannot be 'best'. Enter seed, rating, value, value_per_hour, "
        "value_per_liability or return_on_capital.",
    ),
    _refused(
        QUALIFYING,
        "rank=val",
        "Sort order cannot be 'val'. Enter seed, rating, value, value_per_hour, "
        "value_per_liability or return_on_capital.",
    ),
    _asks(QUALIFYING, "hide_arbs=1", hide_arbs=True),
    _asks(SNR, "arbs=no", hide_arbs=True),
    _asks(QUALIFYING, "limit=500", limit=500),
    _asks(QUALIFYING, "rank=profit per hour; limit=1", ranking=Ranking.VALUE_PER_HOUR, limit=1),
    _refused(
        QUALIFYING,
        "limit=501",
        "Number of results cannot be '501'. Enter a whole number from 1 to 500.",
    ),
)
"""Sixty questions, each for every face."""

DUTCH_QUESTIONS = (
    _dutch(""),
    _dutch("stake=100; exchanges=no", stake=Decimal(100), with_exchanges=False),
    _dutch("without_exchanges=1; arbs=only", with_exchanges=False, only_arbs=True),
    _dutch(
        "leg=snr; bookmaker=coral; sport=football",
        kind=BetKind.FREE_BET_SNR,
        bookmaker="coral",
        sport="soccer",
    ),
    _refused(
        SignalKind.DUTCH,
        "liability=5",
        "Maximum liability cannot be '5'. Enter it only for qualifying bets, free bets (SNR), "
        "free bets (SR), refund bets and arbs.",
    ),
    _refused(
        SignalKind.DUTCH,
        "rank=return_on_capital",
        "Sort order cannot be 'return_on_capital'. Enter seed, rating, value or value_per_hour.",
    ),
    _refused(SignalKind.DUTCH, "hide_arbs=1", "Arbs cannot be 'no'. Enter yes or only."),
    _refused(SignalKind.DUTCH, "leg=snr", "Bookmaker is missing. Enter one for the snr bet."),
)
"""For the two faces that know dutching."""
