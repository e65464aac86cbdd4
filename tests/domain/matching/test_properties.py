"""What holds of the matcher in any world."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import Verdict
from kos.domain.matching import (
    BookmakerFixture,
    ExchangeFixture,
    FixtureMatch,
    Knowledge,
    Matcher,
)
from tests.domain.matching.worlds import League, World, draw, leagues
from tests.profiles import examples

LEAGUES = leagues()
modest = settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
worlds = st.integers(0, 10_000).map(
    lambda seed: draw(random.Random(seed).sample(LEAGUES, 4), seed, rounds=4)
)


def by_event(found: list[FixtureMatch]) -> dict[str, FixtureMatch]:
    return {match.left_id: match for match in found}


def brief(found: list[FixtureMatch]) -> dict[str, tuple[Verdict, str | None, bool]]:
    return {m.left_id: (m.verdict, m.right_id, m.is_swapped) for m in found}


@modest
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_changes_nothing(world: World, rng: random.Random) -> None:
    before = by_event(Matcher().match(world.left, world.right))
    left, right = list(world.left), list(world.right)
    rng.shuffle(left)
    rng.shuffle(right)
    found = Matcher().match(left, right)
    assert [m.left_id for m in found] == [f.id for f in left]
    assert by_event(found) == before


@modest
@given(worlds)
def test_an_event_gets_one_partner_or_none(world: World) -> None:
    found = Matcher().match(world.left, world.right)
    taken = Counter(m.right_id for m in found if m.verdict is Verdict.MATCH)
    assert all(count == 1 for count in taken.values())
    assert all((m.right_id is None) == (m.verdict is Verdict.NONE) for m in found)


@modest
@given(worlds)
def test_an_unrelated_event_changes_nothing(world: World) -> None:
    before = brief(Matcher().match(world.left, world.right))
    at = world.left[0].kickoff
    extra_left = BookmakerFixture("LX", "soccer_nowhere", at, "Quuxville Xyzzy", "Frobnitz Plugh")
    extra_right = ExchangeFixture(
        "RX", "Soccer", "Nowhere League", "Wibble Wobble v Thud Grault", at, ()
    )
    after = brief(Matcher().match([*world.left, extra_left], [*world.right, extra_right]))
    assert after.pop("LX") == (Verdict.NONE, None, False)
    assert after == before


@modest
@given(worlds, st.integers(0, 10_000))
def test_a_rival_turns_a_match_into_a_doubt_and_never_into_another_match(
    world: World, pick: int
) -> None:
    before = brief(Matcher().match(world.left, world.right))
    model = world.right[pick % len(world.right)]
    rival = msgspec.structs.replace(model, id="RX")
    after = brief(Matcher().match(world.left, [*world.right, rival]))
    for left, (verdict, right, _) in after.items():
        if verdict is Verdict.MATCH:
            assert before[left][:2] == (Verdict.MATCH, right)
        if before[left][:2] == (Verdict.MATCH, model.id):
            assert verdict is Verdict.DOUBT


@modest
@given(worlds, st.integers(0, 10_000))
def test_renaming_a_team_alike_on_both_lists_keeps_its_matches(world: World, pick: int) -> None:
    matcher = Matcher()
    before = brief(matcher.match(world.left, world.right))
    matched = [m for m, (verdict, *_) in before.items() if verdict is Verdict.MATCH]
    event = next(f for f in world.left if f.id == matched[pick % len(matched)])
    partner = next(f for f in world.right if f.id == before[event.id][1])
    old_left = event.home
    old_right = partner.runners[1 if before[event.id][2] else 0]

    def rename(fixture: ExchangeFixture) -> ExchangeFixture:
        if old_right not in fixture.runners:
            return fixture
        glue = " @ " if " @ " in fixture.name else " v "
        sides = ["Zyx Wvut" if s == old_right else s for s in fixture.name.split(glue)]
        runners = tuple("Zyx Wvut" if r == old_right else r for r in fixture.runners)
        return msgspec.structs.replace(fixture, name=glue.join(sides), runners=runners)

    left = [
        msgspec.structs.replace(
            f,
            home="Zyx Wvut" if f.home == old_left else f.home,
            away="Zyx Wvut" if f.away == old_left else f.away,
        )
        for f in world.left
    ]
    after = brief(Matcher().match(left, [rename(f) for f in world.right]))
    for name in matched:
        assert after[name] == before[name]


@modest
@given(worlds)
def test_a_shift_beyond_every_window_unmatches_all(world: World) -> None:
    late = [
        msgspec.structs.replace(f, kickoff=f.kickoff + timedelta(days=400)) for f in world.right
    ]
    found = Matcher().match(world.left, late)
    assert all(m.verdict is Verdict.NONE for m in found)


@modest
@given(worlds, st.data())
def test_steps_one_by_one_decide_as_the_whole_does(world: World, data: st.DataObject) -> None:
    matcher = Matcher()
    keys = sorted({f.sport_key for f in world.left})
    types = sorted({f.event_type for f in world.right})
    left = {k: [f for f in world.left if f.sport_key == k] for k in keys}
    right = {t: [f for f in world.right if f.event_type == t] for t in types}
    for _ in range(6):
        key, event_type = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(types))
        drop = data.draw(st.integers(0, 5))
        matcher.update_left(key, left[key][drop:])
        matcher.update_right(event_type, right[event_type][drop:])
        matcher.decide(key)
    for event_type in types:
        matcher.update_right(event_type, right[event_type])
    for key in keys:
        matcher.update_left(key, left[key])
    stepwise = [match for key in keys for match in matcher.decide(key)]
    assert by_event(stepwise) == by_event(Matcher().match(world.left, world.right))


@pytest.mark.parametrize("seed", range(4))
def test_no_false_match_in_any_league(seed: int) -> None:
    world = draw(LEAGUES, seed)
    found = brief(Matcher().match(world.left, world.right))
    matched = {left for left, (verdict, *_) in found.items() if verdict is Verdict.MATCH}
    assert {left: found[left][1] for left in matched} == {
        left: right for left, right in world.truth.items() if left in matched
    }
    assert not any(is_swapped for _, _, is_swapped in found.values())
    assert len(matched) >= 0.99 * len(world.truth)


@pytest.mark.parametrize("league", LEAGUES, ids=lambda league: f"{league.sport}-{league.heading}")
def test_a_league_the_tables_have_never_heard_of_gets_no_false_match(league: League) -> None:
    unheard = Knowledge(leave_out=frozenset({league.heading}))
    right_ones = true_ones = 0
    for seed in range(5):
        world = draw([one for one in LEAGUES if one.sport == league.sport], seed)
        found = brief(Matcher(tables=unheard).match(world.left, world.right))
        for left, (verdict, right, _) in found.items():
            if verdict is Verdict.MATCH:
                assert world.truth[left] == right
                right_ones += 1
        true_ones += len(world.truth)
    assert right_ones >= 0.6 * true_ones


@pytest.mark.parametrize("seed", range(3))
def test_without_tables_and_learning_precision_holds(seed: int) -> None:
    world = draw(LEAGUES, seed)
    found = brief(Matcher(tables=None, learning=False).match(world.left, world.right))
    for left, (verdict, right, _) in found.items():
        if verdict is Verdict.MATCH:
            assert world.truth[left] == right
