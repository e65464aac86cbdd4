"""Dutches: worked examples, and random markets against every combination there is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import BookmakerQuotes, EventQuotes, MarketBook, MarketQuotes
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.dutches import (
    DutchAnswer,
    DutchLeg,
    DutchOpportunity,
    DutchQuery,
    LegSide,
)
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking, Rejection
from kos.domain.opportunities.scoring import ScoringRules, back_sides
from kos.errors import InvalidInput
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market
from tests.domain.opportunities.test_market_snapshot_properties import (
    Scene,
    aged,
    own_book,
    own_match,
    scene,
    told,
)
from tests.profiles import examples

D = Decimal
RULES = ScoringRules()
LIQUID = ScoringRules(liquidity_floors={"": D(1)})


def picture(*events: EventQuotes, rules: ScoringRules = RULES) -> MarketSnapshot:
    made = MarketSnapshot(rules)
    made.apply_quotes(events[0].sport_key, events, NOW)
    return made


def three_way(coral: str = "2.9", betway: str = "3.6", skybet: str = "2.8") -> EventQuotes:
    """Each outcome's best price at another bookmaker; the others are poor."""
    prices = {
        "coral": (coral, "3.0", "2.0"),
        "betway": ("2.0", betway, "2.0"),
        "skybet": ("2.0", "3.0", skybet),
    }
    return event(
        *(
            bookmaker(key, quotes_market(dict(zip(("Leeds", "Draw", "York"), odds, strict=True))))
            for key, odds in prices.items()
        )
    )


def tennis(*makers: tuple[str, str, str], age_s: float = 0) -> EventQuotes:
    return event(
        *(
            bookmaker(
                key,
                quotes_market({"Leeds": a, "York": b}, updated_at=NOW - timedelta(seconds=age_s)),
            )
            for key, a, b in makers
        ),
        sport_key="tennis_atp_x",
    )


def bets_of(found: DutchOpportunity) -> list[tuple[str, str, str, str]]:
    return [(leg.side.value, leg.outcome, leg.place, str(leg.stake)) for leg in found.legs]


def profits_of(found: DutchOpportunity) -> dict[str, str]:
    return {each.outcome: str(each.profit) for each in found.outcomes}


def test_a_total_is_spread_over_three_outcomes_as_published() -> None:
    (found,) = picture(three_way()).dutches(DutchQuery(stake=D(300)), NOW).dutches
    assert sorted(bets_of(found)) == [
        ("back", "Draw", "betway", "85.06"),
        ("back", "Leeds", "coral", "105.59"),
        ("back", "York", "skybet", "109.36"),
    ]
    assert found.total == D("300.01")
    assert profits_of(found) == {"Leeds": "6.20", "York": "6.20", "Draw": "6.21"}
    assert found.profit == D("6.20")
    assert round(found.book_sum, 4) == D("0.9797")
    assert found.tier == 1


def test_a_stake_at_one_bookmaker_is_covered_at_others_as_published() -> None:
    seen = picture(three_way(coral="3.1", betway="3.5", skybet="2.5"))
    answer = seen.dutches(DutchQuery(bookmaker="coral", stake=D(40), ranking=Ranking.VALUE), NOW)
    found = next(each for each in answer.dutches if each.legs[0].outcome == "Leeds")
    assert bets_of(found) == [
        ("back", "Leeds", "coral", "40"),
        ("back", "York", "skybet", "49.60"),
        ("back", "Draw", "betway", "35.43"),
    ]
    assert found.profit == D("-1.03")
    assert answer.considered == 3


def test_a_free_bet_is_dutched_as_published() -> None:
    query = DutchQuery(bookmaker="coral", kind=BetKind.FREE_BET_SNR, stake=D(10))
    seen = picture(tennis(("coral", "3.0", "1.2"), ("skybet", "1.3", "1.5")))
    found = seen.dutches(query, NOW).dutches[0]
    assert bets_of(found) == [("back", "Leeds", "coral", "10"), ("back", "York", "skybet", "13.33")]
    assert found.profit == D("6.67")
    assert profits_of(found) == {"Leeds": "6.67", "York": "6.67"}
    assert found.total == D("13.33")
    assert found.legs[0].outlay == 0
    assert round(found.retention, 3) == D("0.666")


