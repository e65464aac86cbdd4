"""Fixtures: who meets whom and when, how likely each outcome is at any moment, and what goes wrong.

A fixture is drawn once from its seed; all it can be asked is then a cheap function of world time
(seconds since 1970 UTC): kickoff, probabilities, suspensions, score. Strength is measured in standard
deviations of the final margin, so that one formula serves before the off and in play: with a lead
``l``, a strength ``m`` and a share ``r`` still to play, the final margin is normal with mean ``l + m r``
and variance ``r``; home wins above the draw's half width, away below its negative.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from kos.sandbox.leagues import League, Side, Style

DAY_S: Final = 86400.0
HORIZON_S: Final = 4 * DAY_S
"""How far ahead fixtures are listed at most."""
_FLOOR: Final = 0.003
_DRAW_BASE_SPREAD: Final = 1.2533141373155001
"""Of the normal distribution: probability p around 0 has the half width p * sqrt(pi / 2), for small p."""


def phi(x: float) -> float:
    """Gives the standard normal distribution function."""
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@dataclass(frozen=True, slots=True)
class Wave:
    """One slow swing of opinion: amplitude, angular speed, phase."""

    size: float
    speed: float
    phase: float


@dataclass(frozen=True, slots=True)
class Fixture:
    """One match of the world, drawn from its seed. Times are world seconds."""

    league: League
    uid: int
    """Unique among all fixtures that can be listed at one time; exchange ids derive from it."""
    feed_id: str
    """32 hexadecimal digits."""
    home: Side
    away: Side
    planned_at: float
    """The kickoff as first announced."""
    listed_at: float
    moved_at: float
    """When a postponement is announced; infinite where there is none."""
    moved_by: float
    late_s: float
    """How long after the kickoff it really starts."""
    start_shift_s: float
    """How far the exchange's start lies from the feed's."""
    strength: float
    waves: tuple[Wave, ...]
    jumps: tuple[tuple[float, float], ...]
    """News: (moment, change of strength)."""
    swings: tuple[tuple[float, float], ...]
    """Scores: (moment after the off, change of the home lead in standard deviations)."""
    pauses: tuple[tuple[float, float], ...]
    """When the exchange is suspended before the off: (from, to)."""
    on_feed: bool
    on_exchange: bool
    is_swapped: bool
    """The exchange lists the two sides the other way round."""
    goes_in_play: bool
    liquidity: float
    """0 to 1."""
    event_name: str
    """As the exchange prints it."""
    competition: str
    kind: str = "plain"
    """``plain``, ``double`` (the same two again), or a decoy: ``women``, ``reserves``, ``doubles``."""

    def kickoff(self, at: float) -> float:
        """Gives the kickoff as announced at a moment."""
        return self.planned_at + self.moved_by if at >= self.moved_at else self.planned_at

    @property
    def off_at(self) -> float:
        """When it really starts."""
        return self.kickoff(math.inf) + self.late_s

    @property
    def ends_at(self) -> float:
        """When it is over."""
        return self.off_at + self.league.discipline.duration_s

    def is_in_play(self, at: float) -> bool:
        """Says whether it is under way."""
        return self.off_at <= at < self.ends_at

    def is_paused(self, at: float) -> bool:
        """Says whether the exchange is suspended: news before the off, or a score just now."""
        if at >= self.off_at:
            if not self.goes_in_play:
                return True
            since = at - self.off_at
            return since < 20 or any(moment <= since < moment + 60 for moment, _ in self.swings)
        return any(start <= at < end for start, end in self.pauses)

    def version(self, at: float) -> int:
        """Gives a number that rises with every change of the exchange market's status."""
        changes = sum((at >= start) + (at >= end) for start, end in self.pauses)
        since = at - self.off_at
        changes += sum((since >= moment) + (since >= moment + 60) for moment, _ in self.swings)
        return 5_000_000_000 + self.uid * 64 + changes + (at >= self.off_at)

    def lead(self, at: float) -> float:
        """Gives the home lead in standard deviations of the final margin."""
        since = at - self.off_at
        return sum(change for moment, change in self.swings if moment <= since)

    def form(self, at: float) -> float:
        """Gives the market's view of the home side's strength over the away side's."""
        view = self.strength
        for wave in self.waves:
            view += wave.size * math.sin(wave.speed * at + wave.phase)
        for moment, change in self.jumps:
            if moment <= at:
                view += change
        return view

    def probabilities(self, at: float) -> tuple[float, ...]:
        """Gives the fair probabilities of home, away and, where there is one, the draw; they sum to 1."""
        discipline = self.league.discipline
        left = 1.0
        lead = 0.0
        if at > self.off_at:
            left = max(0.002, 1.0 - (at - self.off_at) / discipline.duration_s)
            lead = self.lead(at)
        scale = 1.0 / math.sqrt(left)
        mean = (lead + self.form(min(at, self.off_at)) * left) * scale
        if not discipline.has_draw:
            home = min(1 - _FLOOR, max(_FLOOR, phi(mean)))
            return (home, 1.0 - home)
        half = discipline.draw_base * _DRAW_BASE_SPREAD * scale
        home = max(_FLOOR, phi(mean - half))
        away = max(_FLOOR, phi(-mean - half))
        draw = max(_FLOOR, phi(half - mean) - phi(-half - mean))
        total = home + away + draw
        return (home / total, away / total, draw / total)

    def over(self, line: float, at: float) -> float:
        """Gives the probability that the score's sum ends above a line."""
        discipline = self.league.discipline
        centre = (
            (discipline.totals_line or line)
            + 0.25 * discipline.totals_spread * self.waves[0].phase / math.pi
            - 0.1
        )
        centre += 0.06 * discipline.totals_spread * math.sin(self.waves[1].speed * at)
        left = 1.0
        if at > self.off_at:
            left = max(0.002, 1.0 - (at - self.off_at) / discipline.duration_s)
            home, away = self.score(at)
            centre = home + away + centre * left
        chance = phi((centre - line) / (discipline.totals_spread * math.sqrt(left)))
        return min(1 - _FLOOR, max(_FLOOR, chance))

    def covers(self, handicap: float, at: float) -> float:
        """Gives the probability that home wins with a handicap in points added to its score."""
        spread = self.margin_spread
        return min(
            1 - _FLOOR, max(_FLOOR, phi(self.form(min(at, self.off_at)) + handicap / spread))
        )

    @property
    def margin_spread(self) -> float:
        """The standard deviation of the final margin, in points or goals."""
        return max(1.6, self.league.discipline.totals_spread * 0.75)

    def score(self, at: float) -> tuple[int, int]:
        """Gives the score at a moment, home first; (0, 0) before the off."""
        since = at - self.off_at
        if since <= 0:
            return (0, 0)
        discipline = self.league.discipline
        if discipline.group == "Soccer":
            home = sum(1 for moment, change in self.swings if moment <= since and change > 0)
            away = sum(1 for moment, change in self.swings if moment <= since and change < 0)
            return (home, away)
        share = min(1.0, since / discipline.duration_s)
        half = (discipline.totals_line or 4.0) * share / 2
        ahead = self.lead(at) * self.margin_spread / 2
        home, away = max(0, round(half + ahead)), max(0, round(half - ahead))
        if home == away and share >= 1.0 and not discipline.has_draw:
            return (home + 1, away) if ahead > 0 else (home, away + 1)
        return (home, away)

    def winner(self) -> int:
        """Gives the index of the outcome that won: 0 home, 1 away, 2 draw."""
        chances = self.probabilities(self.ends_at)
        return chances.index(max(chances))


