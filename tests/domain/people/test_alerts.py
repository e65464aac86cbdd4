"""Who is told of what, when, and how often: once, and in place when it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery
from kos.domain.people.alerts import (
    BURST,
    COOL_DOWN,
    GONE_AFTER,
    AlertedOpportunity,
    AlertHit,
    AlertRule,
    AlertToSend,
    Measure,
    Memory,
    Preferences,
    check_preferences,
    check_rule,
    hit_of,
    is_quiet,
    is_worth_keeping,
    look,
    value_of,
)
from kos.errors import InvalidInput
from tests.builders import book, event
from tests.domain.opportunities.test_market_snapshot import LAYS, ask, coral, picture_of
from tests.profiles import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALWAYS = Preferences()
RULE = AlertRule(
    rule_id=1, query=OpportunityQuery(), measure=Measure.RATING, threshold=Decimal(100)
)


def alerted() -> AlertedOpportunity:
    return AlertedOpportunity(
        event="Leeds v York",
        selection="Leeds",
        bookmaker="Coral",
        exchange="smarkets",
        back_odds=Decimal("2.50"),
        lay_odds=Decimal("2.54"),
        lay_available=None,
        stake=Decimal(10),
        lay_stake=Decimal("9.92"),
        liability=Decimal("15.28"),
        profit=Decimal("-0.28"),
        rating=Decimal("0.9722"),
        retention=None,
        back_updated_at=NOON,
        lay_updated_at=NOON,
        found_at=NOON,
    )


def sighting(key: str = "a", value: object = 101, hours: float = 8) -> AlertHit:
    return AlertHit(
        key=key,
        value=Decimal(str(value)),
        kickoff=NOON + timedelta(hours=hours),
        opportunity=alerted(),
    )


class Watch:
    """One person's looks, one after another."""

    def __init__(
        self, *rules: AlertRule, preferences: Preferences = ALWAYS, start: datetime = NOON
    ) -> None:
        self.rules = rules or (RULE,)
        self.preferences = preferences
        self.now = start
        self.memory = Memory()

    def sees(
        self, *seen: AlertHit, after: timedelta = timedelta(seconds=5), rule: int = 1
    ) -> tuple[AlertToSend, ...]:
        return self.looks({rule: seen}, after)

    def looks(
        self, seen: dict[int, Sequence[AlertHit]], after: timedelta = timedelta(seconds=5)
    ) -> tuple[AlertToSend, ...]:
        self.now += after
        self.memory, says = look(self.rules, self.preferences, self.memory, seen, self.now)
        # What is kept comes back from the ledger as it was.
        again = msgspec.json.decode(msgspec.json.encode(self.memory), type=Memory)
        assert again == self.memory
        return says


def keys(says: Sequence[AlertToSend]) -> list[list[str]]:
    return [[item.key for item in say.telling.items] for say in says if say.is_new]


def test_an_opportunity_speaks_once_while_it_stays() -> None:
    watch = Watch()
    assert keys(watch.sees(sighting("a"), sighting("b", 102))) == [["b", "a"]]
    for _ in range(20):
        assert watch.sees(sighting("a", 103), sighting("b")) == ()


def test_below_the_threshold_nothing_is_said() -> None:
    assert Watch().sees(sighting("a", "99.99")) == ()


def test_a_price_that_flickers_around_the_threshold_is_not_gone() -> None:
    watch = Watch()
    watch.sees(sighting("a", 100))
    for value in (99, 100, "98.5", 101):
        assert watch.sees(sighting("a", value), after=GONE_AFTER) == ()


def test_what_is_gone_says_so_in_place_after_a_while() -> None:
    watch = Watch()
    (told,) = watch.sees(sighting("a"), sighting("b"))
    assert watch.sees(sighting("b"), after=GONE_AFTER / 2) == ()
    (farewell,) = watch.sees(sighting("b"), after=GONE_AFTER)
    assert not farewell.is_new
    assert farewell.telling.telling_id == told.telling.telling_id
    assert {i.key: i.gone_at is not None for i in farewell.telling.items} == {
        "a": True,
        "b": False,
    }
    assert watch.sees(sighting("b"), after=GONE_AFTER) == ()


def test_one_that_comes_back_soon_comes_back_in_place_and_later_speaks_anew() -> None:
    watch = Watch()
    watch.sees(sighting("a"))
    watch.sees(after=GONE_AFTER)
    (back,) = watch.sees(sighting("a"))
    assert not back.is_new
    assert back.telling.items[0].gone_at is None
    watch.sees(after=GONE_AFTER)
    assert keys(watch.sees(sighting("a"), after=COOL_DOWN)) == [["a"]]


def test_kickoff_ends_it() -> None:
    watch = Watch()
    watch.sees(sighting("a", hours=1))
    (farewell,) = watch.sees(sighting("a", hours=1), after=timedelta(hours=1))
    assert farewell.telling.items[0].gone_at is not None
    assert Watch().sees(sighting("late", hours=0)) == ()