def test_a_refund_counts_on_every_outcome_but_its_own() -> None:
    query = DutchQuery(bookmaker="coral", kind=BetKind.REFUND, stake=D(10), is_refund_cash=True)
    seen = picture(tennis(("coral", "3.0", "1.2"), ("skybet", "1.3", "1.5")))
    found = next(x for x in seen.dutches(query, NOW).dutches if x.legs[0].outcome == "Leeds")
    assert bets_of(found)[1] == ("back", "York", "skybet", "13.33")
    assert profits_of(found) == {"Leeds": "6.67", "York": "6.67"}
    assert (found.refund, found.refund_worth) == (D("10.00"), D("10.00"))
    assert found.total == D("23.33")


def with_exchange(lay: str, available: str = "900") -> MarketSnapshot:
    """Home at 2.60, draw 3.20, away 2.90; Leeds can be laid on the own account."""
    seen = picture(
        event(
            bookmaker("coral", quotes_market({"Leeds": "2.60", "Draw": "3.0", "York": "2.0"})),
            bookmaker("skybet", quotes_market({"Leeds": "2.0", "Draw": "3.0", "York": "2.90"})),
            bookmaker("betway", quotes_market({"Leeds": "2.0", "Draw": "3.2", "York": "2.0"})),
        )
    )
    runners = {"Leeds": 1, "York": 2, "Draw": 3}
    seen.apply_matches(
        "soccer_epl",
        (match(runners),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate="0.02"),),
    )
    seen.apply_books((book({1: (lay, available), 2: None, 3: None}),))
    return seen


def test_a_lay_replaces_two_backs_where_it_is_better_and_only_there() -> None:
    query = DutchQuery(bookmaker="coral", stake=D(20), max_odds=D("2.7"), min_odds=D("2.5"))
    (laid,) = with_exchange("2.64").dutches(query, NOW).dutches
    assert bets_of(laid) == [("back", "Leeds", "coral", "20"), ("lay", "Leeds", "betfair", "19.85")]
    assert laid.profit == D("-0.55")
    assert laid.legs[1].covers == ("York", "Draw")
    (pair,) = (
        with_exchange("2.64")
        .best(OpportunityQuery(bookmaker="coral", stake=D(20)), NOW)
        .opportunities
    )
    assert (pair.lay_stake, pair.profit) == (laid.legs[1].stake, laid.profit)
    assert round(laid.rating, 12) == round(pair.rating, 12)
    (backed,) = with_exchange("3.00").dutches(query, NOW).dutches
    assert [leg.side for leg in backed.legs] == [LegSide.BACK] * 3


def test_exchanges_can_be_left_out_and_their_liquidity_asked_for() -> None:
    query = DutchQuery(bookmaker="coral", stake=D(20), max_odds=D("2.7"), min_odds=D("2.5"))
    for narrower in (
        msgspec.structs.replace(query, with_exchanges=False),
        msgspec.structs.replace(query, min_liquidity=D(901)),
    ):
        (found,) = with_exchange("2.64").dutches(narrower, NOW).dutches
        assert not any(leg.is_exchange for leg in found.legs)
    (found,) = with_exchange("2.64", available="49").dutches(query, NOW).dutches
    assert not any(leg.is_exchange for leg in found.legs)  # the floor is 50


def test_no_place_is_used_twice() -> None:
    seen = picture(tennis(("coral", "2.2", "2.2"), ("skybet", "2.1", "1.9")))
    (found,) = seen.dutches(DutchQuery(stake=D(100)), NOW).dutches
    assert {leg.place for leg in found.legs} == {"coral", "skybet"}
    assert [leg.odds for leg in found.legs] == [D("2.1"), D("2.2")]


def test_one_bookmaker_alone_is_no_dutch() -> None:
    answer = picture(tennis(("coral", "2.2", "2.2"))).dutches(DutchQuery(), NOW)
    assert answer.dutches == ()
    assert answer.rejected == {Rejection.INCOMPLETE.value: 1}