def _swings(rng: random.Random, league: League, strength: float) -> tuple[tuple[float, float], ...]:
    duration = league.discipline.duration_s
    if league.discipline.group == "Soccer":
        moments: list[tuple[float, float]] = []
        at = rng.expovariate(2.7)
        while at < 0.97:
            minute = at if at < 0.45 else 0.13 + at * 0.87
            is_home = rng.random() < phi(0.6 * strength)
            moments.append((minute * duration, (1 if is_home else -1) / 1.6))
            at += rng.expovariate(2.7)
        return tuple(moments)
    steps = 8
    return tuple(
        (
            (index + 0.5 + rng.random() * 0.4) / steps * duration,
            rng.gauss(strength / steps, 1 / math.sqrt(steps)),
        )
        for index in range(steps)
    )


def _event_name(league: League, home: str, away: str, *, is_swapped: bool) -> str:
    if league.discipline.style is Style.AWAY_AT_HOME:
        return f"{away} @ {home}"
    return f"{away} v {home}" if is_swapped else f"{home} v {away}"


def draw_fixture(
    *,
    seed: int,
    league: League,
    uid: int,
    number: int,
    home: Side,
    away: Side,
    edge: float,
    planned_at: float,
    tempo: float = 1.0,
) -> Fixture:
    """Draws a fixture from its seed.

    Args:
        seed: The world's.
        league: Its league.
        uid: Its number among all that can be listed at one time.
        number: Its number for all time, so that the same uid gives another match next season.
        home: Side at home, or the one named first.
        away: The other.
        edge: How much stronger home is by the league's order, in standard deviations.
        planned_at: Kickoff in world seconds.
        tempo: How many times faster than in life the market's opinion swings.
    """
    rng = random.Random(f"{seed}:{number}")
    discipline = league.discipline
    strength = edge + rng.gauss(0.12 if discipline.style is not Style.PEOPLE else 0.0, 0.25)
    listed_at = planned_at - HORIZON_S * rng.uniform(0.8, 1.0)
    waves = tuple(
        Wave(
            rng.uniform(0.02, 0.07),
            tempo * 2 * math.pi / (hours * 3600),
            rng.uniform(-math.pi, math.pi),
        )
        for hours in (rng.uniform(1.5, 4), rng.uniform(8, 16), rng.uniform(30, 70))
    )
    jumps = tuple(
        (rng.uniform(listed_at, planned_at), rng.choice((-1, 1)) * rng.uniform(0.08, 0.35))
        for _ in range(rng.choice((0, 1, 1, 2, 3)))
    )
    pauses = tuple(
        (moment, moment + rng.uniform(60, 240)) for moment, size in jumps if abs(size) > 0.18
    )
    is_moved = rng.random() < 0.015
    side_draw = rng.random()
    is_swapped = discipline.style is Style.PEOPLE and rng.random() < 0.2
    liquidity = min(1.0, max(0.02, league.popularity * rng.uniform(0.55, 1.05)))
    return Fixture(
        league=league,
        uid=uid,
        feed_id=f"{rng.getrandbits(128):032x}",
        home=home,
        away=away,
        planned_at=planned_at,
        listed_at=listed_at,
        moved_at=planned_at - rng.uniform(1800, 14400) if is_moved else math.inf,
        moved_by=rng.choice((7200.0, DAY_S, DAY_S, 2 * DAY_S)) if is_moved else 0.0,
        late_s=float(rng.choice((rng.randint(3, 90), rng.randint(30, 420)))),
        start_shift_s=float(rng.choice(discipline.start_shift_s)),
        strength=strength,
        waves=waves,
        jumps=jumps,
        swings=_swings(rng, league, strength),
        pauses=pauses,
        on_feed=side_draw >= 0.03,
        on_exchange=side_draw < 0.93 - 0.12 * (1 - league.popularity),
        is_swapped=is_swapped,
        goes_in_play=rng.random() < league.popularity + 0.25,
        liquidity=liquidity,
        event_name=_event_name(league, home.exchange, away.exchange, is_swapped=is_swapped),
        competition=league.competition,
    )