def test_while_nobody_could_be_asked_nothing_is_gone() -> None:
    watch = Watch()
    watch.sees(sighting("a"))
    assert watch.looks({}, timedelta(minutes=10)) == ()
    assert watch.sees(sighting("a")) == ()


def test_in_quiet_hours_what_still_stands_waits_for_their_end() -> None:
    night = Preferences(quiet_from="22:30", quiet_until="07:00")
    watch = Watch(preferences=night, start=NOON.replace(hour=23))
    assert watch.sees(sighting("a", hours=48), sighting("b", hours=48)) == ()
    assert watch.sees(sighting("a", hours=48), after=timedelta(hours=4)) == ()
    (digest,) = watch.sees(sighting("a", hours=48), after=timedelta(hours=5))
    assert digest.is_digest
    assert keys([digest]) == [["a"]]


def test_a_digest_rule_tells_once_an_interval() -> None:
    rule = msgspec.structs.replace(RULE, is_digest=True)
    watch = Watch(rule, preferences=Preferences(digest_minutes=30))
    assert watch.sees(sighting("a")) == ()
    assert watch.sees(sighting("a"), sighting("b"), after=timedelta(minutes=20)) == ()
    (digest,) = watch.sees(sighting("a"), sighting("b"), after=timedelta(minutes=20))
    assert keys([digest]) == [["a", "b"]]
    assert watch.sees(sighting("a"), sighting("b"), after=timedelta(minutes=40)) == ()


def test_two_rules_that_see_the_same_speak_once() -> None:
    other = msgspec.structs.replace(RULE, rule_id=2, threshold=Decimal(90))
    watch = Watch(RULE, other)
    seen = [sighting("a")]
    assert keys(watch.looks({1: seen, 2: seen})) == [["a"]]
    assert watch.looks({1: [], 2: seen}, GONE_AFTER) == ()


def test_a_burst_is_held_for_the_digest() -> None:
    watch = Watch(preferences=Preferences(digest_minutes=60))
    seen: list[AlertHit] = []
    told = 0
    for number in range(BURST + 4):
        seen.append(sighting(f"s{number}"))
        told += len(keys(watch.sees(*seen)))
    assert told == BURST
    (digest,) = watch.sees(*seen, after=timedelta(hours=1))
    assert len(digest.telling.items) == 4


def test_under_a_rule_that_was_taken_back_nothing_more_is_said() -> None:
    watch = Watch(RULE, msgspec.structs.replace(RULE, rule_id=2))
    watch.sees(sighting("a"))
    watch.rules = watch.rules[1:]
    assert watch.looks({2: []}, timedelta(minutes=5)) == ()
    assert watch.memory.tellings == ()


def test_mute_ends_by_itself() -> None:
    muted = Preferences(muted_until=NOON + timedelta(hours=1))
    assert is_quiet(muted, NOON)
    assert not is_quiet(muted, NOON + timedelta(hours=1))


def test_quiet_hours_keep_to_the_clock_of_the_united_kingdom() -> None:
    day = Preferences(quiet_from="13:00", quiet_until="14:00")
    assert is_quiet(day, datetime(2026, 7, 1, 12, 30, tzinfo=UTC))
    assert not is_quiet(day, datetime(2026, 7, 1, 13, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "preferences",
    [
        Preferences(quiet_from="22:30"),
        Preferences(quiet_from="24:00", quiet_until="07:00"),
        Preferences(quiet_from="٢٢:30", quiet_until="07:00"),
        Preferences(digest_minutes=1),
    ],
)
def test_hours_that_are_none_are_refused(preferences: Preferences) -> None:
    with pytest.raises(InvalidInput):
        check_preferences(preferences)


def test_rules_that_make_no_sense_are_refused() -> None:
    check_rule(RULE)
    for wrong in (
        msgspec.structs.replace(RULE, threshold=Decimal("NaN")),
        msgspec.structs.replace(RULE, measure=Measure.RETENTION),
        msgspec.structs.replace(RULE, query=OpportunityQuery(stake=Decimal(-1))),
    ):
        with pytest.raises(InvalidInput):
            check_rule(wrong)
    snr = OpportunityQuery(kind=BetKind.FREE_BET_SNR)
    check_rule(msgspec.structs.replace(RULE, measure=Measure.RETENTION, query=snr))


def test_only_what_must_survive_a_restart_is_worth_keeping() -> None:
    watch = Watch()
    before = watch.memory
    watch.sees(sighting("a"))
    told = watch.memory
    assert is_worth_keeping(before, told)
    watch.sees(sighting("a"))
    assert watch.memory != told
    assert not is_worth_keeping(told, watch.memory)


looks = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcd"), st.integers(95, 105), max_size=4),
        st.integers(1, 2_000),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=examples(150), deadline=None)
