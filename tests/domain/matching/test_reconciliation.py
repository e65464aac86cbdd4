"""Events in, instructions out: whom is matched anew when, and what is passed on."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    OutcomeRunner,
    Verdict,
)
from kos.domain.market.sports import SportWanted
from kos.domain.matching import (
    AliasPair,
    AliasTable,
    BookmakerFixture,
    ExchangeFixture,
    Matcher,
)
from kos.domain.matching.aliases import AliasVerdict, SettledAlias, alias_table
from kos.domain.matching.reconciliation import (
    EventExplained,
    Reconciliation,
    bookmaker_fixture,
    event_match,
    exchange_fixture,
    name_pairs,
)
from tests.builders import NOW, bookmaker, event, exchange_market, quotes_market

PRICES = {"Leeds": "2.5", "York": "3.1", "Draw": "3.4"}
RUNNERS = {"York": 2, "Leeds": 1, "The Draw": 3}
EPL, EFL = "soccer_epl", "soccer_efl_champ"
SOON, LATER = NOW + timedelta(hours=2), NOW + timedelta(hours=5)
LEEDS = BookmakerFixture("e1", EPL, SOON, "Leeds", "York", ("Leeds", "York", "Draw"))
HULL = BookmakerFixture("e2", EFL, LATER, "Hull", "Bath", ("Hull", "Bath", "Draw"))
INTER = BookmakerFixture("e3", EPL, SOON, "Inter", "Roma", ("Inter", "Roma", "Draw"))
"""A person must say which Inter the exchange means."""


def market(number: int, home: str, away: str, event_type: str = "Soccer") -> ExchangeMarket:
    plain = exchange_market(
        {home: 10, away: 20, "The Draw": 30},
        market_id=f"1.{number}",
        kickoff=LATER if home == "Hull" else SOON,
    )
    return msgspec.structs.replace(plain, event_name=f"{home} v {away}", event_type=event_type)


LEEDS_MARKET = market(1, "Leeds", "York")
HULL_MARKET = market(2, "Hull", "Bath")
TURKU_MARKET = market(3, "Inter Turku", "Roma")
INTER_IS_TURKU = AliasPair("soccer", "Inter", "Inter Turku")


def quotes() -> EventQuotes:
    return event(
        bookmaker("coral", quotes_market(PRICES), quotes_market({"Over": "1.9"}, key="totals")),
        bookmaker("bet365", quotes_market({"York": "3", "Leeds": "2.4"})),
    )


def decided(
    market: ExchangeMarket, outcomes: tuple[str, ...] = ("Leeds", "York", "Draw")
) -> EventMatch:
    matcher = Matcher()
    fixture = bookmaker_fixture(quotes())
    assert fixture is not None
    fixture = msgspec.structs.replace(fixture, outcomes=outcomes)
    (verdict,) = matcher.match([fixture], [exchange_fixture(market)])
    found = market if verdict.right_id == market.market_id else None
    return event_match(matcher, fixture, verdict, found)


# --- one event ----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["home", "away"])
def test_an_event_without_two_sides_is_none_for_the_matcher(missing: str) -> None:
    assert bookmaker_fixture(msgspec.structs.replace(quotes(), **{missing: None})) is None


def test_the_outcomes_are_those_of_head_to_head_markets_each_once() -> None:
    fixture = bookmaker_fixture(quotes())
    assert fixture is not None
    assert fixture.outcomes == ("Leeds", "York", "Draw")


def test_each_outcome_of_a_match_is_given_its_runner() -> None:
    market = exchange_market(RUNNERS)
    found = decided(market)
    assert (found.verdict, found.market_id, found.exchange_event_id) == (
        Verdict.MATCH,
        market.market_id,
        market.event_id,
    )
    assert set(found.outcomes) == {
        OutcomeRunner("Leeds", 1, "Leeds"),
        OutcomeRunner("York", 2, "York"),
        OutcomeRunner("Draw", 3, "The Draw"),
    }


def test_a_match_of_another_form_of_bet_is_a_doubt_with_the_reason_and_no_runners() -> None:
    found = decided(exchange_market({"York": 2, "Leeds": 1}))
    assert (found.verdict, found.outcomes) == (Verdict.DOUBT, ())
    assert "draw" in found.reasons[-1]
    assert len(found.reasons) > 1


def test_where_nothing_is_quoted_a_match_stays_one_and_gives_no_runner() -> None:
    found = decided(exchange_market(RUNNERS), ())
    assert (found.verdict, found.outcomes) == (Verdict.MATCH, ())


def test_without_a_partner_no_market_is_named() -> None:
    found = decided(msgspec.structs.replace(exchange_market(RUNNERS), event_name="Hull v Barnsley"))
    assert (found.verdict, found.market_id, found.exchange_event_id) == (Verdict.NONE, None, None)
    assert found.outcomes == ()


def test_the_names_of_a_doubt_are_pairs_that_a_person_can_settle() -> None:
    left = BookmakerFixture(
        id="e1", sport_key="soccer_epl", kickoff=SOON, home="Wolves", away="York Town"
    )
    right = ExchangeFixture(
        id="1.1",
        event_type="Soccer",
        competition="",
        name="Wolverhampton v York City",
        kickoff=SOON,
        runners=("Wolverhampton", "York City", "The Draw"),
    )
    (decision,) = Matcher().match([left], [right])
    pairs = name_pairs("soccer_epl", decision)
    assert {pair.sport for pair in pairs} == {"soccer"}
    assert {(pair.feed_name, pair.exchange_name) for pair in pairs} <= {
        ("Wolves", "Wolverhampton"),
        ("York Town", "York City"),
    }
    assert all(0 <= pair.score <= 1 and pair.why for pair in pairs)


def test_decisions_make_the_same_alias_table_whatever_their_order() -> None:
    def settled(feed: str, exchange: str, verdict: AliasVerdict) -> SettledAlias:
        return SettledAlias("soccer", feed, exchange, verdict, "seen", "ann", NOW)

    decisions = (
        settled("Wolves", "Wolverhampton", AliasVerdict.CONFIRMED),
        settled("Inter", "Inter Turku", AliasVerdict.REJECTED),
        settled("Spurs", "Tottenham", AliasVerdict.CONFIRMED),
        settled("Roma", "Lazio", AliasVerdict.WITHDRAWN),
    )
    table = alias_table(decisions)
    assert table == alias_table(reversed(decisions))
    assert AliasPair("soccer", "Wolves", "Wolverhampton") in table.confirmed
    assert table.banned == (AliasPair("soccer", "Inter", "Inter Turku"),)
    assert len(table.confirmed) == 2


# --- events in, instructions out ------------------------------------------------------------------


def test_the_result_is_the_same_whether_fixtures_or_the_catalogue_come_first() -> None:
    early, late = Reconciliation(), Reconciliation()
    (alone,) = early.fixtures_listed(EPL, (LEEDS,))
    assert (alone.count(Verdict.NONE), alone.markets) == (1, ())
    (matched,) = early.catalogue_read("Soccer", (LEEDS_MARKET, HULL_MARKET))
    assert matched.sport_key == EPL
    assert matched.count(Verdict.MATCH) == 1
    assert matched.markets == (LEEDS_MARKET,), "markets that no event names are not passed on"
    assert late.catalogue_read("Soccer", (LEEDS_MARKET, HULL_MARKET)) == ()
    assert late.fixtures_listed(EPL, (LEEDS,)) == (matched,)
    assert early.results == late.results == (matched,)


def test_an_event_that_changes_nothing_gives_no_instruction() -> None:
    state = Reconciliation()
    state.fixtures_listed(EPL, (LEEDS,))
    state.catalogue_read("Soccer", (LEEDS_MARKET,))
    assert state.fixtures_listed(EPL, (LEEDS,)) == ()
    assert state.catalogue_read("Soccer", (LEEDS_MARKET,)) == ()
    assert state.catalogue_read("Soccer", (LEEDS_MARKET, HULL_MARKET)) == ()
    assert state.aliases_settled(AliasTable()) == ()
    assert state.aliases_settled(AliasTable(confirmed=(INTER_IS_TURKU,))) == ()


def test_a_catalogue_changes_the_results_of_sport_keys_of_its_event_type() -> None:
    state = Reconciliation()
    state.fixtures_listed(EPL, (LEEDS,))
    state.fixtures_listed(EFL, (HULL,))
    state.fixtures_listed("tennis_atp_dubai", (msgspec.structs.replace(LEEDS, id="t1"),))
    results = state.catalogue_read("Soccer", (LEEDS_MARKET, HULL_MARKET))
    assert {result.sport_key for result in results} == {EPL, EFL}
    results = state.catalogue_read("Tennis", (market(9, "Leeds", "Hove", "Tennis"),))
    assert [result.sport_key for result in results] == ["tennis_atp_dubai"]


def test_a_changed_market_is_passed_on_and_one_that_is_gone_ends_the_match() -> None:
    state = Reconciliation()
    state.fixtures_listed(EPL, (LEEDS,))
    state.catalogue_read("Soccer", (LEEDS_MARKET,))
    described = msgspec.structs.replace(LEEDS_MARKET, base_rate=None)
    (result,) = state.catalogue_read("Soccer", (described,))
    assert result.markets == (described,)
    (result,) = state.catalogue_read("Soccer", ())
    assert (result.count(Verdict.NONE), result.markets) == (1, ())


def test_changed_outcomes_are_given_their_runners_anew() -> None:
    state = Reconciliation()
    state.catalogue_read("Soccer", (LEEDS_MARKET,))
    state.fixtures_listed(EPL, (msgspec.structs.replace(LEEDS, outcomes=()),))
    (result,) = state.fixtures_listed(EPL, (LEEDS,))
    assert [runner.outcome for runner in result.matches[0].outcomes] == ["Leeds", "York", "Draw"]


def test_a_decision_about_names_matches_everything_anew_and_can_be_withdrawn() -> None:
    state = Reconciliation()
    state.catalogue_read("Soccer", (LEEDS_MARKET, TURKU_MARKET))
    (doubt,) = state.fixtures_listed(EPL, (LEEDS, INTER))
    assert doubt.count(Verdict.DOUBT) == 1
    assert ("Inter", "Inter Turku") in {
        (pair.feed_name, pair.exchange_name) for pair in state.open_events().pairs["e3"]
    }
    confirmed = AliasTable(confirmed=(INTER_IS_TURKU,))
    (matched,) = state.aliases_settled(confirmed)
    assert state.aliases == confirmed
    assert matched.count(Verdict.MATCH) == 2
    assert state.open_events().pairs == {}
    (rejected,) = state.aliases_settled(AliasTable(banned=(INTER_IS_TURKU,)))
    assert rejected.matches[1].verdict is not Verdict.MATCH
    assert state.aliases_settled(AliasTable()) == (doubt,)


def test_decisions_that_come_before_everything_else_hold_for_it() -> None:
    state = Reconciliation()
    assert state.aliases_settled(AliasTable(confirmed=(INTER_IS_TURKU,))) == ()
    state.catalogue_read("Soccer", (TURKU_MARKET,))
    (result,) = state.fixtures_listed(EPL, (INTER,))
    assert result.count(Verdict.MATCH) == 1


def test_a_sport_key_ends_twelve_hours_after_its_last_kickoff_and_is_new_when_it_returns() -> None:
    state = Reconciliation()
    state.catalogue_read("Soccer", (LEEDS_MARKET, HULL_MARKET))
    (epl,) = state.fixtures_listed(EPL, (LEEDS,))
    state.fixtures_listed(EFL, (HULL,))
    state.time_passed(SOON + timedelta(hours=12))
    assert {result.sport_key for result in state.results} == {EPL, EFL}
    state.time_passed(SOON + timedelta(hours=12, seconds=1))
    assert [result.sport_key for result in state.results] == [EFL]
    assert state.explain("e1") is None
    assert state.needs(NOW).market_ids == ("1.2",)
    assert state.fixtures_listed(EPL, (LEEDS,)) == (epl,)


def test_prices_are_needed_of_matches_to_come_nearest_first_and_of_no_doubt() -> None:
    state = Reconciliation()
    assert (state.needs(NOW).market_ids, state.needs(NOW).until) == ((), None)
    state.catalogue_read("Soccer", (HULL_MARKET, LEEDS_MARKET, TURKU_MARKET))
    state.fixtures_listed(EPL, (INTER, LEEDS))
    state.fixtures_listed(EFL, (HULL,))
    state.fixtures_listed("unheard_of", (msgspec.structs.replace(LEEDS, id="x"),))
    needs = state.needs(NOW)
    assert needs.market_ids == ("1.1", "1.2")
    assert needs.sports == (SportWanted("1", "Soccer", ("MATCH_ODDS",)),)
    assert needs.until == LATER
    assert state.needs(SOON).market_ids == ("1.2",)


def test_open_events_are_those_without_a_sure_partner_of_the_sport_asked_for() -> None:
    state = Reconciliation()
    state.catalogue_read("Soccer", (LEEDS_MARKET, TURKU_MARKET))
    state.fixtures_listed(EPL, (LEEDS, INTER))
    state.fixtures_listed(EFL, (HULL,))
    assert state.open_events().names == {"e2": "Hull v Bath", "e3": "Inter v Roma"}
    assert state.open_events(EFL).names == {"e2": "Hull v Bath"}
    assert state.open_events("tennis").matches == ()


@pytest.mark.parametrize(
    ("event_id", "text", "name"),
    [
        ("e1", "", "Leeds v York"),
        ("", "leeds york", "Leeds v York"),
        ("", "BATH", "Hull v Bath"),
        ("e2", "leeds", "Hull v Bath"),
        ("", "quidditch", None),
        ("e9", "", None),
        ("", "", None),
    ],
)
def test_one_event_is_found_by_its_id_or_by_words(
    event_id: str, text: str, name: str | None
) -> None:
    state = Reconciliation()
    state.catalogue_read("Soccer", (LEEDS_MARKET,))
    state.fixtures_listed(EPL, (LEEDS,))
    state.fixtures_listed(EFL, (HULL,))
    found = state.explain(event_id, text)
    assert (found.name if found else None) == name
    if isinstance(found, EventExplained):
        assert found.exchange_name == ("Leeds v York" if name == "Leeds v York" else "")