def test_a_stale_leg_counts_for_nothing() -> None:
    seen = MarketSnapshot(RULES)
    old = quotes_market({"Leeds": "2.1", "York": "2.1"}, updated_at=NOW - timedelta(seconds=1790))
    new = quotes_market({"Leeds": "1.95", "York": "1.95"})
    makers = (bookmaker("coral", old), bookmaker("skybet", new), bookmaker("betway", new))
    seen.apply_quotes("tennis_atp_x", (event(*makers, sport_key="tennis_atp_x"),), NOW)
    (found,) = seen.dutches(DutchQuery(), NOW).dutches
    assert "coral" in {leg.place for leg in found.legs}
    later = NOW + timedelta(seconds=11)
    (found,) = seen.dutches(DutchQuery(), later).dutches
    assert "coral" not in {leg.place for leg in found.legs}
    asked = seen.dutches(DutchQuery(bookmaker="coral"), later)
    assert asked.dutches == ()
    assert asked.rejected == {Rejection.STALE_BACK.value: 2}


def test_what_has_started_or_is_in_play_is_never_covered() -> None:
    query = DutchQuery()
    started = NOW + timedelta(minutes=90)
    assert picture(three_way()).dutches(query, started).rejected == {Rejection.STARTED.value: 1}
    soon = NOW + timedelta(minutes=86)
    assert picture(three_way()).dutches(query, soon).rejected == {Rejection.TOO_SOON.value: 1}
    seen = with_exchange("2.64")
    for status, in_play, reason in (
        ("OPEN", True, Rejection.IN_PLAY),
        ("SUSPENDED", False, Rejection.SUSPENDED),
    ):
        halted = book({1: ("2.64", "900")}, status=status, is_in_play=in_play)
        seen.apply_books((msgspec.structs.replace(halted, version=2),))
        assert seen.dutches(query, NOW).rejected == {reason.value: 1}


def test_other_forms_of_the_bet_are_never_mixed() -> None:
    three = quotes_market({"Leeds": "2.6", "Draw": "9.0", "York": "2.6"})
    two = quotes_market({"Leeds": "2.3", "York": "2.3"})
    seen = picture(
        event(
            bookmaker("coral", three), bookmaker("skybet", two), sport_key="rugbyunion_six_nations"
        )
    )
    assert seen.dutches(DutchQuery(), NOW).rejected == {Rejection.INCOMPLETE.value: 1}
    hockey = event(bookmaker("coral", three), bookmaker("skybet", two), sport_key="icehockey_nhl")
    answer = picture(hockey).dutches(DutchQuery(bookmaker="coral"), NOW)
    assert answer.dutches == ()
    assert set(answer.rejected) == {Rejection.OTHER_BET.value, Rejection.DRAW.value}


def test_what_is_too_good_is_believed_only_while_brand_new() -> None:
    query = DutchQuery()
    wrong = ("coral", "3.5", "1.2")
    right = (("skybet", "1.9", "1.9"), ("betway", "1.85", "1.95"))
    (new,) = picture(tennis(wrong, *right)).dutches(query, NOW).dutches
    assert new.legs[0].place == "coral"
    (old,) = picture(tennis(wrong, *right, age_s=31)).dutches(query, NOW).dutches
    assert {leg.place for leg in old.legs} == {"skybet", "betway"}


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("bookmaker", DutchQuery(kind=BetKind.FREE_BET_SNR)),
        ("bookmaker", DutchQuery(free_bet_value=D(10))),
        ("ranking", DutchQuery(ranking=Ranking.VALUE_PER_LIABILITY)),
        ("only_arbs", DutchQuery(bookmaker="a", kind=BetKind.REFUND, only_arbs=True)),
        ("stake", DutchQuery(stake=D(0))),
        ("refund_value", DutchQuery(refund_value=D(5))),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(field: str, query: DutchQuery) -> None:
    with pytest.raises(InvalidInput) as refused:
        MarketSnapshot(RULES).dutches(query, NOW)
    assert refused.value.field == field


# --- against every combination -------------------------------------------------------------------


class Price(NamedTuple):
    """One bet that could be made."""

    side: LegSide
    outcome: str
    place: str
    family: str
    odds: Fraction
    fee: Fraction
    is_known: bool
    seen_at: datetime
    is_certain: bool

    @property
    def effective(self) -> Fraction:
        if self.side is LegSide.LAY:
            return 1 + (1 - self.fee) / (self.odds - 1)
        return 1 + (self.odds - 1) * (1 - self.fee)


