"""The matcher: bookmaker events to exchange events, whole worlds or one sport key at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from types import EllipsisType

from kos.domain.market.outcomes import is_draw
from kos.domain.market.sports import sport_of
from kos.domain.matching.aliases import AliasTable, Knowledge, knowledge
from kos.domain.matching.block import Block
from kos.domain.matching.fixtures import (
    BookmakerFixture,
    ExchangeFixture,
    FixtureMatch,
    OutcomesRefused,
)
from kos.domain.matching.normalise import fold
from kos.domain.matching.outcomes import assign_outcomes

_SPORTS = (
    "soccer", "tennis", "golf", "cricket", "rugbyunion", "rugbyleague", "boxing", "mma", "americanfootball",
    "baseball", "basketball", "icehockey", "aussierules", "handball", "volleyball", "lacrosse", "darts", "snooker",
)  # fmt: skip
_EVENT_TYPES = {
    event_type.lower(): sport for sport in _SPORTS if (event_type := sport_of(sport).event_type)
}


class Matcher:
    """Gives each bookmaker event its exchange event, or says why it has none.

    It keeps what it has worked out, so that a second look at the same names costs next to
    nothing. No clock and no I/O; not for use by two threads at once.

    Args:
        aliases: Pairs of names an operator has confirmed or banned.
        learning: Whether names may be learnt from whom they meet, within what is listed now.
        tables: The tables of known other names; None to do without them.
    """

    def __init__(
        self,
        *,
        aliases: AliasTable | None = None,
        learning: bool = True,
        tables: Knowledge | EllipsisType | None = ...,
    ) -> None:
        self._learning = learning
        self._tables = knowledge() if isinstance(tables, EllipsisType) else tables
        self._settled: dict[str, dict[tuple[str, str], bool]] = defaultdict(dict)
        alias_table = aliases or AliasTable()
        for facts, is_one in ((alias_table.confirmed, True), (alias_table.banned, False)):
            for fact in facts:
                names = fold(fact.left).strip(), fold(fact.right).strip()
                self._settled[fact.sport][names] = is_one
        self._blocks: dict[str, Block] = {}
        self._keys_listed: set[str] = set()

    def match(
        self, left: Sequence[BookmakerFixture], right: Sequence[ExchangeFixture]
    ) -> list[FixtureMatch]:
        """One verdict per bookmaker event, in the order given. Both lists are the whole world."""
        by_key: dict[str, list[BookmakerFixture]] = defaultdict(list)
        for fixture in left:
            by_key[fixture.sport_key].append(fixture)
        by_sport: dict[str, list[ExchangeFixture]] = defaultdict(list)
        for event in right:
            by_sport[_sport_of_type(event.event_type)].append(event)
        for sport_key in self._keys_listed - by_key.keys():
            self.update_left(sport_key, ())
        for sport in self._blocks.keys() | by_sport.keys():
            self._block(sport).set_right(by_sport.get(sport, ()))
        for sport_key, fixtures in by_key.items():
            self.update_left(sport_key, fixtures)
        decided: dict[str, list[FixtureMatch]] = {k: self.decide(k) for k in by_key}
        places = {k: iter(matches) for k, matches in decided.items()}
        return [next(places[fixture.sport_key]) for fixture in left]

    def update_left(self, sport_key: str, fixtures: Sequence[BookmakerFixture]) -> None:
        """Replace the bookmaker events of one sport key."""
        self._keys_listed.add(sport_key)
        self._block(sport_of(sport_key).sport).set_left(sport_key, fixtures)

    def update_right(self, event_type: str, fixtures: Sequence[ExchangeFixture]) -> None:
        """Replace the exchange events of one event type, named as the exchange names it."""
        self._block(_sport_of_type(event_type)).set_right(fixtures)

    def decide(self, sport_key: str) -> list[FixtureMatch]:
        """Verdicts for the events of one sport key, as ``match`` would give for all that is listed."""
        return self._block(sport_of(sport_key).sport).answers(sport_key)

    def outcomes(
        self,
        left: BookmakerFixture,
        right: ExchangeFixture,
        runner_names: Sequence[str],
        outcome_names: Sequence[str],
    ) -> dict[str, int] | OutcomesRefused:
        """The index of its runner for each outcome of a matched pair, or why that is not sure.

        Args:
            left: The bookmaker's event.
            right: Its exchange event.
            runner_names: The runners of the exchange market to be priced.
            outcome_names: The outcomes of the bookmaker's market, ``Draw`` among them or not.
        """
        block = self._block(sport_of(left.sport_key).sport)
        score = block.outcome_scores(left, right, [n for n in runner_names if not is_draw(n)])
        if isinstance(score, OutcomesRefused):
            return score
        return assign_outcomes(outcome_names, runner_names, score)

    def _block(self, sport: str) -> Block:
        block = self._blocks.get(sport)
        if block is None:
            settled = self._settled[sport]
            block = Block(sport, self._tables, settled, learning=self._learning)
            self._blocks[sport] = block
        return block


def _sport_of_type(event_type: str) -> str:
    plain = event_type.strip().lower()
    return _EVENT_TYPES.get(plain, plain)
