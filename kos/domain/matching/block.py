# ruff: noqa: PLR0911, PLR2004, SLF001 - thresholds are said where they decide; the two classes are one mechanism
"""All events of one exchange sport, matched together: the block within which one-to-one holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from kos.domain.market import Verdict
from kos.domain.matching.aliases import Knowledge
from kos.domain.matching.fixtures import (
    BookmakerFixture,
    Evidence,
    ExchangeFixture,
    FixtureMatch,
    Refusal,
    SideEvidence,
)
from kos.domain.matching.normalise import (
    competition_gate,
    is_hidden,
    split_event,
    sport_key_gate,
    strip_marks,
)
from kos.domain.matching.sides import (
    POSSIBLE,
    SURE,
    Score,
    Side,
    compare,
    folded,
    keys,
    partner_keys,
)


class Rules(msgspec.Struct, frozen=True):
    """How far kickoffs may lie apart in one sport, in minutes."""

    window: int
    """Farther apart is another event."""
    tight: int
    """Within this a possible side may be taken where the other side is sure."""
    clear: int
    """How much nearer than a runner-up of the same names one kickoff must be."""
    rest: int
    """No side starts twice within this time: two names that do are two sides."""
    is_person: bool = False
    is_unmarked_mens: bool = True
    """A side without a women's mark is a men's side."""


_DEFAULT = Rules(window=90, tight=30, clear=30, rest=600)
_RULES = {
    "soccer": Rules(window=180, tight=30, clear=45, rest=900),
    "cricket": Rules(window=150, tight=60, clear=45, rest=300),
    "tennis": Rules(window=420, tight=420, clear=60, rest=45, is_person=True, is_unmarked_mens=False),
    "mma": Rules(window=360, tight=360, clear=60, rest=600, is_person=True, is_unmarked_mens=False),
    "boxing": Rules(window=360, tight=360, clear=60, rest=600, is_person=True, is_unmarked_mens=False),
    "darts": Rules(window=240, tight=240, clear=60, rest=60, is_person=True, is_unmarked_mens=False),
    "snooker": Rules(window=240, tight=240, clear=60, rest=60, is_person=True, is_unmarked_mens=False),
    "baseball": Rules(window=90, tight=45, clear=30, rest=60),
    "rugbyleague": Rules(window=60, tight=30, clear=30, rest=600),
    "rugbyunion": Rules(window=60, tight=30, clear=30, rest=600),
    "aussierules": Rules(window=60, tight=30, clear=30, rest=600),
    "handball": Rules(window=60, tight=30, clear=30, rest=600),
}  # fmt: skip


class LeftEvent:
    """A bookmaker fixture with its sides made comparable."""

    __slots__ = ("away", "candidates", "fixture", "home", "minute")

    def __init__(self, fixture: BookmakerFixture, home: Side, away: Side) -> None:
        self.fixture = fixture
        self.minute = _minute(fixture.kickoff)
        self.home = home
        self.away = away
        self.candidates: list[Candidate] | None = None


class RightEvent:
    """An exchange fixture with its sides made comparable; a side may print under two names."""

    __slots__ = ("away", "fixture", "home", "minute")

    def __init__(
        self, fixture: ExchangeFixture, home: tuple[Side, ...], away: tuple[Side, ...]
    ) -> None:
        self.fixture = fixture
        self.minute = _minute(fixture.kickoff)
        self.home = home
        self.away = away


class Candidate:
    """One exchange event near one bookmaker event, in its better orientation."""

    __slots__ = (
        "apart",
        "away",
        "home",
        "is_swapped",
        "is_turnable",
        "left",
        "right",
        "right_away",
        "right_home",
    )

    def __init__(self, left: LeftEvent, right: RightEvent, apart: float) -> None:
        self.left = left
        self.right = right
        self.apart = apart
        self.is_swapped = False
        self.is_turnable = False
        self.home = self.away = NOTHING
        self.right_home = self.right_away = right.home[0]


NOTHING = Score(0.0, "nothing in common")


class Judged:
    """A candidate after aliases, rivals and kickoff have had their say."""

    __slots__ = ("candidate", "is_accepted", "note", "strong", "weak", "why_away", "why_home")

    def __init__(self, candidate: Candidate, home: Score, away: Score) -> None:
        self.candidate = candidate
        self.weak, self.strong = sorted((home.value, away.value))
        self.why_home = home
        self.why_away = away
        self.is_accepted = False
        self.note = ""


def _minute(moment: datetime) -> float:
    return moment.timestamp() / 60


class SideStore:
    """Makes sides and remembers them: the same name is read once."""

    def __init__(self, knowledge: Knowledge | None) -> None:
        self.knowledge = knowledge
        self._sides: dict[tuple[str, str, bool | None, str, str], Side] = {}

    def get(
        self, name: str, sport: str, *, women: bool | None, age: str, country: str = ""
    ) -> Side:
        """The side for a name under what its competition says of it."""
        key = (sport, name, women, age, country)
        found = self._sides.get(key)
        if found is None:
            rules = _RULES.get(sport, _DEFAULT)
            found = self._sides[key] = Side(
                name,
                sport=sport,
                is_person=rules.is_person,
                knowledge=self.knowledge,
                women=women,
                age=age,
                country=country,
            )
        return found

    def __len__(self) -> int:
        return len(self._sides)


class Block:
    """Every event of one sport on both sides, with all that has been worked out about them.

    Args:
        sport: The sport's key: ``soccer``.
        store: Where sides are kept.
        settled: Pairs an operator confirmed (True) or banned (False), by folded names.
        learning: Whether names may be learnt from whom they meet.
    """

    def __init__(
        self,
        sport: str,
        store: SideStore,
        settled: Mapping[tuple[str, str], bool],
        *,
        learning: bool,
    ) -> None:
        self.sport = sport
        self.rules = _RULES.get(sport, _DEFAULT)
        self._store = store
        self._settled = settled
        self._learning = learning
        self._left: dict[str, tuple[BookmakerFixture, ...]] = {}
        self._left_events: dict[str, list[LeftEvent]] = {}
        self._right: tuple[ExchangeFixture, ...] = ()
        self._right_events: list[RightEvent] = []
        self._parsed_left: dict[BookmakerFixture, LeftEvent] = {}
        self._events_of_right: dict[Side, list[RightEvent]] = {}
        self._right_by_key: dict[str, list[Side]] = {}
        self._competitions_of: dict[Side, set[str]] = {}
        self._partners: dict[Side, list[Side]] = {}
        self._answers: dict[str, list[FixtureMatch]] | None = None
        self._learnt: dict[tuple[Side, Side], str] = {}

    # What is listed ------------------------------------------------------------------------

    def set_left(self, sport_key: str, fixtures: Sequence[BookmakerFixture]) -> None:
        """Replace the bookmaker events of one sport key."""
        listed = tuple(fixtures)
        if self._left.get(sport_key) == listed:
            return
        former = {e.fixture: e for e in self._left_events.get(sport_key, ())}
        self._left[sport_key] = listed
        self._left_events[sport_key] = [former.get(f) or self._read_left(f) for f in listed]
        self._answers = None

    def set_right(self, fixtures: Sequence[ExchangeFixture]) -> None:
        """Replace the exchange events of this sport."""
        listed = tuple(fixtures)
        if self._right == listed:
            return
        known = {e.fixture: e for e in self._right_events}
        self._right = listed
        self._right_events = [
            event for f in listed if (event := known.get(f) or self._read_right(f)) is not None
        ]
        self._index_right()
        self._partners.clear()
        for lefts in self._left_events.values():
            for left in lefts:
                left.candidates = None
        self._answers = None

    def _read_left(self, fixture: BookmakerFixture) -> LeftEvent:
        gate = sport_key_gate(fixture.sport_key)
        women = gate.women
        marked = [strip_marks(name, self.sport).marks for name in (fixture.home, fixture.away)]
        if any(marks.women for marks in marked):
            women = True
        elif women is None and self.rules.is_unmarked_mens:
            women = False
        country = country_of(fixture.sport_key)
        home, away = (
            self._store.get(name, self.sport, women=women, age=gate.age, country=country)
            for name in (fixture.home, fixture.away)
        )
        return LeftEvent(fixture, home, away)

    def _read_right(self, fixture: ExchangeFixture) -> RightEvent | None:
        names = split_event(fixture.name)
        if names is None or is_hidden(fixture.competition):
            return None
        gate = competition_gate(fixture.competition)
        women = gate.women
        runners = [r for r in fixture.runners if not is_draw(r)]
        if any(strip_marks(name, self.sport).marks.women for name in (*names, *runners)):
            women = True
        elif women is None and self.rules.is_unmarked_mens:
            women = False
        sides = [self._store.get(n, self.sport, women=women, age=gate.age) for n in names]
        others = [
            self._store.get(n, self.sport, women=women, age=gate.age)
            for n in runners
            if n not in names
        ]
        home, away = sides
        if not others or len(runners) != 2:
            return RightEvent(fixture, (home,), (away,))
        return RightEvent(fixture, *self._with_runners(home, away, runners, women, gate.age))

    def _with_runners(
        self, home: Side, away: Side, runners: Sequence[str], women: bool | None, age: str
    ) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
        """Each side with its runner's name, which may be fuller; by likeness, not by place."""
        knowledge = self._store.knowledge
        first, second = (self._store.get(n, self.sport, women=women, age=age) for n in runners)
        straight = min(
            compare(first, home, knowledge).value, compare(second, away, knowledge).value
        )
        turned = min(compare(second, home, knowledge).value, compare(first, away, knowledge).value)
        if max(straight, turned) < POSSIBLE or abs(straight - turned) < 0.05:
            return (home,), (away,)
        if turned > straight:
            first, second = second, first
        if self.rules.is_person:
            return (_fuller(home, first),), (_fuller(away, second),)
        return (
            (home,) if first is home else (home, first),
            (away,) if second is away else (away, second),
        )

    def _index_right(self) -> None:
        self._events_of_right = {}
        by_key: dict[str, list[Side]] = defaultdict(list)
        for event in self._right_events:
            for side in (*event.home, *event.away):
                events = self._events_of_right.get(side)
                if events is None:
                    events = self._events_of_right[side] = []
                    for key in keys(side):
                        by_key[key].append(side)
                events.append(event)
        self._right_by_key = by_key
        self._competitions_of = {
            side: {e.fixture.competition for e in events}
            for side, events in self._events_of_right.items()
        }

    # What could be what --------------------------------------------------------------------

    def _partners_of(self, left: Side) -> list[Side]:
        """Right sides that score anything against a left side, best first."""
        found = self._partners.get(left)
        if found is None:
            near = {s for key in partner_keys(left) for s in self._right_by_key.get(key, ())}
            scored = [s for s in near if self._score(left, s).value >= _HINT]
            scored.sort(key=lambda s: (-self._score(left, s).value, s.name))
            found = self._partners[left] = scored
        return found

    def _score(self, left: Side, right: Side) -> Score:
        if self._settled:
            settled = self._settled.get((folded(left.name), folded(right.name)))
            if settled is False:
                return Score(0.0, "an operator has said these are two")
            if settled:
                found = compare(left, right, self._store.knowledge)
                return (
                    found
                    if found.why.startswith("another kind")
                    else Score(1.0, "an operator has confirmed it")
                )
        return compare(left, right, self._store.knowledge)

    def _best(self, left: Side, rights: tuple[Side, ...]) -> tuple[Score, Side]:
        best, at = self._score(left, rights[0]), rights[0]
        for right in rights[1:]:
            score = self._score(left, right)
            if score.value > best.value:
                best, at = score, right
        return best, at

    def _candidates_of(self, left: LeftEvent) -> list[Candidate]:
        found = left.candidates
        if found is None:
            window = self.rules.window
            near: dict[int, RightEvent] = {}
            for side in (left.home, left.away):
                for partner in self._partners_of(side):
                    for event in self._events_of_right[partner]:
                        if abs(event.minute - left.minute) <= window:
                            near[id(event)] = event
            found = left.candidates = [
                candidate
                for event in near.values()
                if (candidate := self._candidate(left, event)) is not None
            ]
        return found

    def _candidate(self, left: LeftEvent, right: RightEvent) -> Candidate | None:
        hh, hh_side = self._best(left.home, right.home)
        aa, aa_side = self._best(left.away, right.away)
        ha, ha_side = self._best(left.home, right.away)
        ah, ah_side = self._best(left.away, right.home)
        made = Candidate(left, right, right.minute - left.minute)
        straight = (min(hh.value, aa.value), max(hh.value, aa.value))
        turned = (min(ha.value, ah.value), max(ha.value, ah.value))
        if straight >= turned:
            made.home, made.right_home, made.away, made.right_away = hh, hh_side, aa, aa_side
        else:
            made.home, made.right_home, made.away, made.right_away = ha, ha_side, ah, ah_side
            made.is_swapped = True
        if max(straight[1], turned[1]) < POSSIBLE:
            return None
        worse, better = sorted((straight[0], turned[0]))
        made.is_turnable = worse >= _HINT and worse >= better - (0.04 if better >= _EXACT else 0.15)
        return made

    def outcome_scores(
        self, left: BookmakerFixture, right: ExchangeFixture, runners: Sequence[str]
    ) -> Callable[[str, str], float] | Refusal:
        """How sure an outcome of one event and a runner of the other are the same side.

        The names decide where they can. Where a name says nothing (``OB``) the other side does,
        and what this block has learnt of the two names.
        """
        named = msgspec.structs.replace(right, runners=tuple(runners) or right.runners)
        read = self._read_right(named)
        if read is None:
            return Refusal(f"{right.name!r} has no two sides")
        event = self._read_left(left)
        sides = {left.home: event.home, left.away: event.away}
        gate = (event.home.women, sport_key_gate(left.sport_key).age)
        places = self._places(read, runners)
        learnt = self._learnt

        def score(outcome: str, runner: str) -> float:
            side = sides.get(outcome) or self._store.get(
                outcome, self.sport, women=gate[0], age=gate[1], country=country_of(left.sport_key)
            )
            return max(
                0.9 if (side, place) in learnt else self._score(side, place).value
                for place in places.get(runner, ())
            )

        return score

    def _places(self, right: RightEvent, runners: Sequence[str]) -> dict[str, tuple[Side, ...]]:
        """For each runner its own side and the event's name of the same side."""
        age = competition_gate(right.fixture.competition).age
        women = right.home[0].women
        own = [self._store.get(n, self.sport, women=women, age=age) for n in runners]
        found: dict[str, tuple[Side, ...]] = {}
        for name, side in zip(runners, own, strict=True):
            scored = sorted(
                ((compare(side, place, self._store.knowledge).value, places)
                 for places in (right.home, right.away) for place in places),
                key=lambda s: -s[0],
            )  # fmt: skip
            found[name] = (side,) if scored[0][0] < POSSIBLE else tuple({side, *scored[0][1]})
        return found

    # What is what --------------------------------------------------------------------------

    def answers(self, sport_key: str) -> list[FixtureMatch]:
        """One verdict per event of the sport key, in its order."""
        if self._answers is None:
            self._answers = self._resolve()
        return self._answers.get(sport_key, [])

    def _resolve(self) -> dict[str, list[FixtureMatch]]:
        events = [e for listed in self._left_events.values() for e in listed]
        candidates = {id(e): self._candidates_of(e) for e in events}
        world = _World(self, events)
        learnt = world.learn(candidates.values()) if self._learning else {}
        self._learnt = learnt
        judged = {id(e): [world.judge(c, learnt) for c in candidates[id(e)]] for e in events}
        claims: dict[int, list[Judged]] = defaultdict(list)
        for found in judged.values():
            for one in found:
                if one.weak >= POSSIBLE:
                    claims[id(one.candidate.right)].append(one)
        return {
            sport_key: [self._verdict(e, judged[id(e)], claims) for e in listed]
            for sport_key, listed in self._left_events.items()
        }

    def _verdict(
        self, left: LeftEvent, found: list[Judged], claims: Mapping[int, list[Judged]]
    ) -> FixtureMatch:
        if not found:
            return _nothing(left)
        found = sorted(
            found,
            key=lambda j: (
                -j.weak,
                abs(j.candidate.apart),
                -j.strong,
                j.candidate.right.fixture.id,
            ),
        )
        best = max(found, key=lambda j: j.weak >= POSSIBLE)
        rivals = [j for j in found if j is not best and j.weak >= POSSIBLE]
        rivals += [j for j in claims.get(id(best.candidate.right), ()) if j is not best]
        if best.weak < _NEAR or best.strong < SURE:
            return _said(best, Verdict.NONE, "the other side is another team", None)
        worst: Judged | None = None
        for rival in rivals:
            if not self._beats(best, rival) and (worst is None or _order(rival) < _order(worst)):
                worst = rival
        runner_up = worst or min(rivals, key=_order, default=None)
        if worst is not None:
            if self._beats(worst, best):
                return _said(
                    best, Verdict.NONE, "another event fits this exchange event better", runner_up
                )
            return _said(best, Verdict.DOUBT, "a runner-up is too near", runner_up)
        if best.candidate.is_turnable:
            return _said(best, Verdict.DOUBT, "which side is home cannot be told", runner_up)
        if not best.is_accepted:
            if best.weak < POSSIBLE and not best.note:
                return _said(best, Verdict.NONE, "one side does not agree", runner_up)
            return _said(best, Verdict.DOUBT, best.note or "one side is only possible", runner_up)
        return _said(best, Verdict.MATCH, "both sides and the kickoff agree", runner_up)

    def _beats(self, one: Judged, other: Judged) -> bool:
        """Whether one pair is clearly better than a pair that shares an event with it."""
        if one.weak >= other.weak + _MARGIN:
            return True
        if one.weak <= other.weak - _MARGIN:
            return False
        return abs(one.candidate.apart) + self.rules.clear <= abs(other.candidate.apart)


