"""The matcher's laws in worlds of people: given names, doubles, and runners of any number."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest

from kos.domain.market.quotes import Verdict
from kos.domain.matching import BookmakerFixture, ExchangeFixture, FixtureMatch, Matcher
from tests.domain.matching.worlds import START, World

GIVEN = (("Robert", "Bob"), ("William", "Bill"), ("Thomas", "Tom"), ("Daniel", "Dan"), ("Edward", "Ted"),
         ("Richard", "Rick"), ("Anthony", "Tony"), ("Michael", "Mick"))  # fmt: skip
FAMILY = ("Abercrombie", "Blakeslee", "Carmody", "Dunkerley", "Eastlake", "Farquharson", "Grimsditch", "Hollingworth",
          "Inglethorpe", "Jarmusch", "Kettlewell", "Lonsdale")  # fmt: skip

Person = tuple[str, str, str]
"""Given name, its short form, family name."""


def as_printed(person: Person, rng: random.Random) -> str:
    given, short, family = person
    return rng.choice((f"{given} {family}", f"{short} {family}", f"{given[0]} {family}"))


def runners_of(rng: random.Random, home: str, away: str) -> tuple[str, ...]:
    """As the event says, turned round, or of another number than two."""
    pair = (home, away)
    return rng.choice((pair, pair[::-1], (), (home,), (*pair, "Any Other")))


def people(seed: int) -> World:
    """Four singles and four doubles of one tournament, a few on one list only."""
    rng = random.Random(seed)
    crowd = [(*rng.choice(GIVEN), family) for family in FAMILY]
    rng.shuffle(crowd)
    games = [(crowd[n : n + 1], crowd[n + 1 : n + 2]) for n in range(0, 8, 2)]
    pairs = crowd[8:] + crowd[:4]
    games += [(pairs[n : n + 2], pairs[n + 2 : n + 4]) for n in range(0, 8, 4)]
    left: list[BookmakerFixture] = []
    right: list[ExchangeFixture] = []
    truth: dict[str, str] = {}
    for number, (ones, others) in enumerate(games):
        at = START + timedelta(days=number // 4, hours=rng.randint(0, 3))
        home, away = (" / ".join(f"{p[0]} {p[2]}" for p in side) for side in (ones, others))
        listed = [
            "/".join(p[2] for p in side) if len(side) > 1 else as_printed(side[0], rng)
            for side in (ones, others)
        ]
        roll = rng.random()
        if roll < 0.9:
            left.append(BookmakerFixture(f"L{number}", "tennis_atp_dubai", at, home, away))
        if roll > 0.1:
            right.append(listed_event(f"R{number}", listed, at, rng))
        if 0.1 < roll < 0.9:
            truth[f"L{number}"] = f"R{number}"
    return World(left, right, truth)


def listed_event(name: str, sides: list[str], at: datetime, rng: random.Random) -> ExchangeFixture:
    home, away = sides
    runners = runners_of(rng, home, away)
    return ExchangeFixture(name, "Tennis", "ATP Dubai", f"{home} v {away}", at, runners)


def brief(found: list[FixtureMatch]) -> dict[str, tuple[Verdict, str | None, bool]]:
    return {m.left_id: (m.verdict, m.right_id, m.is_swapped) for m in found}


def matched(found: list[FixtureMatch]) -> dict[str, str | None]:
    return {m.left_id: m.right_id for m in found if m.verdict is Verdict.MATCH}


WORLDS = [people(seed) for seed in range(60)]


def test_the_worlds_hold_what_they_are_drawn_for() -> None:
    events = [event for world in WORLDS for event in world.right]
    numbers = Counter(len(event.runners) for event in events)
    assert min(numbers[count] for count in (0, 1, 2, 3)) >= 20
    assert sum("/" in event.name for event in events) >= 60
    short = {short for _, short in GIVEN}
    assert sum(bool(short & set(event.name.split())) for event in events) >= 60


def test_people_are_found_under_every_form_of_their_names_and_never_another() -> None:
    right_ones = 0
    for world in WORLDS:
        found = matched(Matcher().match(world.left, world.right))
        assert found.items() <= world.truth.items()
        right_ones += len(found)
    assert right_ones >= 0.9 * sum(len(world.truth) for world in WORLDS)


def test_the_order_of_the_lists_changes_nothing() -> None:
    for seed, world in enumerate(WORLDS):
        rng = random.Random(seed)
        left, right = list(world.left), list(world.right)
        rng.shuffle(left)
        rng.shuffle(right)
        before = brief(Matcher().match(world.left, world.right))
        assert brief(Matcher().match(left, right)) == before


def test_sides_named_the_other_way_round_are_the_same_matches_swapped() -> None:
    checked = 0
    for world in WORLDS:
        before = matched(Matcher().match(world.left, world.right))
        turned = [
            msgspec.structs.replace(event, name=" v ".join(reversed(event.name.split(" v "))))
            for event in world.right
        ]
        found = Matcher().match(world.left, turned)
        assert matched(found) == before
        assert all(match.is_swapped for match in found if match.verdict is Verdict.MATCH)
        checked += len(before)
    assert checked >= 200


@pytest.mark.parametrize("runners", [(), ("one",), ("one", "other", "third")])
def test_runners_of_another_number_than_two_change_no_match(runners: tuple[str, ...]) -> None:
    for world in WORLDS[:30]:
        bare = [msgspec.structs.replace(event, runners=()) for event in world.right]
        odd = [msgspec.structs.replace(event, runners=runners) for event in world.right]
        expected = brief(Matcher().match(world.left, bare))
        assert brief(Matcher().match(world.left, odd)) == expected


def test_steps_one_by_one_decide_as_the_whole_does() -> None:
    for world in WORLDS[:30]:
        matcher = Matcher()
        for upto in range(len(world.left) + 1):
            matcher.update_left("tennis_atp_dubai", world.left[:upto])
            matcher.update_right("Tennis", world.right[: 2 * upto])
            matcher.decide("tennis_atp_dubai")
        matcher.update_right("Tennis", world.right)
        whole = Matcher().match(world.left, world.right)
        assert brief(matcher.decide("tennis_atp_dubai")) == brief(whole)
