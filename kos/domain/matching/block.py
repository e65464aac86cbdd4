"""All events of one exchange sport, matched together: the block within which one-to-one holds."""

# ruff: noqa: PLR0911 - each verdict is its own way out

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from kos.domain.market.quotes import Verdict
from kos.domain.matching.aliases import Knowledge
from kos.domain.matching.events import (
    CandidateEvent,
    LeftEvent,
    RightEvent,
    SideReader,
    country_of,
)
from kos.domain.matching.fixtures import (
    BookmakerFixture,
    Evidence,
    ExchangeFixture,
    FixtureMatch,
    OutcomesRefused,
    SideEvidence,
)
from kos.domain.matching.normalise import competition_gate, sport_key_gate
from kos.domain.matching.roster import EXACT, Roster
from kos.domain.matching.sides import POSSIBLE, SURE, Side, Similarity

_NEAR = 0.55
"""From here on a pair that is not taken is worth a person's question."""
_MARGIN = 0.1
"""By this much one pair must beat another."""
_TRACE = 0.2
"""From here on two names share a word, be it a common one."""
_PLAIN = 0.93
"""How sure both sides must be where the kickoffs lie far apart."""
_WITNESS = 0.84
"""How sure the other side must be where one side is only possible."""


_MOST_SIDES = 20_000
"""Remembered names of a sport before its memory is cleared; a day prints a thousand."""


class Judged:
    """A candidate after aliases, learning, rivals and kickoff have had their say."""

    __slots__ = ("away", "candidate", "home", "is_accepted", "note", "strong", "weak")

    def __init__(
        self,
        candidate: CandidateEvent,
        home: tuple[Similarity, str],
        away: tuple[Similarity, str],
        tight: int,
    ) -> None:
        self.candidate = candidate
        self.home, self.away = home[0], away[0]
        self.weak, self.strong = sorted((self.home.value, self.away.value))
        self.note = home[1] or away[1]
        apart = abs(candidate.apart)
        needed = POSSIBLE if self.strong >= _WITNESS else SURE
        if apart > 2 * tight:
            needed = _PLAIN
        elif apart > tight:
            needed = SURE
        self.is_accepted = not self.note and self.weak >= needed

    def order(self) -> tuple[float, float, float, str, str]:
        """Best first, and the same in whatever order events come."""
        c = self.candidate
        return (-self.weak, abs(c.apart), -self.strong, c.right.fixture.id, c.left.fixture.id)