def family_of(key: str) -> str:
    return "betfair" if key.startswith("betfair") else key


def is_counted(found: MarketQuotes, one: EventQuotes, now: datetime) -> bool:
    """Whether a block of the feed is fresh and of the sport's bet."""
    if aged(found.updated_at, now):
        return False
    expected = sport_of(one.sport_key).h2h_outcomes
    if found.key == "h2h_lay":
        return expected != 2 or not is_drawn(found)
    return expected is None or is_drawn(found) == (expected == 3)


def is_drawn(found: MarketQuotes) -> bool:
    return any(each.name == "Draw" for each in found.outcomes)


def newest_betfair(key: str, one: EventQuotes, now: datetime) -> str | None:
    """Of the two keys of one order book, the one read last."""
    stamps = [
        (found.updated_at or NOW, maker.key)
        for maker in one.bookmakers
        for found in maker.markets
        if found.key == key
        and family_of(maker.key) == "betfair"
        and (key == "h2h_lay" or is_counted(found, one, now))
    ]
    return max(stamps)[1] if stamps else None


def prices_of(seen: Scene, one: EventQuotes, has_draw: bool, now: datetime) -> Iterator[Price]:
    """Every fresh price of this form of the bet, read plainly."""
    own = own_book(seen, one)
    is_own = own is not None and (now - own.received_at).total_seconds() <= 120
    for maker in one.bookmakers:
        for found in maker.markets:
            is_betfair = family_of(maker.key) == "betfair"
            if is_betfair and (is_own or maker.key != newest_betfair(found.key, one, now)):
                continue
            if is_counted(found, one, now):
                yield from feed_prices(maker, found, one, has_draw)
    if own is not None and is_own:
        yield from own_prices(seen, one, own, has_draw)


def feed_prices(
    maker: BookmakerQuotes,
    found: MarketQuotes,
    one: EventQuotes,
    has_draw: bool,
) -> Iterator[Price]:
    is_lay, facts = found.key == "h2h_lay", sport_of(one.sport_key)
    if (not is_lay or facts.h2h_outcomes is None) and is_drawn(found) != has_draw:
        return
    is_exchange = maker.key in RULES.commissions
    for each in found.outcomes:
        if is_exchange and each.limit is not None and each.limit < facts.liquidity_floor:
            continue
        if has_draw or each.name != "Draw":
            yield Price(
                LegSide.LAY if is_lay else LegSide.BACK,
                each.name,
                maker.key,
                family_of(maker.key),
                Fraction(each.price),
                Fraction(RULES.commissions.get(maker.key, D(0))),
                not is_exchange or each.limit is not None,
                found.updated_at or NOW,
                is_certain=True,
            )


def own_prices(
    seen: Scene,
    one: EventQuotes,
    own: MarketBook,
    has_draw: bool,
) -> Iterator[Price]:
    matched, facts = own_match(seen, one), sport_of(one.sport_key)
    market = next(found for found in seen.markets if found.market_id == own.market_id)
    drawn = any(runner.name == "The Draw" for runner in market.runners)
    if drawn != (has_draw if facts.h2h_outcomes is None else facts.h2h_outcomes == 3):
        return
    for runner in own.runners:
        outcome = {1: "Leeds", 2: "York", 3: "Draw"}[runner.selection_id]
        sides = [(LegSide.LAY, level) for level in runner.to_lay]
        sides += [(LegSide.BACK, level) for level in runner.to_back]
        for side, level in sides:
            if level.size >= facts.liquidity_floor and (has_draw or outcome != "Draw"):
                yield Price(
                    side,
                    outcome,
                    "betfair",
                    "betfair",
                    Fraction(level.price),
                    Fraction("0.05"),
                    is_known=True,
                    seen_at=own.received_at,
                    is_certain=matched is not None and matched.confidence == 1,
                )


