"""Who is listed on either side, and what follows for names: rivals and acquaintances.

Two mechanisms. A *rival* is another name of the same roster that fits better; it turns a match into
a doubt. An *acquaintance* is learnt: two names that meet the same opponents at the same times, and
never otherwise, are one team however they are spelt.
"""

# ruff: noqa: PLR0911 - each finding is its own way out

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from kos.domain.matching.events import CandidateEvent, LeftEvent, RightEvent, SideReader
from kos.domain.matching.normalise import fold
from kos.domain.matching.sides import HINT, SURE, Side, Similarity, keys, partner_keys

EXACT = 0.97
"""From here on the two names print the same, or are known to be one team's."""
_KNOWN = 0.9
"""How sure an opponent must be to bear witness."""
_LEARNT = 0.93
"""How sure two names are one that were learnt to be."""
_ENOUGH = 3
"""Starts from which never overlapping says something."""
_ROSTER = 6
"""Names from which a roster may be called known."""

_Pair = tuple[Side, Side]


class Roster:
    """All names of one sport on both lists. The bookmaker's side is kept event by event.

    Args:
        reader: Tells how sure two sides are one.
        events: The exchange's events, as they stand for this roster's life.
    """

    def __init__(self, reader: SideReader, events: Sequence[RightEvent] = ()) -> None:
        self._reader = reader
        self._rest = reader.rules.rest
        self._tight = reader.rules.tight
        self._right_events: dict[Side, list[RightEvent]] = defaultdict(list)
        self._right_by_key: dict[str, list[Side]] = defaultdict(list)
        self._heads: dict[Side, set[str]] = defaultdict(set)
        self._left_times: dict[Side, list[float]] = defaultdict(list)
        self._left_keys: dict[Side, Counter[str]] = defaultdict(Counter)
        self._key_sizes: Counter[str] = Counter()
        self._partners: dict[Side, tuple[Side, ...]] = {}
        self._claimants: dict[Side, set[Side]] = defaultdict(set)
        self._met: dict[_Pair, Counter[Side]] = defaultdict(Counter)
        self._met_by_left: dict[Side, set[_Pair]] = defaultdict(set)
        self._met_by_right: dict[Side, set[_Pair]] = defaultdict(set)
        self._learnt: dict[_Pair, int] = {}
        self._weighed: dict[_Pair, tuple[Similarity, str]] = {}
        for event in events:
            head = _head(event.fixture.competition)
            for side in (*event.home, *event.away):
                self._right_events[side].append(event)
                self._heads[side].add(head)
        for side in self._right_events:
            for key in keys(side):
                self._right_by_key[key].append(side)
        self._head_sizes = Counter(head for heads in self._heads.values() for head in heads)

    # Who is listed -------------------------------------------------------------------------

    def events_of(self, right: Side) -> list[RightEvent]:
        """The exchange events of a side."""
        return self._right_events[right]

    def add(self, event: LeftEvent) -> None:
        """List a bookmaker event with its candidates."""
        key = event.fixture.sport_key
        for side in (event.home, event.away):
            if side not in self._left_times:
                for partner in self.partners(side):
                    self._claimants[partner].add(side)
            self._left_times[side].append(event.minute)
            self._left_keys[side][key] += 1
            self._key_sizes[key] += self._left_keys[side][key] == 1
        for pair, opponent in self._witnessed(event.candidates):
            self._met[pair][opponent] += 1
            self._met_by_left[pair[0]].add(pair)
            self._met_by_right[pair[1]].add(pair)
        self._forget_conclusions()

    def remove(self, event: LeftEvent) -> None:
        """Take a bookmaker event off again."""
        key = event.fixture.sport_key
        for side in (event.home, event.away):
            self._left_keys[side][key] -= 1
            self._key_sizes[key] -= self._left_keys[side][key] == 0
            self._left_times[side].remove(event.minute)
            if not self._left_times[side]:
                del self._left_times[side], self._left_keys[side]
                for partner in self.partners(side):
                    self._claimants[partner].discard(side)
        for pair, opponent in self._witnessed(event.candidates):
            met = self._met[pair]
            met[opponent] -= 1
            if met[opponent] == 0:
                del met[opponent]
            if not met:
                del self._met[pair]
                self._met_by_left[pair[0]].discard(pair)
                self._met_by_right[pair[1]].discard(pair)
        self._forget_conclusions()

    def _forget_conclusions(self) -> None:
        """What was concluded from the lists no longer holds: they have changed."""
        self._learnt.clear()
        self._weighed.clear()

    # Who could be whom ---------------------------------------------------------------------

    def partners(self, left: Side) -> tuple[Side, ...]:
        """Exchange sides that score anything against a bookmaker's side, best first."""
        partners = self._partners.get(left)
        if partners is None:
            near = {s for key in partner_keys(left) for s in self._right_by_key.get(key, ())}
            scored = [
                (-value, side.name, side)
                for side in near
                if (value := self._reader.score(left, side).value) >= HINT
            ]
            scored.sort(key=lambda entry: entry[:2])
            partners = self._partners[left] = tuple(entry[2] for entry in scored)
        return partners

    # Rivals --------------------------------------------------------------------------------

    def weigh(self, left: Side, right: Side, *, learning: bool) -> tuple[Similarity, str]:
        """How sure two sides are one within these rosters, and what speaks against it."""
        weighed = self._weighed.get((left, right))
        if weighed is None:
            weighed = self._weighed[left, right] = self._weigh(left, right, learning=learning)
        return weighed

    def _weigh(self, left: Side, right: Side, *, learning: bool) -> tuple[Similarity, str]:
        score = self._reader.score(left, right)
        if score.value >= EXACT:
            return score, ""
        if learning and score.value < _LEARNT and (met := self.learnt(left, right)):
            return Similarity(
                _LEARNT, f"learnt: both met the same {met} opponents at the same times"
            ), ""
        if score.is_odd and self._are_only(left, right):
            return Similarity(0.7, f"{score.why}; no other name of either list shares that"), ""
        if score.value < SURE - 0.25:
            return score, ""
        if score.value < SURE and not self._are_known(left, right):
            return score, "too few names are listed here to rule out another team"
        # A name that is only possible must stand alone; a sure one need only not be beaten.
        margin = 0.02 if score.value >= SURE else -0.05
        # Namesakes tie; two teams of one town mostly differ in how well they fit.
        tie = -0.01 if left.is_person else margin
        for other in self.partners(left):
            if self._reader.score(left, other).value <= score.value + margin:
                break
            if other is not right and self._is_rival_right(other, right):
                return score, f"{left.name} fits {other.name} better than {right.name}"
        rivals = [
            other.name
            for other in self._claimants[right]
            if other is not left
            and self._reader.score(other, right).value > score.value + tie
            and self._are_related_left(other, left)
            and not self._may_be_one(other, left, self._left_times[other], self._left_times[left])
        ]
        if rivals:
            return score, f"{right.name} fits {min(rivals)} better than {left.name}"
        return score, ""

    def _is_rival_right(self, other: Side, right: Side) -> bool:
        """Whether two exchange names are two teams of one country or league, not two spellings."""
        if not self._heads[other] & self._heads[right]:
            return False
        if right.is_person:
            return not self._are_alike(other, right)
        times = [self._starts(side) for side in (other, right)]
        if self._are_two(*times):
            return True
        listed = [{e.fixture.competition for e in self._right_events[s]} for s in (other, right)]
        if listed[0] & listed[1]:
            return not self._may_be_one(other, right, *times)
        return not self._are_alike(other, right) and min(map(len, times)) < 2  # noqa: PLR2004 - one start says little

    def _are_related_left(self, one: Side, other: Side) -> bool:
        if one.country and one.country == other.country:
            return True
        return any(self._left_keys[other][key] > 0 for key, n in self._left_keys[one].items() if n)

    def _are_two(self, one: list[float], other: list[float]) -> bool:
        """Whether two names of one list cannot be one side: they start at the same time."""
        return any(abs(a - b) < self._rest for a in one for b in other)

    def _may_be_one(self, one: Side, other: Side, first: list[float], second: list[float]) -> bool:
        """Whether two names of one list may well be one side."""
        if self._are_two(first, second):
            return False
        return self._are_alike(one, other) or min(len(first), len(second)) >= _ENOUGH

    def _are_alike(self, one: Side, other: Side) -> bool:
        """Whether two names of one list are but two spellings.

        A person may stand there by surname, by initial and in full, or with a slip.
        """
        return self._reader.alike(one, other) >= (SURE if one.is_person else EXACT)

    def _are_known(self, left: Side, right: Side) -> bool:
        """Whether enough of both rosters is listed to tell who else it could be."""
        if left.is_person:
            return True
        keys_listed = (self._key_sizes[k] for k, n in self._left_keys[left].items() if n)
        if max(keys_listed, default=0) < _ROSTER:
            return False
        return max(self._head_sizes[head] for head in self._heads[right]) >= _ROSTER

    def _are_only(self, left: Side, right: Side) -> bool:
        """Whether no other name on either roster shares anything with these two."""
        if not self._are_known(left, right):
            return False
        heads, lefts = self._heads[right], self._left_times
        if any(
            other is not right
            and heads & self._heads[other]
            and not self._may_be_one(other, right, self._starts(other), self._starts(right))
            for other in self.partners(left)
        ):
            return False
        return not any(
            other is not left
            and self._are_related_left(other, left)
            and not self._may_be_one(other, left, lefts[other], lefts[left])
            for other in self._claimants[right]
        )

    def _starts(self, right: Side) -> list[float]:
        return [event.minute for event in self._right_events[right]]

    # Acquaintances -------------------------------------------------------------------------

    def _witnessed(self, candidates: Sequence[CandidateEvent]) -> list[tuple[_Pair, Side]]:
        """Pairs of unlike names whose opponents are surely one, with the opponent."""
        witnessed = []
        for c in candidates:
            if abs(c.apart) > self._tight:
                continue
            if c.home.value >= _KNOWN and c.away.value < _LEARNT:
                witnessed.append(((c.left.away, c.right_away), c.left.home))
            if c.away.value >= _KNOWN and c.home.value < _LEARNT:
                witnessed.append(((c.left.home, c.right_home), c.left.away))
        return witnessed

    def learnt(self, left: Side, right: Side) -> int:
        """How many common opponents show that two names are one team; 0 where that is not shown."""
        pair = (left, right)
        witnesses = self._learnt.get(pair)
        if witnesses is None:
            witnesses = self._learnt[pair] = self._learn(left, right)
        return witnesses

    def _learn(self, left: Side, right: Side) -> int:
        pair = (left, right)
        met = self._met.get(pair)
        if met is None or self._reader.is_settled(left, right):
            return 0
        score = self._reader.score(left, right)
        if score.is_final:
            return 0
        opponents = len(met)
        if opponents < (2 if score.value >= HINT else 3):
            return 0
        others = (self._met_by_left[left] | self._met_by_right[right]) - {pair}
        if any(len(self._met[other]) * 3 > opponents for other in others):
            return 0
        return 0 if self._is_taken(left, right) else opponents

    def _is_taken(self, left: Side, right: Side) -> bool:
        """Whether either name already has a sure partner that is another team."""
        score, times = self._reader.score, self._left_times
        if any(
            other is not right
            and score(left, other).value >= _KNOWN
            and self._heads[other] & self._heads[right]
            and not self._may_be_one(other, right, self._starts(other), self._starts(right))
            for other in self.partners(left)
        ):
            return True
        return any(
            other is not left
            and score(other, right).value >= _KNOWN
            and self._are_related_left(other, left)
            and not self._may_be_one(other, left, times[other], times[left])
            for other in self._claimants[right]
        )


def _head(competition: str) -> str:
    """What tells the country or the league: ``English`` of English League 1."""
    return next(iter(fold(competition).split()), "")