_HINT = 0.35
"""Below this two names are not even compared further."""
_NEAR = 0.55
"""From here on a pair that is not taken is worth a person's question."""
_MARGIN = 0.1
_EXACT = 0.97
"""From here on the two names print the same, or are known to be one team's."""


def _order(judged: Judged) -> tuple[float, float, str, str]:
    candidate = judged.candidate
    return (
        -judged.weak,
        abs(candidate.apart),
        candidate.right.fixture.id,
        candidate.left.fixture.id,
    )


class _World:
    """One look at the whole block: who plays whom when, and what follows for names."""

    def __init__(self, block: Block, events: Iterable[LeftEvent]) -> None:
        self._block = block
        self._rules = block.rules
        # One side may stand on both lists: times are kept apart, or a team would rival itself.
        self._left_times: dict[Side, list[float]] = defaultdict(list)
        self._right_times = {
            side: [e.minute for e in listed] for side, listed in block._events_of_right.items()
        }
        self._claimants: dict[Side, list[Side]] = defaultdict(list)
        for event in events:
            for side in (event.home, event.away):
                if side not in self._left_times:
                    for partner in block._partners_of(side):
                        self._claimants[partner].append(side)
                self._left_times[side].append(event.minute)

    def _are_two(self, one: list[float], other: list[float]) -> bool:
        """Whether two names of one list cannot be one side: they start at the same time."""
        rest = self._rules.rest
        return any(abs(a - b) < rest for a in one for b in other)

    def _may_be_one(self, one: Side, other: Side, times: Mapping[Side, list[float]]) -> bool:
        """Whether two names of one list may well be the same side."""
        first, second = times[one], times[other]
        if self._are_two(first, second):
            return False
        return self._alike(one, other) or min(len(first), len(second)) >= 3

    def _alike(self, one: Side, other: Side) -> bool:
        """Whether two names of one list are but two spellings; a person's may hold a slip."""
        enough = 0.86 if self._rules.is_person and len(one.core) == len(other.core) > 1 else _EXACT
        return compare(one, other, self._block._store.knowledge).value >= enough

    def learn(self, candidates: Iterable[list[Candidate]]) -> dict[tuple[Side, Side], str]:
        """Names that are one team because they meet the same partners at the same times."""
        met: dict[tuple[Side, Side], set[Side]] = defaultdict(set)
        for found in candidates:
            for c in found:
                if abs(c.apart) > self._rules.tight:
                    continue
                if c.home.value >= 0.9 > SURE > c.away.value:
                    met[c.left.away, c.right_away].add(c.left.home)
                elif c.away.value >= 0.9 > SURE > c.home.value:
                    met[c.left.home, c.right_home].add(c.left.away)
        of_left: dict[Side, list[tuple[Side, Side]]] = defaultdict(list)
        of_right: dict[Side, list[tuple[Side, Side]]] = defaultdict(list)
        for pair in met:
            of_left[pair[0]].append(pair)
            of_right[pair[1]].append(pair)
        learnt: dict[tuple[Side, Side], str] = {}
        for pair, partners in met.items():
            left, right = pair
            score = self._block._score(left, right)
            if score.why.startswith(("another kind", "an operator", "known names of different")):
                continue
            need = 2 if score.value >= _HINT else 3
            if len(partners) < need:
                continue
            others = [met[p] for p in (*of_left[left], *of_right[right]) if p != pair]
            if any(len(o) * 3 > len(partners) for o in others):
                continue
            if self._is_taken(left, right):
                continue
            learnt[pair] = f"learnt: both met the same {len(partners)} opponents at the same times"
        return learnt

    def _is_taken(self, left: Side, right: Side) -> bool:
        """Whether either name already has a sure partner that is another team."""
        block = self._block
        for other in block._partners_of(left):
            if (
                other is not right
                and block._score(left, other).value >= 0.9
                and not self._may_be_one(other, right, self._right_times)
            ):
                return True
        return any(
            other is not left
            and block._score(other, right).value >= 0.9
            and not self._may_be_one(other, left, self._left_times)
            for other in self._claimants[right]
        )

    def judge(self, candidate: Candidate, learnt: Mapping[tuple[Side, Side], str]) -> Judged:
        """A candidate's scores after learning and rivals, and whether it may be taken."""
        home, home_note = self._weigh(
            candidate.left.home, candidate.right_home, candidate.home, learnt
        )
        away, away_note = self._weigh(
            candidate.left.away, candidate.right_away, candidate.away, learnt
        )
        judged = Judged(candidate, home, away)
        judged.note = home_note or away_note
        apart = abs(candidate.apart)
        judged.is_accepted = not judged.note and (
            judged.weak >= SURE
            or (judged.weak >= POSSIBLE and judged.strong >= 0.9 and apart <= self._rules.tight)
        )
        return judged

    def _weigh(
        self, left: Side, right: Side, score: Score, learnt: Mapping[tuple[Side, Side], str]
    ) -> tuple[Score, str]:
        if (left, right) in learnt and score.value < 0.9:
            return Score(0.9, learnt[left, right]), ""
        if score.value >= _EXACT or score.value < _NEAR:
            return score, ""
        block = self._block
        margin = 0.03 if score.value >= SURE else -0.05
        for other in block._partners_of(left):
            rival = block._score(left, other).value
            if rival <= score.value + margin:
                break
            if other is not right and self._is_rival_on_exchange(other, right):
                return score, f"{left.name} fits {other.name} better than {right.name}"
        for other in self._claimants[right]:
            rival = block._score(other, right).value
            if (
                rival > score.value + margin
                and other is not left
                and not self._may_be_one(other, left, self._left_times)
            ):
                return score, f"{right.name} fits {other.name} better than {left.name}"
        return score, ""

    def _is_rival_on_exchange(self, other: Side, right: Side) -> bool:
        """Whether two exchange names are two teams of one list, and not one team in two spellings."""
        times = self._right_times
        if self._are_two(times[other], times[right]):
            return True
        if self._alike(other, right):
            return False
        listed = self._block._competitions_of
        if listed[other] & listed[right]:
            return not self._may_be_one(other, right, times)
        return min(len(times[other]), len(times[right])) < 2


