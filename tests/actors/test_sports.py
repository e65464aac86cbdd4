"""The list of sports alone: who polls, who stops, what the budget hears, and when it asks again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from kos.actors import fetcher, sports
from kos.config.settings import OddsApiSettings, ProxySettings
from kos.domain.market.quotes import Sport
from kos.messages import (
    GetBudget,
    ServerCountersRead,
    SportsListed,
    Subscribe,
)
from kos.runtime import ActorFailed
from tests.actors.conftest import Staging
from tests.actors.feeds import busy, feed_settings, good, refused
from tests.actors.stage import Nursery, Stage
from tests.adapters.loopback import Loopback, loopback
from tests.builders import NOW


def row(key: str, *, active: bool = True, has_outrights: bool = False) -> dict[str, Any]:
    """A line of the feed's list."""
    return {
        "key": key,
        "group": "Soccer",
        "title": key.upper(),
        "description": "",
        "active": active,
        "has_outrights": has_outrights,
    }


def sport(key: str, *, active: bool = True, has_outrights: bool = False) -> Sport:
    return Sport(key, "Soccer", key.upper(), active=active, has_outrights=has_outrights)


BOTH = good(row("soccer_efl"), row("soccer_epl"))


@pytest.fixture
def feed() -> Iterator[Loopback]:
    with loopback(BOTH) as server:
        yield server


class Listing:
    """A list of sports that is read each hour."""

    def __init__(self, put_on_stage: Staging, feed: Loopback) -> None:
        self._put = put_on_stage
        self.feed = feed

    def args(self, **changed: Any) -> sports.SportsArgs:
        return sports.SportsArgs(
            odds_api=feed_settings(self.feed, **changed),
            proxies=ProxySettings(),
            snapshot_dir="/nowhere",
            is_matching=True,
        )

    def stage(self, nursery: Nursery | None = None, **changed: Any) -> Stage:
        return self._put(sports.spec(self.args(**changed)), nursery=nursery).start()


@pytest.fixture
def listing(put_on_stage: Staging, feed: Loopback) -> Listing:
    return Listing(put_on_stage, feed)


def test_it_lists_at_its_start_and_tells_the_budget_and_the_scorer(listing: Listing) -> None:
    stage = listing.stage()
    assert stage.told("budget") == [ServerCountersRead(used=7, remaining=493)]
    assert stage.told("scorer") == [
        SportsListed(sports=(sport("soccer_efl"), sport("soccer_epl")), listed_at=NOW)
    ]
    assert stage.pulse() == {"sport_keys": 2, "problem": "", "awaits": ""}
    stage.stop()


def test_each_sport_key_gets_a_fetcher_a_moment_after_the_one_before(listing: Listing) -> None:
    stage = listing.stage()
    assert list(stage.nursery.specs) == ["fetcher.soccer_efl", "fetcher.soccer_epl"]
    first, second = (spec.args for spec in stage.nursery.specs.values())
    assert first.sport == sport("soccer_efl")
    assert (first.first_after_s, second.first_after_s) == (0, fetcher.STAGGER_S)
    assert first.odds_api == listing.args().odds_api
    assert first.snapshot_dir == "/nowhere"
    assert first.is_matching


def test_the_list_is_read_again_on_the_clock_and_the_fetchers_follow_it(listing: Listing) -> None:
    stage = listing.stage(sports_interval_s=3600)
    stage.advance(3599)
    assert len(listing.feed.seen) == 1
    listing.feed.script = [good(row("soccer_epl"), row("tennis_atp"))]
    stage.advance(1)
    assert stage.nursery.stopped == ["fetcher.soccer_efl"]
    assert set(stage.nursery.specs) == {"fetcher.soccer_epl", "fetcher.tennis_atp"}
    assert stage.nursery.specs["fetcher.tennis_atp"].args.first_after_s == fetcher.STAGGER_S
    assert stage.pulse()["sport_keys"] == 2
    assert [line["sport_keys"] for line in stage.logged("sports.listed")] == [2, 2]


def test_a_restart_of_its_own_finds_its_fetchers_and_leaves_them_alone(listing: Listing) -> None:
    former = listing.stage()
    kept = dict(former.nursery.specs)
    listing.feed.script = [good(row("soccer_efl"), row("soccer_epl"), row("tennis_atp"))]
    stage = listing.stage(nursery=former.nursery)
    assert {name: stage.nursery.specs[name] for name in kept} == kept
    assert set(stage.nursery.specs) - set(kept) == {"fetcher.tennis_atp"}
    listing.feed.script = [good()]
    stage.advance(3600)
    assert stage.nursery.specs == {}, "it knows those of its former life as its own"


