"""Fixtures of both lists read into sides that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from kos.domain.market.outcomes import is_draw
from kos.domain.matching.aliases import Knowledge
from kos.domain.matching.fixtures import BookmakerFixture, ExchangeFixture
from kos.domain.matching.normalise import (
    competition_gate,
    fold,
    is_hidden,
    split_event,
    sport_key_gate,
    strip_marks,
)
from kos.domain.matching.rules import rules_of
from kos.domain.matching.sides import OTHER_KIND, POSSIBLE, Side, Similarity, compare


class LeftEvent:
    """A bookmaker fixture with its sides."""

    __slots__ = ("away", "candidates", "fixture", "home", "minute")

    def __init__(self, fixture: BookmakerFixture, home: Side, away: Side) -> None:
        self.fixture = fixture
        self.minute = _minute(fixture.kickoff)
        self.home = home
        self.away = away
        self.candidates: list[CandidateEvent] = []


class RightEvent:
    """An exchange fixture with its sides; a team may print under two names there."""

    __slots__ = ("away", "claims", "fixture", "home", "minute")

    def __init__(
        self, fixture: ExchangeFixture, home: tuple[Side, ...], away: tuple[Side, ...]
    ) -> None:
        self.fixture = fixture
        self.minute = _minute(fixture.kickoff)
        self.home = home
        self.away = away
        self.claims: list[CandidateEvent] = []


class CandidateEvent:
    """One exchange event near one bookmaker event, in the better of both orders."""

    __slots__ = (
        "apart", "away", "home", "is_swapped", "left", "other_order", "right", "right_away", "right_home",
    )  # fmt: skip

    def __init__(
        self,
        left: LeftEvent,
        right: RightEvent,
        home: tuple[Similarity, Side],
        away: tuple[Similarity, Side],
        *,
        is_swapped: bool,
        other_order: tuple[float, float],
    ) -> None:
        self.left = left
        self.right = right
        self.apart = right.minute - left.minute
        """Minutes from the bookmaker's kickoff to the exchange's."""
        self.home, self.right_home = home
        self.away, self.right_away = away
        self.is_swapped = is_swapped
        self.other_order = other_order
        """Scores of the weaker and the stronger side in the order that was not chosen."""


def _minute(moment: datetime) -> float:
    return moment.timestamp() / 60


class SideReader:
    """Makes the sides of one sport and remembers them, and says how sure two are one.

    Args:
        sport: The sport's key.
        knowledge: The tables of known names; None to do without.
        settled: Pairs an operator confirmed (True) or banned (False), by folded names.
    """

    def __init__(
        self, sport: str, knowledge: Knowledge | None, settled: Mapping[tuple[str, str], bool]
    ) -> None:
        self.sport = sport
        self.rules = rules_of(sport)
        self._knowledge = knowledge
        self._settled = settled
        self._sides: dict[tuple[str, bool | None, str, str], Side] = {}

    def __len__(self) -> int:
        return len(self._sides)

    def forget(self) -> None:
        """Forget all names read so far."""
        self._sides.clear()

    def side(self, name: str, *, women: bool | None, age: str, country: str = "") -> Side:
        """The side for a name, under what its competition says of all sides."""
        key = (name, women, age, country)
        side = self._sides.get(key)
        if side is None:
            side = self._sides[key] = Side(
                name,
                sport=self.sport,
                is_person=self.rules.is_person,
                knowledge=self._knowledge,
                women=women,
                age=age,
                country=country,
            )
        return side

    def alike(self, one: Side, other: Side) -> float:
        """How sure two sides of one list are one, by names alone."""
        return compare(one, other, self._knowledge).value

    def score(self, left: Side, right: Side) -> Similarity:
        """How sure a bookmaker's side and an exchange side are one; the operator's word first."""
        if self._settled:
            word = self._settled.get((fold(left.name).strip(), fold(right.name).strip()))
            if word is False:
                return Similarity(0.0, "an operator has rejected this match")
            if word and compare(left, right, self._knowledge) is not OTHER_KIND:
                return Similarity(1.0, "an operator has confirmed this match")
        return compare(left, right, self._knowledge)

    def is_settled(self, left: Side, right: Side) -> bool:
        """Whether an operator has said anything of the two names."""
        return (fold(left.name).strip(), fold(right.name).strip()) in self._settled

    def best(self, left: Side, rights: tuple[Side, ...]) -> tuple[Similarity, Side]:
        """The best of an exchange side's names for a bookmaker's side."""
        if len(rights) == 1:
            return self.score(left, rights[0]), rights[0]
        return max(((self.score(left, r), r) for r in rights), key=lambda scored: scored[0].value)

    def left_event(self, fixture: BookmakerFixture) -> LeftEvent:
        """A bookmaker fixture with its sides."""
        gate = sport_key_gate(fixture.sport_key)
        women = self._is_womens((fixture.home, fixture.away), gate.women)
        country = country_of(fixture.sport_key)
        home, away = (
            self.side(name, women=women, age=gate.age, country=country)
            for name in (fixture.home, fixture.away)
        )
        return LeftEvent(fixture, home, away)

    def right_event(self, fixture: ExchangeFixture) -> RightEvent | None:
        """An exchange fixture with its sides; None where it is hidden or not of two sides.

        A mark on one side, on a runner or in the competition's name makes all of it women's:
        the exchange cuts long names and loses marks first.
        """
        names = split_event(fixture.name)
        if names is None or is_hidden(fixture.competition):
            return None
        runners = [r for r in fixture.runners if not is_draw(r)]
        gate = competition_gate(fixture.competition)
        women = self._is_womens((*names, *runners), gate.women)
        home, away = (self.side(n, women=women, age=gate.age) for n in names)
        if len(runners) != 2 or set(runners) == set(names):  # noqa: PLR2004 - a match has two sides
            return RightEvent(fixture, (home,), (away,))
        first, second = (self.side(n, women=women, age=gate.age) for n in runners)
        return RightEvent(fixture, *self._with_runners(home, away, first, second))

    def _is_womens(self, names: Sequence[str], women: bool | None) -> bool | None:
        if any(strip_marks(name, self.sport).marks.women for name in names):
            return True
        return False if women is None and self.rules.is_unmarked_mens else women

    def _with_runners(
        self, home: Side, away: Side, first: Side, second: Side
    ) -> tuple[tuple[Side, ...], tuple[Side, ...]]:
        """Each side with its runner's name, found by likeness and not by place.

        A team may go by either name. A person goes by the fuller one, so that a runner's given
        name can contradict.
        """
        straight = min(self.alike(first, home), self.alike(second, away))
        turned = min(self.alike(second, home), self.alike(first, away))
        if max(straight, turned) < POSSIBLE or abs(straight - turned) < _CLEAR:
            return (home,), (away,)
        if turned > straight:
            first, second = second, first
        if self.rules.is_person:
            return (_fuller(home, first),), (_fuller(away, second),)
        return (
            (home,) if first is home else (home, first),
            (away,) if second is away else (away, second),
        )


_CLEAR = 0.05


def _fuller(side: Side, runner: Side) -> Side:
    return runner if len(runner.compact) >= len(side.compact) else side


_COUNTRIES = (
    "argentina", "australia", "austria", "belgium", "brazil", "chile", "china", "denmark", "england", "finland",
    "france", "germany", "greece", "italy", "japan", "korea", "mexico", "netherlands", "norway", "poland", "portugal",
    "russia", "saudi", "spain", "sweden", "switzerland", "turkey", "usa", "ireland", "scotland",
)  # fmt: skip


def country_of(sport_key: str) -> str:
    """The country of a domestic football key, as the tables head it; empty for cups of many."""
    if not sport_key.startswith("soccer_"):
        return ""
    if sport_key.startswith(("soccer_epl", "soccer_efl", "soccer_fa_cup")):
        return "england"
    if sport_key.startswith("soccer_spl"):
        return "scotland"
    return next((c for c in _COUNTRIES if c in sport_key), "")