def combinations(prices: list[Price], outcomes: tuple[str, ...]) -> Iterator[tuple[Price, ...]]:
    """Every set of bets that covers all outcomes, at different places."""
    backs = [
        [each for each in prices if each.side is LegSide.BACK and each.outcome == outcome]
        for outcome in outcomes
    ]
    found: list[tuple[Price, ...]] = list(itertools.product(*backs))
    found += [
        (back, lay)
        for back in prices
        for lay in prices
        if back.side is LegSide.BACK
        and lay.side is LegSide.LAY
        and back.outcome == lay.outcome
        and 100 * lay.odds >= 95 * back.effective
    ]
    for legs in found:
        if len({leg.family for leg in legs}) == len(legs):
            yield legs


def rating_of(legs: tuple[Price, ...], first: Price | None) -> Fraction:
    book = sum((1 / leg.effective for leg in legs), Fraction(0))
    return 1 / book if first is None else 1 + first.effective * (1 - book)


def plainly(seen: Scene, query: DutchQuery, now: datetime) -> dict[tuple[str, str], Fraction]:
    """By event and first outcome, the best rating of all combinations."""
    best: dict[tuple[str, str], tuple[bool, Fraction]] = {}
    for events in seen.quotes.values():
        for one in events:
            own = own_book(seen, one)
            minutes = (one.kickoff - now).total_seconds() / 60
            if minutes < 5 or (own is not None and (own.is_in_play or own.status != "OPEN")):
                continue
            for outcomes in (("Leeds", "York"), ("Leeds", "York", "Draw")):
                prices = [
                    price
                    for price in prices_of(seen, one, len(outcomes) == 3, now)
                    if query.with_exchanges
                    or price.place == query.bookmaker
                    or price.place not in {*RULES.commissions, "betfair"}
                ]
                for legs in combinations(prices, outcomes):
                    firsts = [
                        leg
                        for leg in legs
                        if leg.side is LegSide.BACK and leg.place == query.bookmaker
                    ]
                    first = firsts[0] if firsts else None
                    if first is None and query.bookmaker is not None:
                        continue
                    is_pair = legs[-1].side is LegSide.LAY
                    judged = rating_of(legs, legs[0] if is_pair else first)
                    if judged > Fraction(RULES.max_rating) and not all(
                        leg.is_certain and (now - leg.seen_at).total_seconds() <= 30 for leg in legs
                    ):
                        continue
                    key = (one.id, first.outcome if first else "")
                    figure = (all(leg.is_known for leg in legs), rating_of(legs, first))
                    best[key] = max(best.get(key, figure), figure)
    return {key: rating for key, (_, rating) in best.items()}


dutch_queries = st.builds(
    DutchQuery,
    bookmaker=st.sampled_from([None, "coral", "smarkets"]),
    stake=st.sampled_from([D(2000), D("333.33")]),
    limit=st.just(500),
    with_exchanges=st.booleans(),
    ranking=st.sampled_from([Ranking.RATING, Ranking.VALUE, Ranking.SEED, Ranking.VALUE_PER_HOUR]),
)
seeds = st.integers(0, 10**6)
moments = st.sampled_from([0, 0, 0, 11, 100, 121, 901]).map(
    lambda later: NOW + timedelta(seconds=later)
)


@settings(max_examples=examples(150))
@given(seeds, dutch_queries, moments)
def test_the_best_dutch_is_that_of_all_combinations(
    seed: int, query: DutchQuery, now: datetime
) -> None:
    seen = scene(seed)
    answer = told(seen, random.Random(seed), RULES).dutches(query, now)
    assert len(answer.dutches) + sum(answer.rejected.values()) == answer.considered
    found = {
        (each.event_id, each.legs[0].outcome if query.bookmaker else ""): each
        for each in answer.dutches
    }
    expected = plainly(seen, query, now)
    assert found.keys() == expected.keys()
    for key, dutch in found.items():
        assert abs(Fraction(dutch.rating) / expected[key] - 1) < Fraction(1, 10**12)
    assert_sound(answer, query, now)


@settings(max_examples=examples(40))
@given(seeds, st.lists(st.tuples(dutch_queries, moments), min_size=2, max_size=3))
def test_what_was_asked_before_changes_no_dutch(
    seed: int, asked: list[tuple[DutchQuery, datetime]]
) -> None:
    seen = scene(seed)
    picture = told(seen, random.Random(seed), RULES)
    for query, now in (*asked, *reversed(asked)):
        fresh = told(seen, random.Random(seed), RULES)
        assert picture.dutches(query, now) == fresh.dutches(query, now)


