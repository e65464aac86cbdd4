"""Random markets for the searches: most prices pair, and every edge occurs in some event."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import strategies as st

from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    MarketQuotes,
    Verdict,
)
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.scoring import ScoringRules
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market

SPORTS = ("soccer_epl", "tennis_atp_x", "rugbyunion_six_nations", "basketball_nba")
MAKERS = ("coral", "betway", "skybet", "ladbrokes")
EXCHANGES = ("smarkets", "matchbook", "betfair_ex_uk", "betfair_ex_eu")
PENNY = Decimal("0.01")
RUNNERS = {"Leeds": 1, "York": 2, "Draw": 3}


class Scene(NamedTuple):
    """Everything that was seen, as it would be told to a picture."""

    quotes: dict[str, tuple[EventQuotes, ...]]
    matches: dict[str, tuple[EventMatch, ...]]
    markets: tuple[ExchangeMarket, ...]
    books: tuple[MarketBook, ...]

    def events(self) -> Iterator[EventQuotes]:
        for events in self.quotes.values():
            yield from events


Step = tuple[str, Any]
"""One piece of news: its kind, and the sport key or the book."""


def scene(seed: int | str, *, events: int = 8, edges: float = 0.08) -> Scene:
    """A market of so many events; a smaller one of the same seed holds the first of them.

    Args:
        seed: Decides every price.
        events: How many.
        edges: How often each thing that rules prices out occurs: stale, in play, doubtful.
    """
    quotes: dict[str, list[EventQuotes]] = {}
    matches: dict[str, list[EventMatch]] = {}
    markets: list[ExchangeMarket] = []
    books: list[MarketBook] = []
    for number in range(events):
        rng = random.Random(f"{seed}/{number}")
        made = _Event(rng, number, edges)
        quotes.setdefault(made.sport_key, []).append(made.quotes())
        matches.setdefault(made.sport_key, [])
        if rng.random() < 0.75:
            matches[made.sport_key].append(made.match())
            markets.append(made.market())
            if rng.random() < 0.9:
                books.append(made.book())
    return Scene(
        {key: tuple(listed) for key, listed in quotes.items()},
        {key: tuple(listed) for key, listed in matches.items()},
        tuple(markets),
        tuple(books),
    )


class _Event:
    """One event in the making."""

    def __init__(self, rng: random.Random, number: int, edges: float) -> None:
        self._rng = rng
        self._edges = edges
        self.sport_key = rng.choice(SPORTS)
        self._id = f"{self.sport_key}{number}"
        self._market_id = f"1.{number}"
        self._has_draw = self.sport_key == "soccer_epl" or (
            self.sport_key == "rugbyunion_six_nations" and rng.random() < 0.5
        )
        if self._is_odd():
            self._has_draw = not self._has_draw
        chances = [rng.choice([0.08, 0.25, 0.5, 0.7]), 0.0, 0.0]
        chances[2] = (1 - chances[0]) * rng.uniform(0.2, 0.4) if self._has_draw else 0.0
        chances[1] = 1 - chances[0] - chances[2]
        self._fair = {
            name: 1 / chance for name, chance in zip(RUNNERS, chances, strict=True) if chance
        }
        # Some events are so generous that every back gains, some so mean that none does.
        self._generosity = rng.choice([0.97, 0.985, 1.0, 1.01, 1.03])

    def _is_odd(self) -> bool:
        return self._rng.random() < self._edges

    def quotes(self) -> EventQuotes:
        rng = self._rng
        blocks = [
            bookmaker(key, self._backs()) for key in rng.sample(MAKERS, rng.randint(2, len(MAKERS)))
        ]
        blocks += [
            bookmaker(key, self._backs(), self._lays())
            for key in rng.sample(EXCHANGES, rng.randint(1, 3))
        ]
        minutes = rng.choice([6, 20, 90, 90, 90, 300, 2000])
        if self._is_odd():
            minutes = rng.choice([0, 4, 5])
        kickoff = NOW + timedelta(minutes=minutes)
        return event(*blocks, id=self._id, sport_key=self.sport_key, kickoff=kickoff)

    def _backs(self) -> MarketQuotes:
        """Bookmakers snap to a few prices, so that many are equal."""
        fair = self._fair
        if self._is_odd():
            fair = {name: odds for name, odds in fair.items() if name != "Draw"}
        return quotes_market(
            {
                name: snapped(odds * self._rng.uniform(0.95, 1.02) * self._generosity)
                for name, odds in fair.items()
            },
            updated_at=self._stamp(),
            limits=self._sizes(fair),
        )

    def _lays(self) -> MarketQuotes:
        return quotes_market(
            {name: self._lay_odds(odds) for name, odds in self._fair.items()},
            key="h2h_lay",
            updated_at=self._stamp(),
            limits=self._sizes(self._fair),
        )

    def _lay_odds(self, fair: float) -> str:
        return f"{max(1.02, fair * self._rng.uniform(0.985, 1.05)):.2f}"

    def _sizes(self, names: Iterable[str]) -> dict[str, str] | None:
        if self._rng.random() < 0.4:
            return None
        return {name: "4" if self._is_odd() else self._size() for name in names}

    def _size(self) -> str:
        floor = str(sport_of(self.sport_key).liquidity_floor)
        return self._rng.choice([floor, "75.5", "120", "900"])

    def _stamp(self) -> datetime | None:
        ages = (1790, 1800, 1801) if self._is_odd() else (0, 0, 0, 10, 30, 31, 60)
        age = self._rng.choice([None, *ages])
        return None if age is None else NOW - timedelta(seconds=age)

    def match(self) -> EventMatch:
        rng = self._rng
        return match(
            RUNNERS,
            event_id=self._id,
            market_id=self._market_id,
            verdict=rng.choice([Verdict.DOUBT, Verdict.NONE]) if self._is_odd() else Verdict.MATCH,
            sport_key=self.sport_key,
            confidence=rng.choice([1.0, 1.0, 0.96]),
        )

    def market(self) -> ExchangeMarket:
        names = {"Leeds": 1, "York": 2} | ({"The Draw": 3} if self._has_draw else {})
        if self._is_odd():
            names = {"Leeds": 1, "York": 2}
        return exchange_market(names, market_id=self._market_id)

    def book(self) -> MarketBook:
        rng = self._rng
        lays = {RUNNERS[name]: self._lay_odds(odds) for name, odds in self._fair.items()}
        return book(
            {
                runner: None if self._is_odd() else (odds, "4" if self._is_odd() else self._size())
                for runner, odds in lays.items()
            },
            market_id=self._market_id,
            status="SUSPENDED" if self._is_odd() else "OPEN",
            is_in_play=self._is_odd(),
            received_at=NOW - timedelta(seconds=rng.choice([0, 0, 20, 119, 120])),
            backs={
                runner: (f"{max(1.01, float(odds) * 0.98):.2f}", self._size())
                for runner, odds in lays.items()
            },
        )


def snapped(odds: float) -> str:
    """A bookmaker's price: in steps that grow with the odds."""
    for most, step in ((2.0, 0.05), (4.0, 0.1), (8.0, 0.25)):
        if odds < most:
            return f"{max(1.05, round(odds / step) * step):.2f}"
    return f"{round(odds * 2) / 2:.2f}"