class Block:
    """Every event of one sport on both sides, with all that has been worked out about them.

    Verdicts hang on everything listed; what is kept is keyed by the state of the lists, so that
    a decision after a small change costs the events of one sport key and not the whole block.

    Args:
        sport: The sport's key: ``soccer``.
        knowledge: The tables of known names; None to do without.
        settled: Pairs an operator confirmed (True) or banned (False), by folded names.
        learning: Whether names may be learnt from whom they meet.
    """

    def __init__(
        self,
        sport: str,
        knowledge: Knowledge | None,
        settled: Mapping[tuple[str, str], bool],
        *,
        learning: bool,
    ) -> None:
        self._reader = SideReader(sport, knowledge, settled)
        self._rules = self._reader.rules
        self._roster = Roster(self._reader)
        self._learning = learning
        self._left: dict[str, dict[str, LeftEvent]] = {}
        self._listed: dict[str, tuple[BookmakerFixture, ...]] = {}
        self._right: tuple[ExchangeFixture, ...] = ()
        self._right_events: dict[ExchangeFixture, RightEvent | None] = {}
        self._answers: dict[str, list[FixtureMatch]] = {}

    # What is listed ------------------------------------------------------------------------

    def set_left(self, sport_key: str, fixtures: Sequence[BookmakerFixture]) -> None:
        """Replace the bookmaker events of one sport key."""
        listed = tuple(fixtures)
        if self._listed.get(sport_key, ()) == listed:
            return
        self._listed[sport_key] = listed
        self._answers.clear()
        events = self._left.get(sport_key, {})
        now = {fixture.id: fixture for fixture in listed}
        for name, event in list(events.items()):
            if now.get(name) != event.fixture:
                self._take_off(events.pop(name))
        self._left[sport_key] = events
        for name, fixture in now.items():
            if name not in events:
                events[name] = self._put_on(self._reader.left_event(fixture))

    def set_right(self, fixtures: Sequence[ExchangeFixture]) -> None:
        """Replace the exchange events of this sport."""
        listed = tuple(fixtures)
        if self._right == listed:
            return
        self._right = listed
        self._answers.clear()
        right_events = self._right_events
        if len(self._reader) > _MOST_SIDES:
            self._reader.forget()
            right_events = {}
            self._left = {
                key: {name: self._reader.left_event(one.fixture) for name, one in events.items()}
                for key, events in self._left.items()
            }
        self._right_events = {
            f: right_events[f] if f in right_events else self._reader.right_event(f) for f in listed
        }
        events = [event for event in self._right_events.values() if event is not None]
        for event in events:
            event.claims = []
        self._roster = Roster(self._reader, events)
        for left in self._left.values():
            for one in left.values():
                self._put_on(one)

    def _put_on(self, event: LeftEvent) -> LeftEvent:
        event.candidates = self._candidates(event)
        for candidate in event.candidates:
            candidate.right.claims.append(candidate)
        self._roster.add(event)
        return event

    def _take_off(self, event: LeftEvent) -> None:
        for candidate in event.candidates:
            candidate.right.claims.remove(candidate)
        self._roster.remove(event)

    # What could be what --------------------------------------------------------------------

    def _candidates(self, left: LeftEvent) -> list[CandidateEvent]:
        """Exchange events within the window that have a side like one of this event's."""
        window, start = self._rules.window, left.minute
        near = {
            id(event): event
            for side in (left.home, left.away)
            for partner in self._roster.partners(side)
            for event in self._roster.events_of(partner)
            if abs(event.minute - start) <= window
        }
        made = (self._candidate(left, event) for event in near.values())
        return [candidate for candidate in made if candidate is not None]

    def _candidate(self, left: LeftEvent, right: RightEvent) -> CandidateEvent | None:
        best = self._reader.best
        hh, aa = best(left.home, right.home), best(left.away, right.away)
        ha, ah = best(left.home, right.away), best(left.away, right.home)
        straight = sorted((hh[0].value, aa[0].value))
        turned = sorted((ha[0].value, ah[0].value))
        if max(straight[1], turned[1]) < POSSIBLE:
            return None
        is_swapped = turned > straight
        worse = straight if is_swapped else turned
        return CandidateEvent(
            left,
            right,
            ha if is_swapped else hh,
            ah if is_swapped else aa,
            is_swapped=is_swapped,
            other_order=(worse[0], worse[1]),
        )

    # What is what --------------------------------------------------------------------------

    def answers(self, sport_key: str) -> list[FixtureMatch]:
        """One verdict per event of the sport key, in its order."""
        verdicts = self._answers.get(sport_key)
        if verdicts is None:
            events = self._left.get(sport_key, {})
            verdicts = self._answers[sport_key] = [
                self._verdict(events[fixture.id]) for fixture in self._listed.get(sport_key, ())
            ]
        return verdicts

    def _judge(self, candidate: CandidateEvent) -> Judged:
        left, weigh = candidate.left, self._roster.weigh
        return Judged(
            candidate,
            weigh(left.home, candidate.right_home, learning=self._learning),
            weigh(left.away, candidate.right_away, learning=self._learning),
            self._rules.tight,
        )

    def _verdict(self, left: LeftEvent) -> FixtureMatch:
        judged = sorted(map(self._judge, left.candidates), key=Judged.order)
        if not judged:
            return _nothing(left)
        best = judged[0]
        if best.weak < _NEAR or best.strong < SURE:
            return _said(best, Verdict.NONE, "the other side is another team", None)
        claims = (self._judge(c) for c in best.candidate.right.claims if c is not best.candidate)
        rivals = sorted(
            (j for j in (*judged[1:], *claims) if j.candidate is not best.candidate and j.weak >= POSSIBLE),
            key=Judged.order,
        )  # fmt: skip
        unbeaten = [rival for rival in rivals if not self._beats(best, rival)]
        runner_up = next(iter(unbeaten or rivals), None)
        if unbeaten:
            if self._beats(unbeaten[0], best):
                why = "another event fits this exchange event better"
                return _said(best, Verdict.NONE, why, runner_up)
            return _said(best, Verdict.DOUBT, "a runner-up is too near", runner_up)
        if _is_turnable(best):
            return _said(best, Verdict.DOUBT, "home side unknown", runner_up)
        if best.is_accepted:
            return _said(best, Verdict.MATCH, "both sides and the kickoff agree", runner_up)
        if best.weak < POSSIBLE and not best.note:
            return _said(best, Verdict.NONE, "one side does not agree", runner_up)
        why = best.note or "a side is not sure enough for these kickoffs"
        return _said(best, Verdict.DOUBT, why, runner_up)

    def _beats(self, one: Judged, other: Judged) -> bool:
        """Whether one pair is clearly better than a pair that shares an event with it.

        A pair that beats all that share an event with it stands in every best one-to-one
        assignment: exchanging it for any of them would lose. So no assignment need be solved.
        """
        if abs(one.weak - other.weak) >= _MARGIN:
            return one.weak > other.weak
        return abs(one.candidate.apart) + self._rules.clear <= abs(other.candidate.apart)

    # Outcomes ------------------------------------------------------------------------------

    def outcome_scores(
        self, left: BookmakerFixture, right: ExchangeFixture, runners: Sequence[str]
    ) -> Callable[[str, str], float] | OutcomesRefused:
        """How sure an outcome of one event and a runner of the other are the same side.

        An outcome stands for the bookmaker's side of its name, a runner for itself and for the
        exchange event's side that it is like; what the rosters have taught of the names counts.
        """
        named = msgspec.structs.replace(right, runners=tuple(runners) or right.runners)
        read = self._reader.right_event(named)
        if read is None:
            return OutcomesRefused(f"{right.name!r} has no two sides")
        event = self._reader.left_event(left)
        sides = {left.home: event.home, left.away: event.away}
        age, country = sport_key_gate(left.sport_key).age, country_of(left.sport_key)
        places = self._places(read, runners)

        def score(outcome: str, runner: str) -> float:
            side = sides.get(outcome) or self._reader.side(
                outcome, women=event.home.women, age=age, country=country
            )
            return max(self._sureness(side, place) for place in places[runner])

        return score

    def _sureness(self, left: Side, right: Side) -> float:
        sureness = self._reader.score(left, right).value
        if sureness < SURE and self._learning and self._roster.learnt(left, right):
            return SURE
        return sureness

    def _places(self, right: RightEvent, runners: Sequence[str]) -> dict[str, tuple[Side, ...]]:
        """For each runner its own side and the event's names of the same side."""
        age = competition_gate(right.fixture.competition).age
        places: dict[str, tuple[Side, ...]] = {}
        for name in runners:
            own = self._reader.side(name, women=right.home[0].women, age=age)
            like, names = max(
                (
                    (max(self._reader.alike(own, place) for place in names), names)
                    for names in (right.home, right.away)
                ),
                key=lambda entry: entry[0],
            )
            places[name] = (own, *names) if like >= POSSIBLE else (own,)
        return places


def _is_turnable(best: Judged) -> bool:
    """Whether the other order of the two sides is too good to be sure of this one.

    A sure order must be clearly better; one that is only possible must stand against nothing.
    """
    weaker, stronger = best.candidate.other_order
    if best.weak < SURE and stronger >= _TRACE:
        return True
    return weaker >= best.weak - (0.07 if best.weak >= EXACT else 0.15)


def _nothing(left: LeftEvent) -> FixtureMatch:
    reason = "no exchange event near this kick-off has a similar name"
    evidence = Evidence(reason, left_kickoff=left.fixture.kickoff)
    return FixtureMatch(left.fixture.id, None, Verdict.NONE, 0.0, False, evidence)  # noqa: FBT003 - not swapped


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
        c.is_swapped and verdict is not Verdict.NONE,
        Evidence(
            reason=reason,
            home=SideEvidence(left.home, c.right_home.name, judged.home.value, judged.home.why),
            away=SideEvidence(left.away, c.right_away.name, judged.away.value, judged.away.why),
            left_kickoff=left.kickoff,
            right_kickoff=right.kickoff,
            right_name=right.name,
            competition=right.competition,
            rival=rival,
            margin=margin,
        ),
    )