def _fuller(side: Side, runner: Side) -> Side:
    """The one of two names of a person that says more."""
    return runner if len("".join(runner.core)) >= len("".join(side.core)) else side


def _nothing(left: LeftEvent) -> FixtureMatch:
    return FixtureMatch(
        left.fixture.id, None, Verdict.NONE, 0.0, is_swapped=False,
        evidence=Evidence("no exchange event has a like side near this kickoff", left_kickoff=left.fixture.kickoff),
    )  # fmt: skip


def _said(judged: Judged, verdict: Verdict, reason: str, runner_up: Judged | None) -> FixtureMatch:
    c = judged.candidate
    left, right = c.left.fixture, c.right.fixture
    rival, margin = "", None
    if runner_up is not None:
        other = runner_up.candidate
        rival = (
            f"{other.right.fixture.name} ({other.right.fixture.id})"
            if other.left is c.left
            else f"{other.left.fixture.home} v {other.left.fixture.away} ({other.left.fixture.id})"
        )
        margin = judged.weak - runner_up.weak
    return FixtureMatch(
        left.id,
        None if verdict is Verdict.NONE else right.id,
        verdict,
        round(judged.weak, 4),
        c.is_swapped,
        Evidence(
            reason=reason,
            home=SideEvidence(
                left.home, c.right_home.name, judged.why_home.value, judged.why_home.why
            ),
            away=SideEvidence(
                left.away, c.right_away.name, judged.why_away.value, judged.why_away.why
            ),
            left_kickoff=left.kickoff,
            right_kickoff=right.kickoff,
            right_name=right.name,
            competition=right.competition,
            rival=rival,
            margin=margin,
        ),
    )


_DRAWS = frozenset({"the draw", "draw", "tie", "x", "unentschieden", "match nul"})


def is_draw(name: str) -> bool:
    """Whether a runner or an outcome is the draw."""
    return folded(name) in _DRAWS


_COUNTRIES = (
    "argentina", "australia", "austria", "belgium", "brazil", "chile", "china", "denmark", "england", "finland",
    "france", "germany", "greece", "italy", "japan", "korea", "mexico", "netherlands", "norway", "poland", "portugal",
    "russia", "saudi", "spain", "sweden", "switzerland", "turkey", "usa", "ireland", "scotland",
)  # fmt: skip


def country_of(sport_key: str) -> str:
    """The country of a domestic football key, as the tables head it; empty for cups of many."""
    if sport_key.startswith(("soccer_epl", "soccer_efl", "soccer_fa_cup")):
        return "england"
    if sport_key.startswith("soccer_spl"):
        return "scotland"
    if not sport_key.startswith("soccer_"):
        return ""
    return next((c for c in _COUNTRIES if c in sport_key), "")
