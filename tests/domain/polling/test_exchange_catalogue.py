from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import ExchangeMarket
from kos.domain.polling.exchange_catalogue import CatalogueAsk, CatalogueCache, DescriptionPlan
from tests.profiles import examples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def market(number: int, kickoff: datetime) -> ExchangeMarket:
    return ExchangeMarket(
        market_id=f"1.{number}",
        market_type="MATCH_ODDS",
        event_id=str(number),
        event_name="A v B",
        event_type_id="1",
        event_type="Soccer",
        competition="",
        kickoff=kickoff,
        runners=(),
    )


def in_window(ask: CatalogueAsk, markets: list[ExchangeMarket]) -> list[ExchangeMarket]:
    return [each for each in markets if ask.start <= each.kickoff <= ask.end]


def test_each_sport_is_read_in_a_near_and_a_far_window_near_ones_first() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"], "2": ["MATCH_ODDS"], "9": []}, WEEK)
    asks = cache.plan(NOW)
    assert [(ask.event_type_id, ask.is_near) for ask in asks] == [
        ("1", True),
        ("2", True),
        ("1", False),
        ("2", False),
    ]
    assert all(ask.start < NOW for ask in asks if ask.is_near)
    assert asks[2].end == WEEK


def test_nothing_wanted_is_nothing_asked() -> None:
    assert CatalogueCache().plan(NOW) == ()


def test_the_near_window_is_read_again_sooner_than_the_far_one() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    for ask in cache.plan(NOW):
        cache.answered(ask, (), NOW)
    assert cache.plan(after(599)) == ()
    assert [ask.is_near for ask in cache.plan(after(600))] == [True]
    assert [ask.is_near for ask in cache.plan(after(3_600))] == [True, False]


def test_a_horizon_within_a_day_needs_no_far_window() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, after(3_600))
    (ask,) = cache.plan(NOW)
    assert ask.is_near
    cache.answered(ask, (), NOW)
    assert cache.plan(after(1)) == ()


def test_a_horizon_that_moves_out_is_read_at_once() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    for ask in cache.plan(NOW):
        cache.answered(ask, (), NOW)
    cache.want({"1": ["MATCH_ODDS"]}, WEEK + timedelta(days=1))
    assert [ask.is_near for ask in cache.plan(after(1))] == [False]


def test_the_catalogue_is_what_both_windows_hold() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    near, far = cache.plan(NOW)
    cache.answered(near, [market(1, after(60))], NOW)
    both = cache.answered(far, [market(2, after(3 * 86_400))], NOW)
    assert [each.market_id for each in both] == ["1.1", "1.2"]


def test_a_market_that_the_newer_near_window_lacks_is_gone() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    near, far = cache.plan(NOW)
    cache.answered(far, [market(2, after(86_400 + 60))], NOW)
    cache.answered(near, [], NOW)
    (later,) = cache.plan(after(1_200))
    assert cache.answered(later, [], after(1_200)) == ()


def test_a_failed_window_pauses_alone_and_keeps_its_markets() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    near, far = cache.plan(NOW)
    cache.answered(near, [market(1, after(60))], NOW)
    cache.failed(far, NOW)
    assert cache.plan(after(9)) == ()
    assert cache.plan(after(10)) == (cache.plan(after(10))[0],)
    cache.failed(far, after(10), retry_after_s=300)
    assert cache.plan(after(309)) == ()
    assert len(cache.plan(after(310))) == 1
    assert [each.market_id for each in cache.markets("1")] == ["1.1"]


def test_other_market_types_make_the_sport_new() -> None:
    cache = CatalogueCache()
    cache.want({"1": ["MATCH_ODDS"]}, WEEK)
    near, far = cache.plan(NOW)
    cache.answered(near, [market(1, after(60))], NOW)
    cache.want({"1": ["DRAW_NO_BET"]}, WEEK)
    assert cache.markets("1") == ()
    assert cache.answered(far, [market(2, after(3 * 86_400))], NOW) == ()
    assert len(cache.plan(NOW)) == 2


@given(
    hours=st.lists(st.floats(0.1, 160), max_size=30),
    looks=st.lists(st.integers(1, 1_500), max_size=12),
)
@settings(max_examples=examples(50))
def test_both_windows_together_hold_every_market_at_any_time(
    hours: list[float], looks: list[int]
) -> None:
    markets = [market(n, NOW + timedelta(hours=h)) for n, h in enumerate(hours)]
    cache = CatalogueCache()
    now = NOW
    for wait_s in [0, *looks]:
        now += timedelta(seconds=wait_s)
        cache.want({"1": ["MATCH_ODDS"]}, WEEK)
        for ask in cache.plan(now):
            cache.answered(ask, in_window(ask, markets), now)
        held = {each.market_id for each in cache.markets("1")}
        assert held >= {each.market_id for each in markets if now <= each.kickoff <= WEEK}


def test_descriptions_are_read_once_a_day_in_batches_and_rechecked_where_missing() -> None:
    plan = DescriptionPlan(markets_per_call=2)
    first, second = plan.plan(["a", "b", "c"], NOW)
    assert (first, second) == (("a", "b"), ("c",))
    plan.answered(first, {"a"}, NOW)
    plan.failed(second, NOW)
    assert plan.plan(["a", "b", "c"], after(599)) == ()
    assert plan.plan(["a", "b", "c"], after(600)) == (("b", "c"),)
    assert plan.plan(["a"], after(86_400)) == (("a",),)


def test_descriptions_of_unwanted_markets_are_forgotten() -> None:
    plan = DescriptionPlan()
    plan.answered(("a",), {"a"}, NOW)
    assert plan.plan([], after(1)) == ()
    assert plan.plan(["a"], after(2)) == (("a",),)
