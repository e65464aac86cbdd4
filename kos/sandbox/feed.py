"""The world as the odds feed tells it: event heads, bookmaker blocks, scores.

A bookmaker's block of text is kept until the feed reads that bookmaker again, so that a poll mostly
joins texts it has.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any, Final

from kos.sandbox import ticks
from kos.sandbox.bookmakers import BOOKMAKERS, Bookmaker
from kos.sandbox.clock import WorldClock, iso
from kos.sandbox.fixtures import Fixture
from kos.sandbox.leagues import League
from kos.sandbox.odds_formats import american
from kos.sandbox.oddsapi import Ask
from kos.sandbox.prices import Offer, Prices, bell, mix, outcome_names
from kos.sandbox.web import as_json
from kos.sandbox.world import World

_OUTRIGHTS: Final = (
    ("soccer_fifa_world_cup_winner", "Soccer", "FIFA World Cup Winner", "FIFA World Cup Winner 2026",
     "soccer_fifa_world_cup_qualifiers_europe"),
    ("basketball_nba_championship_winner", "Basketball", "NBA Championship Winner", "Championship Winner 2025/2026",
     "basketball_nba"),
    ("icehockey_nhl_championship_winner", "Ice Hockey", "NHL Championship Winner", "Stanley Cup Winner 2025/2026",
     "icehockey_nhl"),
    ("baseball_mlb_world_series_winner", "Baseball", "MLB World Series Winner", "World Series Winner 2026",
     "baseball_mlb"),
)  # fmt: skip
_RESTING: Final = (
    ("soccer_fifa_world_cup", "Soccer", "FIFA World Cup", "FIFA World Cup 2026"),
    ("soccer_uefa_european_championship", "Soccer", "UEFA Euro", "UEFA European Championship"),
    ("tennis_atp_wimbledon", "Tennis", "ATP Wimbledon", "Men's Singles"),
    ("tennis_wta_wimbledon", "Tennis", "WTA Wimbledon", "Women's Singles"),
    ("americanfootball_nfl_preseason", "American Football", "NFL Preseason", "US Football"),
)
_EXTRA: Final = ("btts", "draw_no_bet", "double_chance", "h2h_3_way")
"""Markets that only the call for one event serves."""
_OUTRIGHT_DAYS: Final = 40


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _settled(offer: Offer) -> Offer:
    """Gives the price of exactly 1 that the feed prints in play for what no one can bet on any more."""
    return replace(offer, price=1.0) if offer.price <= 1.02 else offer


class WorldFeed:
    """The odds feed of a world.

    Args:
        world: Its fixtures.
        prices: Its prices.
        clock: World time and wall time.
    """

    def __init__(self, world: World, prices: Prices, clock: WorldClock) -> None:
        self._world = world
        self._prices = prices
        self._clock = clock
        self._texts: dict[str, dict[tuple[str, str, Ask], tuple[int, str]]] = {}
        self._fixtures: dict[str, dict[str, Fixture]] = {}
        self._rows = [
            {
                "key": key, "group": group, "title": title, "description": description,
                "active": active, "has_outrights": outrights,
            }
            for key, group, title, description, active, outrights in (
                *((lg.key, lg.discipline.group, lg.title, lg.description, True, False) for lg in world.leagues),
                *((*row[:4], True, True) for row in _OUTRIGHTS),
                *((*row, False, False) for row in _RESTING),
            )
        ]  # fmt: skip
        self._rows.sort(key=lambda row: str(row["key"]))

    def sports(self) -> list[dict[str, Any]]:
        """Gives all sport keys: leagues of the world, outrights, and a few out of season."""
        return self._rows

    def events(self, sport: str, ask: Ask) -> list[dict[str, Any]]:  # noqa: ARG002 - recordings need the ask
        """Gives the heads of a sport's live and upcoming events."""
        at = self._clock.now()
        league = self._world.league(sport)
        if league is None:
            return [self._outright_head(row, at) for row in _OUTRIGHTS if row[0] == sport]
        fixtures = self._world.on_feed(sport, at)
        known = {fixture.feed_id: fixture for fixture in fixtures}
        self._fixtures[sport] = known
        texts = self._texts.setdefault(sport, {})
        for key in [key for key in list(texts) if key[0] not in known]:
            texts.pop(key, None)
        return [self._head(fixture, at) for fixture in fixtures]

    def _head(self, fixture: Fixture, at: float) -> dict[str, Any]:
        start = fixture.off_at if fixture.is_in_play(at) else fixture.kickoff(at)
        return {
            "id": fixture.feed_id,
            "sport_key": fixture.league.key,
            "sport_title": fixture.league.title,
            "commence_time": self._clock.wall(start),
            "home_team": fixture.home.feed,
            "away_team": fixture.away.feed,
        }

    def bookmakers(self, sport: str, event: dict[str, Any], ask: Ask) -> list[str]:
        """Gives the JSON of each bookmaker block of an event."""
        at = self._clock.now()
        asked = [b for b in BOOKMAKERS if ask.wants(b.key, b.regions)]
        fixture = self._fixtures.get(sport, {}).get(event["id"])
        if fixture is None:
            return self._outright_blocks(sport, asked, ask, at)
        texts = self._texts.setdefault(sport, {})
        blocks = []
        for bookmaker in asked:
            number, _ = self._prices.reading_at(bookmaker, fixture, at)
            cached = texts.get((fixture.feed_id, bookmaker.key, ask))
            if cached is None or cached[0] != number:
                cached = (number, self._block(bookmaker, fixture, ask, at))
                texts[fixture.feed_id, bookmaker.key, ask] = cached
            if cached[1]:
                blocks.append(cached[1])
        return blocks

    def _block(self, bookmaker: Bookmaker, fixture: Fixture, ask: Ask, at: float) -> str:
        reading = self._prices.reading(bookmaker, fixture, at)
        wanted = set(ask.markets)
        if "h2h" in wanted:
            wanted.add("h2h_lay")
        markets = [(key, offers) for key, offers in reading.markets if key in wanted]
        if ask.is_single and not bookmaker.is_exchange and reading.markets:
            markets.extend(self._extra(bookmaker, fixture, reading.read_at, wanted))
        if not markets:
            return ""
        if not bookmaker.is_exchange and fixture.is_in_play(reading.read_at):
            markets = [(key, tuple(_settled(offer) for offer in offers)) for key, offers in markets]
        return self._text(bookmaker, fixture.feed_id, markets, reading.read_at, ask)

    def _text(
        self,
        bookmaker: Bookmaker,
        event_id: str,
        markets: list[tuple[str, tuple[Offer, ...]]],
        read_at: float,
        ask: Ask,
    ) -> str:
        stamp = self._clock.wall(read_at)
        block: dict[str, Any] = {"key": bookmaker.key, "title": bookmaker.title}
        if not ask.is_single:
            block["last_update"] = int(stamp) if ask.is_unix else iso(stamp)
        site = bookmaker.key.replace("_", "-")
        if ask.links:
            block["link"] = f"https://www.{site}.example/event/{event_id[:8]}"
        if ask.sids:
            block["sid"] = event_id[:8]
        block["markets"] = []
        for index, (key, offers) in enumerate(markets):
            moment = stamp - (1 if mix(int(read_at), index) % 25 == 0 else 0)
            market: dict[str, Any] = {
                "key": key,
                "last_update": int(moment) if ask.is_unix else iso(moment),
            }
            if ask.links:
                market["link"] = None
            if ask.sids:
                market["sid"] = None
            market["outcomes"] = [
                self._outcome(bookmaker, offer, site, event_id, ask) for offer in offers
            ]
            block["markets"].append(market)
        return as_json(block).decode()

    @staticmethod
    def _outcome(
        bookmaker: Bookmaker, offer: Offer, site: str, event_id: str, ask: Ask
    ) -> dict[str, Any]:
        price = american(offer.price) if ask.is_american else _number(offer.price)
        outcome: dict[str, Any] = {"name": offer.name, "price": price}
        if offer.point is not None:
            outcome["point"] = _number(offer.point)
        if ask.links:
            slip = re.sub(r"[^a-z]+", "-", offer.name.lower()).strip("-")
            outcome["link"] = (
                None
                if bookmaker.is_exchange
                else f"https://www.{site}.example/slip/{event_id[:8]}/{slip}"
            )
        if ask.sids:
            outcome["sid"] = None
        if ask.limits:
            outcome["bet_limit"] = None if offer.size is None else _number(offer.size)
        return outcome

    def _extra(
        self, bookmaker: Bookmaker, fixture: Fixture, read_at: float, wanted: set[str]
    ) -> list[tuple[str, tuple[Offer, ...]]]:
        if wanted.isdisjoint(_EXTRA) or len(outcome_names(fixture)) != 3:
            return []
        home, away, draw = fixture.probabilities(read_at - bookmaker.lag_s)
        names = outcome_names(fixture)
        overround = bookmaker.overround(fixture.league.popularity)
        both = fixture.over(2.5, read_at) * 0.9 + 0.06
        chances = {
            "btts": (("Yes", both), ("No", 1 - both)),
            "draw_no_bet": ((names[0], home / (home + away)), (names[1], away / (home + away))),
            "double_chance": (
                (f"{names[0]} or Draw", home + draw), (f"{names[1]} or Draw", away + draw),
                (f"{names[0]} or {names[1]}", home + away),
            ),
            "h2h_3_way": tuple(zip(names, (home, away, draw), strict=True)),
        }  # fmt: skip
        return [
            (
                key,
                tuple(
                    Offer(name, bookmaker.rounded(1 / (chance * overround)))
                    for name, chance in rows
                ),
            )
            for key, rows in chances.items()
            if key in wanted
        ]

    # -- outrights -------------------------------------------------------------------------------

    def _outright_head(self, row: tuple[str, str, str, str, str], at: float) -> dict[str, Any]:
        season = 86400 * _OUTRIGHT_DAYS
        ends = at - at % season + season
        number = mix(self._world.seed, int(ends), sum(map(ord, row[0])))
        return {
            "id": f"{number:016x}{mix(number):016x}",
            "sport_key": row[0],
            "sport_title": row[2],
            "commence_time": self._clock.wall(ends),
            "home_team": None,
            "away_team": None,
        }

    def _outright_blocks(
        self, sport: str, asked: list[Bookmaker], ask: Ask, at: float
    ) -> list[str]:
        row = next((row for row in _OUTRIGHTS if row[0] == sport), None)
        league = None if row is None else self._world.league(row[4])
        if row is None or league is None or "outrights" not in ask.markets:
            return []
        read_at = at - at % 300
        event_id = self._outright_head(row, at)["id"]
        blocks = []
        for index, bookmaker in enumerate(asked):
            if mix(self._world.seed, index, int(at // 86400)) % 3 == 0:
                continue
            markets = self._outright_markets(league, bookmaker, index, read_at)
            blocks.append(self._text(bookmaker, event_id, markets, read_at - index * 7, ask))
        return blocks

    def _outright_markets(
        self, league: League, bookmaker: Bookmaker, index: int, read_at: float
    ) -> list[tuple[str, tuple[Offer, ...]]]:
        weights = [
            math.exp(-0.2 * rank + 0.15 * bell(self._world.seed, rank, int(read_at // 14400)))
            for rank in range(len(league.sides))
        ]
        total = sum(weights)
        back, lay = [], []
        for rank, (side, weight) in enumerate(zip(league.sides, weights, strict=True)):
            price = total / weight
            if bookmaker.is_exchange:
                best = ticks.at_or_below(price / 1.02)
                back.append(
                    Offer(side.feed, ticks.TICKS[best], size=20.0 + mix(rank, int(read_at)) % 90)
                )
                lay.append(
                    Offer(side.feed, ticks.TICKS[ticks.at_or_above(price * 1.05)], size=25.0)
                )
            else:
                view = 1.18 + bookmaker.margin + 0.05 * bell(self._world.seed, rank, index)
                back.append(Offer(side.feed, bookmaker.rounded(min(price / view, 1001.0))))
        markets = [("outrights", tuple(back))]
        if lay:
            markets.append(("outrights_lay", tuple(lay)))
        return markets

    # -- scores ----------------------------------------------------------------------------------

    def scores(self, sport: str, days: int) -> list[dict[str, Any]]:
        """Gives scores of live and upcoming events and, with days, of those not long over."""
        at = self._clock.now()
        league = self._world.league(sport)
        if league is None:
            return []
        return [
            self._score(fixture, at)
            for fixture in self._world.fixtures(sport, at)
            if fixture.on_feed and (days or at < fixture.ends_at)
        ]

    def _score(self, fixture: Fixture, at: float) -> dict[str, Any]:
        head = self._head(fixture, at)
        is_over = at >= fixture.ends_at
        if is_over:
            head["commence_time"] = self._clock.wall(fixture.off_at)
        scores, read_at = None, None
        if at >= fixture.off_at:
            home, away = fixture.score(min(at, fixture.ends_at))
            scores = [
                {"name": fixture.home.feed, "score": str(home)},
                {"name": fixture.away.feed, "score": str(away)},
            ]
            read_at = self._clock.wall(at - at % 30)
        return {
            "id": head["id"],
            "sport_key": head["sport_key"],
            "sport_title": head["sport_title"],
            "commence_time": head["commence_time"],
            "completed": is_over,
            "home_team": head["home_team"],
            "away_team": head["away_team"],
            "scores": scores,
            "last_update": read_at,
        }