@settings(max_examples=examples(40))
@given(seeds, dutch_queries, st.integers(1, 6))
def test_fewer_are_the_first_of_more(seed: int, query: DutchQuery, limit: int) -> None:
    seen = told(scene(seed), random.Random(seed), RULES)
    everything = seen.dutches(query, NOW)
    first = seen.dutches(msgspec.structs.replace(query, limit=limit), NOW)
    assert first.dutches == everything.dutches[:limit]


@settings(max_examples=examples(60))
@given(
    seeds,
    st.sampled_from(BetKind),
    st.sampled_from([D(1), D(10), D("33.33")]),
    st.booleans(),
)
def test_every_outcome_follows_from_the_stakes_shown(
    seed: int,
    kind: BetKind,
    stake: Decimal,
    only_arbs: bool,
) -> None:
    query = DutchQuery(
        bookmaker="coral",
        kind=kind,
        stake=stake,
        limit=500,
        only_arbs=only_arbs and kind is BetKind.QUALIFYING,
    )
    answer = told(scene(seed), random.Random(seed), RULES).dutches(query, NOW)
    assert len(answer.dutches) + sum(answer.rejected.values()) == answer.considered
    assert_sound(answer, query, NOW)
    if query.only_arbs:
        assert all(each.rating > 1 and each.profit >= 0 for each in answer.dutches)


def assert_sound(answer: DutchAnswer, query: DutchQuery, now: datetime) -> None:
    """Each figure recomputed from the stakes shown."""
    for dutch in answer.dutches:
        assert dutch.kickoff - now >= timedelta(minutes=5)
        assert len({family_of(leg.place) for leg in dutch.legs}) == len(dutch.legs)
        names = [each.outcome for each in dutch.outcomes]
        covered = [name for leg in dutch.legs for name in leg.covers]
        assert sorted(covered) == sorted(names)
        for leg in dutch.legs:
            assert leg.stake == leg.stake.quantize(D("0.01")) > 0
            assert (now - leg.received_at).total_seconds() <= 900
            assert leg.is_exchange or leg.available is None
        outlays = [outlay_of(leg, dutch) for leg in dutch.legs]
        assert abs(sum(outlays, Fraction(0)) - Fraction(dutch.total)) <= Fraction(len(outlays), 200)
        exact = [profit_of(dutch, name) for name in names]
        for each, profit in zip(dutch.outcomes, exact, strict=True):
            assert abs(Fraction(each.profit) - profit) <= Fraction(1, 200)
        assert abs(Fraction(dutch.profit) - min(exact)) <= Fraction(1, 200)
        assert dutch.profit == min(each.profit for each in dutch.outcomes)
        if query.bookmaker is not None:
            assert dutch.legs[0].place == query.bookmaker
            assert dutch.legs[0].stake == query.stake
        else:
            lays = [leg.odds for leg in dutch.legs if leg.side is LegSide.LAY]
            astray = D("0.005") * (len(dutch.legs) + sum(lays, D(0)))
            assert abs(dutch.total - query.stake) <= astray


def outlay_of(leg: DutchLeg, dutch: DutchOpportunity) -> Fraction:
    if leg is dutch.legs[0] and dutch.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}:
        return Fraction(0)
    stake = Fraction(leg.stake)
    return stake * (Fraction(leg.odds) - 1) if leg.side is LegSide.LAY else stake


def profit_of(dutch: DutchOpportunity, name: str) -> Fraction:
    first = dutch.legs[0]
    terms = OpportunityQuery(kind=dutch.kind, stake=first.stake)
    odds = 1 + (first.odds - 1) * (1 - first.commission)
    wins, loses = back_sides(terms, odds, RULES)
    total = Fraction(wins if name in first.covers else loses)
    for leg in dutch.legs[1:]:
        if name not in leg.covers:
            total -= outlay_of(leg, dutch)
            continue
        gain = Fraction(leg.stake) * (1 - Fraction(leg.commission))
        total += gain if leg.side is LegSide.LAY else gain * (Fraction(leg.odds) - 1)
    return total