@pytest.mark.parametrize(
    ("refusal", "wait_s"), [(busy(120), 15), (refused(), 300)], ids=["later", "key"]
)
def test_a_list_that_does_not_come_is_asked_for_again_and_takes_nobody_along(
    listing: Listing, refusal: Any, wait_s: float
) -> None:
    stage = listing.stage()
    stage.told("scorer")
    listing.feed.script = [refusal]
    stage.advance(3600)
    assert len(listing.feed.seen) == 2
    assert stage.pulse()["problem"]
    assert len(stage.nursery.specs) == 2
    assert stage.told("scorer") == []
    listing.feed.script = [BOTH]
    stage.advance(wait_s - 0.1)
    assert len(listing.feed.seen) == 2
    stage.advance(0.1)
    assert len(listing.feed.seen) == 3
    assert stage.pulse()["problem"] == ""
    assert len(stage.logged("sports.not_listed")) == 1


def test_what_it_waits_for_is_shown_until_the_feed_has_answered_somehow(
    listing: Listing, put_on_stage: Staging
) -> None:
    stage = put_on_stage(sports.spec(listing.args()))
    stage.cell.on_start()
    assert stage.pulse()["awaits"] == "the list of sports"
    listing.feed.script = [refused()]
    stage.advance(0)
    assert stage.pulse()["awaits"] == ""
    assert "check the API key" in str(stage.pulse()["problem"])


@pytest.mark.parametrize("left_out", ["X-Requests-Used", "X-Requests-Remaining"])
def test_half_the_counters_are_none(listing: Listing, left_out: str) -> None:
    quota = {"X-Requests-Used": "7", "X-Requests-Remaining": "493"}
    del quota[left_out]
    listing.feed.script = [good(row("soccer_epl"), quota=quota)]
    stage = listing.stage()
    assert stage.told("budget") == []
    assert len(stage.told("scorer", SportsListed)) == 1


def test_counters_of_nought_are_counters(listing: Listing) -> None:
    quota = {"X-Requests-Used": "0", "X-Requests-Remaining": "0"}
    listing.feed.script = [good(quota=quota)]
    assert listing.stage().told("budget") == [ServerCountersRead(used=0, remaining=0)]


def test_another_choice_of_sport_keys_holds_at_once(listing: Listing) -> None:
    stage = listing.stage()
    stage.renew(listing.args(sports=("soccer_epl",)))
    assert not stage.is_outdated
    assert list(stage.nursery.specs) == ["fetcher.soccer_epl"]
    assert len(listing.feed.seen) == 2


def test_a_new_consumer_is_sent_on_to_every_fetcher(listing: Listing) -> None:
    stage = listing.stage()
    stage.neighbours.unknown.add("fetcher.soccer_efl")
    word = Subscribe(subscriber="scorer")
    stage.tell(word)
    assert stage.told("fetcher.soccer_epl") == [word]
    assert stage.ended is None, "one that is just starting or stopping is no failure"


def test_without_a_proxys_session_it_asks_by_no_other_way(
    listing: Listing, put_on_stage: Staging
) -> None:
    proxies = ProxySettings(used_by=("odds_api",))
    args = msgspec.structs.replace(listing.args(), proxies=proxies)
    stage = put_on_stage(sports.spec(args)).start()
    assert listing.feed.seen == []
    assert "proxies" in str(stage.pulse()["problem"])


def test_a_message_that_is_not_its_own_is_refused_by_name(listing: Listing) -> None:
    with pytest.raises(ActorFailed, match="sports takes no GetBudget"):
        listing.stage().ask(GetBudget())


LISTED = (
    sport("basketball_nba"),
    sport("golf_masters_winner", has_outrights=True),
    sport("politics_us"),
    sport("soccer_efl", active=False),
    sport("soccer_epl"),
    sport("soccer_fa_cup"),
    sport("tennis_cup", has_outrights=True),
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["basketball_nba", "soccer_epl", "soccer_fa_cup"]),
        ({"sports": ("soccer",)}, ["soccer_epl", "soccer_fa_cup"]),
        ({"sports": ("soccer_epl", "basket")}, ["basketball_nba", "soccer_epl"]),
        ({"sports": ("cricket",)}, []),
        ({"sports_excluded": ()}, ["basketball_nba", "politics_us", "soccer_epl", "soccer_fa_cup"]),
        (
            {"sports": ("soccer",), "sports_excluded": ("soccer_fa",)},
            ["soccer_epl"],
        ),
        ({"max_sports": 2}, ["basketball_nba", "soccer_epl"]),
    ],
)
def test_the_settings_choose_the_sport_keys(settings: dict[str, Any], expected: list[str]) -> None:
    chosen = sports.chosen_sports(LISTED, OddsApiSettings(**settings))
    assert [each.key for each in chosen] == expected