@given(looks)
def test_whatever_is_seen_nothing_is_told_anew_before_it_was_long_gone(
    story: list[tuple[dict[str, int], int, bool]],
) -> None:
    watch = Watch(preferences=Preferences(digest_minutes=5))
    told_at: dict[str, datetime] = {}
    for seen, seconds, is_answered in story:
        found = [sighting(key, value, hours=100) for key, value in seen.items()]
        says = watch.looks({1: found} if is_answered else {}, timedelta(seconds=seconds))
        for say in says:
            assert [item.key for item in say.telling.items]
            for item in say.telling.items if say.is_new else ():
                if item.key in told_at:
                    assert watch.now - told_at[item.key] >= COOL_DOWN
                told_at[item.key] = watch.now
            if say.is_new and not say.is_digest:
                assert all(seen[item.key] >= 100 for item in say.telling.items)
    assert len(watch.memory.held) <= 4


def test_each_measure_is_read_off_the_opportunity_in_its_own_unit() -> None:
    made = picture_of(event(coral()), books=(book(LAYS),))
    found = next(one for one in ask(made).opportunities if one.outcome == "Leeds")
    measured = {measure: value_of(found, measure) for measure in Measure}
    assert measured[Measure.PROFIT] == Decimal("-0.46")
    assert measured[Measure.SCORE] == Decimal(str(found.score))
    assert measured[Measure.RATING] == pytest.approx(Decimal("95.4"), abs=Decimal("0.1"))
    assert measured[Measure.RETENTION] == found.retention * 100
    assert len(set(measured.values())) == 4


@pytest.mark.parametrize(
    ("kind", "keeps"),
    [(BetKind.QUALIFYING, False), (BetKind.FREE_BET_SNR, True), (BetKind.FREE_BET_SR, True)],
)
def test_a_hit_holds_the_names_and_figures_it_was_found_with(kind: BetKind, *, keeps: bool) -> None:
    priced = picture_of(event(coral()), books=(book(LAYS),))
    found = ask(priced, kind=kind).opportunities[0]
    hit = hit_of(found, Measure.PROFIT, NOON)
    assert (hit.key, hit.value, hit.kickoff) == (
        f"{kind.value}|{found.id}",
        found.profit,
        found.kickoff,
    )
    held = hit.opportunity
    assert (held.event, held.selection) == (f"{found.home} v {found.away}", found.outcome)
    assert (held.bookmaker, held.exchange) == (found.bookmaker_title, found.exchange)
    assert held.retention == (found.retention if keeps else None)
    assert held.found_at == NOON
    for figure in ("back_odds", "lay_odds", "lay_available", "stake", "lay_stake", "liability"):
        assert getattr(held, figure) == getattr(found, figure)


def test_a_memory_stored_with_words_is_still_read_and_sends_nothing_again() -> None:
    item = {
        "key": "a",
        "text": "Ajax v York, starts Mon 23 Nov, 20:00\nAjax: Reserves: Coral 2.50",
        "kickoff": (NOON + timedelta(hours=8)).isoformat(),
        "last_seen": NOON.isoformat(),
        "gone_at": None,
    }
    telling = {"telling_id": 7, "rule_id": 1, "told_at": NOON.isoformat(), "items": [item]}
    held = {"rule_id": 1, "item": {**item, "key": "b"}}
    stored = {
        "tellings": [telling],
        "held": [held],
        "digest_at": (NOON + timedelta(minutes=5)).isoformat(),
        "last_id": 7,
    }
    watch = Watch()
    watch.memory = msgspec.json.decode(msgspec.json.encode(stored), type=Memory)
    assert watch.sees(sighting("a"), sighting("b")) == ()
    gone, digest = watch.sees(sighting("b"), after=timedelta(minutes=5))
    assert (gone.is_new, gone.telling.telling_id, gone.telling.items[0].text) == (
        False,
        7,
        item["text"],
    )
    assert (digest.is_digest, keys([digest])) == (True, [["b"]])


@pytest.mark.parametrize("minutes", [5, 60, 1440])
def test_a_digest_of_five_minutes_to_a_day_is_taken(minutes: int) -> None:
    quiet = Preferences(quiet_from="22:30", quiet_until="07:00", digest_minutes=minutes)
    check_preferences(quiet)


def test_a_digest_with_nothing_left_to_tell_is_not_sent() -> None:
    memory = Memory(digest_at=NOON)
    after, says = look((RULE,), ALWAYS, memory, {}, NOON + timedelta(minutes=1))
    assert (says, after.digest_at) == ((), None)


def test_a_burst_is_over_ten_minutes_after_its_messages() -> None:
    watch = Watch()
    seen = [sighting(f"s{number}") for number in range(BURST)]
    for number in range(BURST):
        assert len(keys(watch.sees(*seen[: number + 1]))) == 1
    started = watch.now
    seen.append(sighting("held"))
    assert (
        keys(watch.sees(*seen, after=started + timedelta(minutes=9, seconds=30) - watch.now)) == []
    )
    seen.append(sighting("free"))
    assert keys(watch.sees(*seen, after=started + timedelta(minutes=10) - watch.now)) == [["free"]]
