"""The bookmakers and exchanges of the sandbox, each with its own margin and habits.

Keys and titles are the odds feed's own where ``attested``; the others are brands that exist, under
keys made in the same manner, to bring the United Kingdom to 25 bookmakers beside three exchanges.
Margins and habits are invented.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_FRACTIONS: Final = """1/100 1/66 1/50 1/40 1/33 1/28 1/25 1/22 1/20 1/18 1/16 1/14 1/12 1/11 1/10 1/9 1/8 2/15 1/7 2/13 1/6 2/11 1/5
2/9 1/4 2/7 3/10 1/3 4/11 2/5 4/9 1/2 8/15 4/7 8/13 4/6 8/11 4/5 5/6 10/11 1/1 21/20 11/10 23/20 6/5 5/4 13/10 11/8 7/5 6/4 8/5 13/8
17/10 7/4 9/5 15/8 19/10 2/1 21/10 11/5 9/4 12/5 5/2 13/5 11/4 14/5 3/1 10/3 7/2 18/5 4/1 9/2 5/1 11/2 6/1 13/2 7/1 15/2 8/1 17/2 9/1
10/1 11/1 12/1 13/1 14/1 16/1 18/1 20/1 22/1 25/1 28/1 33/1 40/1 50/1 66/1 80/1 100/1 150/1 200/1 250/1 500/1"""
FRACTIONAL: Final = tuple(
    sorted(round(1 + float(Fraction(part)), 2) for part in _FRACTIONS.split())
)
"""Decimal prices of the fractional odds that high-street bookmakers quote."""

_COARSE: Final[tuple[tuple[float, int], ...]] = (
    (2.0, 100),
    (3.0, 50),
    (6.0, 20),
    (11.0, 10),
    (21.0, 2),
    (101.0, 1),
)


@dataclass(frozen=True, slots=True)
class Bookmaker:
    """One bookmaker of the feed."""

    key: str
    title: str
    regions: tuple[str, ...]
    margin: float
    """Its overround on a popular league less one."""
    grid: str = "decimal"
    """``fractional``: prices of fractional odds; ``coarse``: rounder decimals; ``decimal``: hundredths."""
    lag_s: float = 20.0
    """How long its prices trail the market."""
    opinion: float = 0.02
    """How far its own view strays from the market's."""
    coverage: float = 0.95
    """Share of a popular league's events it quotes."""
    longshot: float = 1.0
    """Above 1: it cuts outsiders more than favourites."""
    house: str = ""
    """Brands of one house share a trading desk: the same view, almost the same price."""
    is_exchange: bool = False
    attested: bool = True
    sidelines: bool = True
    """Whether it also quotes totals and spreads."""

    @property
    def desk(self) -> str:
        """Who makes its prices."""
        return self.house or self.key

    def overround(self, popularity: float) -> float:
        """Gives the sum of its implied probabilities before rounding, for a league's popularity (0 to 1)."""
        return 1.0 + self.margin + 0.016 * (1.0 - popularity)

    def rounded(self, price: float) -> float:
        """Gives the price it would print for a fair asking price: rounded down to its grid, at least 1.01."""
        if self.grid == "fractional":
            return FRACTIONAL[max(0, bisect_right(FRACTIONAL, price + 1e-9) - 1)]
        steps = 100
        if self.grid == "coarse":
            steps = next((per_unit for limit, per_unit in _COARSE if price < limit), 1)
        elif price >= 20:
            steps = 1
        return max(1.01, int(price * steps + 1e-6) / steps)


def _uk(key: str, title: str, margin: float, **habits: object) -> Bookmaker:
    return Bookmaker(key, title, ("uk",), margin, **habits)  # type: ignore[arg-type]