def news_of(seen: Scene) -> list[Step]:
    """All that there is to tell."""
    return [
        *(("quotes", key) for key in seen.quotes),
        *(("matches", key) for key in seen.matches),
        *(("book", found) for found in seen.books),
    ]


def tell(picture: MarketSnapshot, seen: Scene, step: Step) -> None:
    kind, what = step
    if kind == "quotes":
        picture.apply_quotes(what, seen.quotes[what], NOW)
    elif kind == "matches":
        picture.apply_matches(what, seen.matches[what], seen.markets)
    else:
        picture.apply_books((what,))


def told(seen: Scene, order: random.Random, rules: ScoringRules) -> MarketSnapshot:
    """The scene told in some order, a part of it twice."""
    picture = MarketSnapshot(rules)
    steps = news_of(seen)
    steps += order.sample(steps, len(steps) // 2)
    order.shuffle(steps)
    for step in steps:
        tell(picture, seen, step)
    return picture


def own_match(seen: Scene, quotes: EventQuotes) -> EventMatch | None:
    """The match to the own account's exchange, if it is sure."""
    for matched in seen.matches[quotes.sport_key]:
        if matched.event_id == quotes.id and matched.verdict is Verdict.MATCH:
            return matched
    return None


def own_book(seen: Scene, quotes: EventQuotes) -> MarketBook | None:
    """The own account's book of an event."""
    matched = own_match(seen, quotes)
    for found in seen.books:
        if matched is not None and found.market_id == matched.market_id:
            return found
    return None


def is_live(own: MarketBook | None, now: datetime) -> bool:
    return own is not None and (now - own.received_at).total_seconds() <= 120


def is_stale(updated_at: datetime | None, now: datetime) -> bool:
    """Whether a price of the feed, which came at NOW, counts no more."""
    return (now - NOW).total_seconds() > 900 or (now - (updated_at or NOW)).total_seconds() > 1800


def is_drawn(found: MarketQuotes) -> bool:
    return any(outcome.name == "Draw" for outcome in found.outcomes)


def pennies_of(amount: Fraction) -> Fraction:
    """To the penny, half away from zero."""
    hundredths = (abs(amount) * 200 + 1) // 2
    return Fraction(hundredths if amount >= 0 else -hundredths, 100)


def is_near(first: Fraction, second: Fraction) -> bool:
    """Whether floats may not tell two figures apart."""
    return abs(first - second) <= Fraction(1, 10**12) * max(abs(first), abs(second))


class Reached:
    """How many examples put the search to the test; too few of them fail the test."""

    def __init__(self) -> None:
        self.examples = 0
        self.filled = 0
        self.cut = 0

    def add(self, count: int, limit: int) -> None:
        """Note an example with so many results, of which `limit` were asked for."""
        self.examples += 1
        self.filled += count > 0
        self.cut += count > limit

    def check(self) -> None:
        """Fail unless most examples had results, and the limit left some out in half of them."""
        assert self.filled >= 0.7 * self.examples, f"{self.filled} of {self.examples} had results"
        assert self.cut >= 0.5 * self.examples, f"{self.cut} of {self.examples} were cut"


seeds = st.integers(0, 10**6)
sizes = st.integers(5, 9)
parts = st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.95])
"""Which part of the results a limit leaves."""
stakes = st.sampled_from([Decimal(stake) for stake in ("10", "25", "33.33", "5", "150", "2")])


def in_pounds(terms: Mapping[str, Any], stake: Decimal) -> dict[str, Any]:
    """Terms whose amounts are shares of the stake, as a question has them."""
    amounts = {"free_bet_value", "refund_value", "max_liability"}
    return {
        name: max(PENNY, (given * stake).quantize(PENNY)) if name in amounts else given
        for name, given in terms.items()
    }


def limit_of(part: float, count: int) -> int:
    """A limit below the number of results, if there are two."""
    return max(1, min(int(part * count), count - 1))
