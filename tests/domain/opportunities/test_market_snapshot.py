"""The market picture: what is offered, what never is, and that its order is the exact one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    Verdict,
)
from kos.domain.money import pennies
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import (
    BetKind,
    OpportunityAnswer,
    OpportunityQuery,
    Rejection,
)
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput
from tests.builders import (
    NOW,
    book,
    bookmaker,
    event,
    exchange_market,
    match,
    quotes_market,
)

D = Decimal
RULES = ScoringRules()
THREE = {"Leeds": 1, "York": 2, "Draw": 3}
TWO = {"Leeds": 1, "York": 2}
BACKS = {"Leeds": "2.50", "York": "3.10", "Draw": "3.40"}
LAYS = {1: ("2.54", 180), 2: ("3.20", 90), 3: ("3.55", 60)}


def ask(picture: MarketSnapshot, now: datetime = NOW, **query: Any) -> OpportunityAnswer:
    return picture.best(OpportunityQuery(**query), now)


def picture_of(
    *events: EventQuotes,
    books: tuple[MarketBook, ...] = (),
    matches: tuple[EventMatch, ...] | None = None,
    markets: tuple[ExchangeMarket, ...] | None = None,
    rules: ScoringRules = RULES,
    fetched_at: datetime = NOW,
) -> MarketSnapshot:
    picture = MarketSnapshot(rules)
    sport_key = events[0].sport_key
    picture.apply_quotes(sport_key, events, fetched_at)
    picture.apply_matches(
        sport_key,
        (match(THREE, sport_key=sport_key),) if matches is None else matches,
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}),) if markets is None else markets,
    )
    picture.apply_books(books)
    return picture


def coral(prices: dict[str, str] | None = None, **more: Any) -> Any:
    return bookmaker("coral", quotes_market(prices or BACKS, **more))


def test_each_back_price_is_offered_with_its_lay_and_exact_money() -> None:
    answer = ask(picture_of(event(coral()), books=(book(LAYS),)))
    assert answer.considered == 3
    assert answer.rejected == {}
    leeds = next(found for found in answer.opportunities if found.outcome == "Leeds")
    assert (leeds.back_odds, leeds.lay_odds, leeds.commission) == (D("2.50"), D("2.54"), D("0.05"))
    assert (leeds.lay_stake, leeds.liability) == (D("10.04"), D("15.46"))
    assert (leeds.if_back_wins, leeds.if_back_loses, leeds.profit) == (
        D("-0.46"),
        D("-0.46"),
        D("-0.46"),
    )
    assert (leeds.market_id, leeds.selection_id, leeds.exchange) == ("1.1", 1, "betfair")
    assert leeds.lay_available == D(180)


def test_the_market_s_base_rate_less_the_accounts_discount_is_the_commission() -> None:
    market = exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate="0.05")
    rules = ScoringRules(betfair_discount=D("0.20"))
    allowed = ExchangeMarket(
        **{name: getattr(market, name) for name in market.__struct_fields__}
        | {"discount_allowed": True}
    )
    for given_market, commission in ((market, "0.05"), (allowed, "0.04")):
        picture = picture_of(
            event(coral()), books=(book(LAYS),), markets=(given_market,), rules=rules
        )
        assert {found.commission for found in ask(picture).opportunities} == {D(commission)}


@pytest.mark.parametrize(
    ("later_s", "reason"),
    [(0, None), (120, None), (121, Rejection.STALE_LAY), (901, Rejection.STALE_BACK)],
)
def test_stale_prices_count_for_nothing_and_are_named_stale(
    later_s: int, reason: Rejection | None
) -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    answer = ask(picture, NOW + timedelta(seconds=later_s))
    assert answer.rejected == ({} if reason is None else {reason.value: 3})
    assert len(answer.opportunities) == (3 if reason is None else 0)


def test_a_price_that_its_source_read_long_ago_is_stale_though_just_fetched() -> None:
    old = event(coral(updated_at=NOW - timedelta(seconds=1801)))
    assert ask(picture_of(old, books=(book(LAYS),))).rejected == {Rejection.STALE_BACK.value: 3}


def test_asking_about_an_earlier_moment_after_a_later_one_gives_the_earlier_answer() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    first = ask(picture)
    assert ask(picture, NOW + timedelta(hours=1)).opportunities == ()
    assert ask(picture) == first


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"is_in_play": True}, Rejection.IN_PLAY),
        ({"status": "SUSPENDED"}, Rejection.SUSPENDED),
        ({"status": "CLOSED"}, Rejection.SUSPENDED),
    ],
)
def test_an_event_in_play_or_suspended_on_the_exchange_is_offered_nowhere(
    changed: dict[str, Any], reason: Rejection
) -> None:
    smarkets = bookmaker("smarkets", quotes_market(BACKS, key="h2h_lay"))
    picture = picture_of(event(coral(), smarkets), books=(book(LAYS, **changed),))
    assert ask(picture).rejected == {reason.value: 3}


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [(0, Rejection.STARTED), (-10, Rejection.STARTED), (4.99, Rejection.TOO_SOON), (5, None)],
)
def test_nothing_is_offered_shortly_before_kickoff_or_after(
    minutes: float, reason: Rejection | None
) -> None:
    picture = picture_of(
        event(coral(), kickoff=NOW + timedelta(minutes=minutes)), books=(book(LAYS),)
    )
    assert ask(picture).rejected == ({} if reason is None else {reason.value: 3})


@pytest.mark.parametrize("verdict", [Verdict.DOUBT, Verdict.NONE])
def test_a_doubtful_match_is_never_priced(verdict: Verdict) -> None:
    picture = picture_of(
        event(coral()), books=(book(LAYS),), matches=(match(THREE, verdict=verdict),)
    )
    reason = Rejection.DOUBTFUL if verdict is Verdict.DOUBT else Rejection.UNMATCHED
    assert ask(picture).rejected == {reason.value: 3}
    assert ask(picture).opportunities == ()


def test_a_match_withdrawn_later_takes_its_prices_away() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    assert ask(picture).opportunities
    picture.apply_matches("soccer_epl", (match(THREE, verdict=Verdict.DOUBT),), ())
    assert ask(picture).opportunities == ()
    picture.apply_matches("soccer_epl", (), ())
    assert ask(picture).rejected == {Rejection.UNMATCHED.value: 3}


def test_no_draw_is_offered_where_the_sport_has_none_and_its_book_is_another_bet() -> None:
    nba = "basketball_nba"
    two_way = {"Leeds": "1.90", "York": "1.95"}
    lays = {1: ("1.94", 180), 2: ("2.00", 90)}
    quotes = event(
        bookmaker("coral", quotes_market(two_way)),
        bookmaker("betway", quotes_market({**two_way, "Draw": "15"})),
        sport_key=nba,
    )
    picture = picture_of(
        quotes,
        books=(book(lays),),
        matches=(match(TWO, sport_key=nba),),
        markets=(exchange_market(TWO),),
    )
    answer = ask(picture)
    assert answer.rejected == {Rejection.OTHER_BET.value: 2, Rejection.DRAW.value: 1}
    assert {found.bookmaker for found in answer.opportunities} == {"coral"}


def test_a_two_way_book_on_a_three_way_market_is_another_bet() -> None:
    no_draw = event(coral({"Leeds": "1.70", "York": "2.20"}))
    assert ask(picture_of(no_draw, books=(book(LAYS),))).rejected == {Rejection.OTHER_BET.value: 2}


def test_where_both_forms_exist_the_two_markets_must_have_the_same() -> None:
    rugby = "rugbyleague_nrl"
    quotes = event(coral({"Leeds": "1.90", "York": "1.95"}), sport_key=rugby)
    matches = (match(THREE, sport_key=rugby),)
    lays = {1: ("1.94", 180), 2: ("2.00", 90), 3: ("20", 90)}
    three_way = picture_of(quotes, books=(book(lays),), matches=matches)
    assert ask(three_way).rejected == {Rejection.OTHER_BET.value: 2}
    two_way = picture_of(
        quotes, books=(book(lays),), matches=matches, markets=(exchange_market(TWO),)
    )
    assert len(ask(two_way).opportunities) == 2


def test_an_inverted_pair_is_rejected_at_the_exact_edge() -> None:
    for lay, count in (("3.80", 0), ("3.7999", 1)):
        quotes = event(coral({"Leeds": "4.0", "York": "1.9", "Draw": "3.4"}))
        picture = picture_of(quotes, books=(book({1: (lay, 100)}),))
        assert ask(picture).rejected.get(Rejection.INVERTED.value, 0) == count


def test_a_rating_too_good_to_be_true_needs_certain_names_and_brand_new_prices() -> None:
    prices = {"Leeds": "1.20", "York": "8", "Draw": "9"}
    books = (book({1: ("1.10", 500)}, received_at=NOW),)
    sure = picture_of(event(coral(prices)), books=books, rules=ScoringRules(max_rating=D("1.05")))
    assert len(ask(sure).opportunities) == 0  # 1.20 against 1.10 is inverted anyway
    close = {"Leeds": "1.15", "York": "8", "Draw": "9"}
    rules = ScoringRules(max_rating=D("1.02"))
    fresh = picture_of(event(coral(close)), books=books, rules=rules)
    assert len(ask(fresh).opportunities) == 1
    later = NOW + timedelta(seconds=31)
    assert ask(fresh, later).rejected[Rejection.TOO_GOOD.value] == 1
    unsure = picture_of(
        event(coral(close)), books=books, rules=rules, matches=(match(THREE, confidence=0.97),)
    )
    assert ask(unsure).rejected[Rejection.TOO_GOOD.value] == 1


def test_a_pair_too_good_at_an_exchange_asked_for_is_believed_only_while_brand_new() -> None:
    smarkets = bookmaker("smarkets", quotes_market({"Leeds": "1.15", "York": "8", "Draw": "9"}))
    picture = picture_of(
        event(smarkets),
        books=(book({1: ("1.10", 500)}),),
        rules=ScoringRules(max_rating=D("1.02")),
    )
    assert len(ask(picture, bookmaker="smarkets").opportunities) == 1
    later = ask(picture, NOW + timedelta(seconds=31), bookmaker="smarkets")
    assert later.rejected[Rejection.TOO_GOOD.value] == 1


def test_lays_come_from_exchanges_in_the_feed_without_any_match() -> None:
    smarkets = bookmaker(
        "smarkets",
        quotes_market(BACKS),
        quotes_market(
            {"Leeds": "2.60", "York": "3.2", "Draw": "3.6"},
            key="h2h_lay",
            limits={"Leeds": "75", "York": "10"},
        ),
    )
    answer = ask(picture_of(event(coral(), smarkets), matches=(), markets=()))
    assert answer.considered == 3  # smarkets' own back prices are nobody's offer
    assert answer.rejected == {Rejection.BELOW_FLOOR.value: 1}
    by_outcome = {found.outcome: found for found in answer.opportunities}
    assert by_outcome["Leeds"].lay_available == D(75)
    assert by_outcome["Leeds"].commission == D("0.02")
    assert by_outcome["Draw"].lay_available is None
    assert [found.outcome for found in answer.opportunities] == ["Leeds", "Draw"]


def test_feed_limits_can_be_distrusted() -> None:
    lay = quotes_market(BACKS, key="h2h_lay", limits=dict.fromkeys(BACKS, "75"))
    picture = picture_of(
        event(coral(), bookmaker("smarkets", lay)),
        matches=(),
        rules=ScoringRules(use_feed_limits=False),
    )
    assert {found.lay_available for found in ask(picture).opportunities} == {None}


def test_the_feeds_betfair_is_superseded_while_the_own_book_is_fresh() -> None:
    feed = bookmaker(
        "betfair_ex_uk", quotes_market({"Leeds": "2.40", "York": "3", "Draw": "3.3"}, key="h2h_lay")
    )
    picture = picture_of(event(coral(), feed), books=(book(LAYS),))
    assert {found.exchange for found in ask(picture).opportunities} == {"betfair"}
    gone_stale = ask(picture, NOW + timedelta(seconds=121))
    assert {found.exchange for found in gone_stale.opportunities} == {"betfair_ex_uk"}


def test_one_order_book_under_two_keys_counts_once_by_its_later_reading() -> None:
    lays = {"Leeds": "2.60", "York": "3.2", "Draw": "3.6"}
    better = {"Leeds": "2.52", "York": "3.1", "Draw": "3.5"}
    old = NOW - timedelta(seconds=60)
    picture = picture_of(
        event(
            coral(),
            bookmaker("betfair_ex_eu", quotes_market(better, key="h2h_lay", updated_at=old)),
            bookmaker("betfair_ex_uk", quotes_market(lays, key="h2h_lay")),
        ),
        matches=(),
    )
    found = ask(picture).opportunities
    assert {opportunity.exchange for opportunity in found} == {"betfair_ex_uk"}


def test_an_exchange_is_backed_only_when_asked_for_less_its_fee_and_never_against_itself() -> None:
    smarkets = bookmaker("smarkets", quotes_market(BACKS), quotes_market(BACKS, key="h2h_lay"))
    matchbook = bookmaker("matchbook", quotes_market({**BACKS, "Leeds": "2.45"}, key="h2h_lay"))
    picture = picture_of(event(smarkets, matchbook), matches=())
    assert ask(picture).considered == 0
    answer = ask(picture, bookmaker="smarkets", stake=D(100))
    assert {found.exchange for found in answer.opportunities} == {"matchbook"}
    leeds = next(found for found in answer.opportunities if found.outcome == "Leeds")
    assert leeds.back_odds == D("2.50")
    assert leeds.if_back_wins == pennies(D("147.00") - leeds.lay_stake * D("1.45"))


def test_only_the_best_lay_of_a_back_price_is_shown() -> None:
    smarkets = bookmaker(
        "smarkets",
        quotes_market({"Leeds": "2.52"}, key="h2h_lay", limits={"Leeds": "100"}),
    )
    picture = picture_of(event(coral(), smarkets), books=(book(LAYS),))
    leeds = [found for found in ask(picture).opportunities if found.outcome == "Leeds"]
    assert [found.exchange for found in leeds] == ["smarkets"]
    by_betfair = ask(picture, exchange="betfair").opportunities
    assert {found.exchange for found in by_betfair} == {"betfair"}


def test_delayed_prices_are_marked_and_can_be_refused() -> None:
    delayed = (book(LAYS, is_delayed=True),)
    assert all(
        found.is_delayed for found in ask(picture_of(event(coral()), books=delayed)).opportunities
    )
    strict = ScoringRules(use_delayed_prices=False)
    picture = picture_of(event(coral()), books=delayed, rules=strict)
    assert ask(picture).rejected == {Rejection.DELAYED.value: 3}


@pytest.mark.parametrize(
    ("query", "left", "reason"),
    [
        ({"min_odds": D("3.10")}, 2, Rejection.ODDS_TOO_LOW),
        ({"max_odds": D("3.10")}, 2, Rejection.ODDS_TOO_HIGH),
        ({"min_liquidity": D(90)}, 2, Rejection.TOO_LITTLE),
        ({"max_liability": D(16)}, 1, Rejection.OVER_LIABILITY),
        ({"max_minutes_to_kickoff": 60.0}, 0, Rejection.TOO_LATE),
        ({"exchange": "smarkets"}, 0, Rejection.NO_LAY),
        ({"stake": D("0.50")}, 0, Rejection.LAY_TOO_SMALL),
    ],
)
def test_filters_leave_out_and_count(query: dict[str, Any], left: int, reason: Rejection) -> None:
    answer = ask(picture_of(event(coral()), books=(book(LAYS),)), **query)
    assert len(answer.opportunities) == left
    assert answer.rejected == {reason.value: 3 - left}


def test_a_question_can_be_kept_to_a_bookmaker_and_a_sport() -> None:
    picture = picture_of(
        event(coral(), bookmaker("betway", quotes_market(BACKS))), books=(book(LAYS),)
    )
    assert {found.bookmaker for found in ask(picture, bookmaker="betway").opportunities} == {
        "betway"
    }
    assert ask(picture, bookmaker="nobody").considered == 0
    assert ask(picture, sport="soccer").considered == 6
    assert ask(picture, sport="tennis").considered == 0


@pytest.mark.parametrize(
    "query",
    [
        {"stake": D(0)},
        {"stake": D("NaN")},
        {"stake": D("1e9")},
        {"free_bet_value": D(-1)},
        {"limit": 0},
        {"limit": 501},
        {"min_odds": D("0.5")},
        {"max_odds": D("NaN")},
        {"only_arbs": True, "hide_arbs": True},
        {"only_arbs": True, "kind": BetKind.FREE_BET_SNR},
        {"max_liability": D("Infinity")},
        {"max_minutes_to_kickoff": float("nan")},
    ],
)
def test_a_senseless_question_is_refused_by_field(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(MarketSnapshot(RULES), **query)
    assert refused.value.field in query


def test_an_older_word_never_replaces_a_newer_one() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    before = ask(picture)
    past = NOW - timedelta(seconds=30)
    picture.apply_quotes("soccer_epl", (event(coral({**BACKS, "Leeds": "9"})),), past)
    picture.apply_books((book({1: ("1.01", 1)}, received_at=past),))
    assert ask(picture) == before


def test_events_that_a_poll_no_longer_lists_are_gone() -> None:
    picture = picture_of(event(coral()), event(coral(), id="e2"), books=(book(LAYS),))
    assert len(picture) == 2
    picture.apply_quotes("soccer_epl", (event(coral(), id="e2"),), NOW)
    assert len(picture) == 1


def test_finished_events_and_dropped_sports_are_forgotten() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    kickoff = NOW + timedelta(minutes=90)
    assert picture.forget(kickoff + timedelta(hours=2)) == 0
    assert picture.forget(kickoff + timedelta(hours=3)) == 1
    assert len(picture) == 0
    other = picture_of(event(coral()), books=(book(LAYS),))
    other.keep_sports({"tennis_atp"})
    assert len(other) == 0
    other.apply_books((book(LAYS),))
    assert ask(other).considered == 0


def test_a_book_that_no_event_uses_is_forgotten_after_a_day() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),), matches=())
    day = timedelta(days=1)
    kickoff = NOW + 2 * day
    for at, count in ((NOW + day, 3), (NOW + day + timedelta(seconds=1), 0)):
        picture.forget(at)
        picture.apply_quotes("soccer_epl", (event(coral(), kickoff=kickoff),), NOW)
        picture.apply_matches("soccer_epl", (match(THREE),), ())
        assert len(ask(picture).opportunities) == count
        picture.apply_matches("soccer_epl", (), ())


def test_terms_longest_unasked_give_way_and_change_no_answer() -> None:
    picture = picture_of(event(coral()), books=(book(LAYS),))
    stakes = [D(stake) for stake in range(10, 30)]
    first = [ask(picture, stake=stake) for stake in stakes]
    assert [ask(picture, stake=stake) for stake in stakes] == first


def test_two_events_on_one_exchange_market_are_matched_and_unmatched_each_by_itself() -> None:
    matches = tuple(match(THREE, event_id=name) for name in ("e1", "e2"))
    picture = picture_of(
        event(coral()), event(coral(), id="e2"), books=(book(LAYS),), matches=matches
    )
    assert len(ask(picture).opportunities) == 6
    picture.apply_matches("soccer_epl", matches[:1], ())
    assert {found.event_id for found in ask(picture).opportunities} == {"e1"}
    picture.apply_books((book({1: ("2.60", 180)}, received_at=NOW),))
    assert {found.lay_odds for found in ask(picture).opportunities} == {D("2.60")}


def test_a_book_of_an_event_without_prices_can_go() -> None:
    picture = MarketSnapshot(ScoringRules(max_books=1))
    picture.apply_matches("soccer_epl", (match(THREE),), ())
    picture.apply_books((book(LAYS), book(LAYS, market_id="1.2")))
    picture.apply_quotes("soccer_epl", (event(coral()),), NOW)
    assert ask(picture).rejected == {Rejection.NO_LAY.value: 3}


def test_a_pair_that_only_its_exact_minutes_refuse_is_not_offered() -> None:
    # The least is a fraction of a microsecond above 20 seconds, which the clock cannot tell apart.
    rules = ScoringRules(min_minutes_to_kickoff=1 / 3 + 1e-9)
    for seconds, count in ((20, 0), (21, 3)):
        kickoff = NOW + timedelta(seconds=seconds)
        picture = picture_of(event(coral(), kickoff=kickoff), books=(book(LAYS),), rules=rules)
        assert len(ask(picture).opportunities) == count


def test_memory_is_bounded_and_what_starts_last_goes_first() -> None:
    rules = ScoringRules(max_events=2, max_books=1)
    picture = MarketSnapshot(rules)
    events = tuple(
        event(coral(), id=f"e{hours}", kickoff=NOW + timedelta(hours=hours)) for hours in (3, 1, 2)
    )
    picture.apply_quotes("soccer_epl", events, NOW)
    assert len(picture) == 2
    matches = (match(THREE, event_id="e1"), match(THREE, event_id="e2", market_id="1.2"))
    picture.apply_matches("soccer_epl", matches, ())
    picture.apply_books((book(LAYS), book(LAYS, market_id="1.2")))
    assert {found.event_id for found in ask(picture).opportunities} == {"e2"}