BOOKMAKERS: Final[tuple[Bookmaker, ...]] = (
    Bookmaker("sport888", "888sport", ("uk", "eu"), 0.046, lag_s=45, opinion=0.025),
    _uk("betano_uk", "Betano (UK)", 0.050, lag_s=30, opinion=0.03, coverage=0.85),
    _uk(
        "betfair_sb_uk",
        "Betfair Sportsbook",
        0.034,
        grid="fractional",
        lag_s=15,
        house="paddypower",
    ),
    _uk(
        "betfred_uk",
        "Betfred (UK)",
        0.060,
        grid="fractional",
        lag_s=90,
        opinion=0.03,
        longshot=1.02,
    ),
    Bookmaker("betvictor", "Bet Victor", ("uk", "eu"), 0.042, grid="coarse", lag_s=25),
    _uk("betway", "Betway", 0.047, grid="coarse", lag_s=40, opinion=0.025),
    _uk("boylesports", "BoyleSports", 0.055, grid="fractional", lag_s=80, opinion=0.03),
    _uk("casumo", "Casumo", 0.058, lag_s=60, coverage=0.8, house="kambi", sidelines=False),
    _uk("coral", "Coral", 0.057, grid="fractional", lag_s=35, house="ladbrokes"),
    _uk("grosvenor", "Grosvenor", 0.061, lag_s=60, coverage=0.75, house="kambi"),
    _uk("ladbrokes_uk", "Ladbrokes", 0.056, grid="fractional", lag_s=35, house="ladbrokes"),
    _uk("leovegas", "LeoVegas", 0.056, lag_s=50, house="kambi"),
    _uk("livescorebet", "LiveScore Bet", 0.053, lag_s=50, house="livescore", sidelines=False),
    _uk("paddypower", "Paddy Power", 0.036, grid="fractional", lag_s=15, house="paddypower"),
    _uk("skybet", "Sky Bet", 0.050, grid="fractional", lag_s=30, longshot=1.03),
    _uk("unibet_uk", "Unibet (UK)", 0.048, lag_s=45, house="kambi"),
    _uk("virginbet", "Virgin Bet", 0.054, lag_s=55, house="livescore", sidelines=False),
    Bookmaker(
        "williamhill",
        "William Hill",
        ("uk", "eu"),
        0.052,
        grid="fractional",
        lag_s=60,
        longshot=1.02,
    ),
    _uk(
        "quinnbet",
        "QuinnBet",
        0.064,
        grid="fractional",
        lag_s=150,
        opinion=0.035,
        coverage=0.55,
        attested=False,
    ),
    _uk(
        "kwiff",
        "Kwiff",
        0.068,
        lag_s=120,
        opinion=0.04,
        coverage=0.5,
        attested=False,
        sidelines=False,
    ),
    _uk("spreadex", "Spreadex", 0.045, lag_s=40, opinion=0.03, coverage=0.7, attested=False),
    _uk(
        "betgoodwin",
        "BetGoodwin",
        0.066,
        grid="fractional",
        lag_s=240,
        opinion=0.04,
        coverage=0.4,
        attested=False,
        sidelines=False,
    ),
    _uk(
        "starsports",
        "Star Sports",
        0.058,
        grid="fractional",
        lag_s=180,
        opinion=0.035,
        coverage=0.45,
        attested=False,
        sidelines=False,
    ),
    _uk(
        "talksportbet", "talkSPORT BET", 0.059, lag_s=70, opinion=0.03, coverage=0.6, attested=False
    ),
    _uk("midnite", "Midnite", 0.051, lag_s=60, opinion=0.035, coverage=0.65, attested=False),
    Bookmaker("betfair_ex_uk", "Betfair", ("uk",), 0.0, is_exchange=True),
    Bookmaker("smarkets", "Smarkets", ("uk",), 0.0, is_exchange=True, coverage=0.75),
    Bookmaker("matchbook", "Matchbook", ("uk", "eu"), 0.0, is_exchange=True, coverage=0.6),
    Bookmaker("betfair_ex_eu", "Betfair", ("eu",), 0.0, is_exchange=True),
    Bookmaker("pinnacle", "Pinnacle", ("eu",), 0.026, lag_s=5, opinion=0.008),
    Bookmaker("onexbet", "1xBet", ("eu",), 0.045, lag_s=40, opinion=0.03),
    Bookmaker("marathonbet", "Marathon Bet", ("eu",), 0.035, lag_s=30),
    Bookmaker("draftkings", "DraftKings", ("us",), 0.045, lag_s=15, coverage=0.7),
    Bookmaker("fanduel", "FanDuel", ("us",), 0.044, lag_s=15, coverage=0.7),
    Bookmaker("sportsbet", "SportsBet", ("au",), 0.052, lag_s=40, coverage=0.7),
    Bookmaker("tab", "TAB", ("au",), 0.058, lag_s=60, coverage=0.7),
)
BY_KEY: Final = {bookmaker.key: bookmaker for bookmaker in BOOKMAKERS}
EXCHANGES: Final = tuple(bookmaker for bookmaker in BOOKMAKERS if bookmaker.is_exchange)
REGIONS: Final = ("us", "us2", "us_dfs", "us_ex", "uk", "eu", "fr", "se", "au")


def uk_bookmakers() -> tuple[Bookmaker, ...]:
    """Gives the 25 bookmakers of the United Kingdom, without its exchanges."""
    return tuple(b for b in BOOKMAKERS if "uk" in b.regions and not b.is_exchange)
