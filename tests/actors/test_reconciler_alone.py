"""The reconciler between its neighbours: what it says to whom, when, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from kos.actors import reconciler
from kos.domain.market.quotes import ExchangeMarket, Verdict
from kos.domain.market.sports import SportWanted
from kos.domain.matching import BookmakerFixture
from kos.domain.matching.aliases import AliasVerdict, SettledAlias
from kos.messages import (
    AliasesListed,
    CatalogueRead,
    CatalogueWanted,
    EventsMatched,
    FixturesListed,
    GetAliases,
    GetBudget,
    GetMatch,
    GetUnmatched,
    MatchDescribed,
    PricesWanted,
    Subscribe,
    UnmatchedDescribed,
)
from kos.runtime import ActorFailed
from tests import builders as b
from tests.actors.conftest import Staging
from tests.actors.stage import Stage
from tests.builders import NOW

EPL = "soccer_epl"
SOON, LATER = NOW + timedelta(hours=2), NOW + timedelta(hours=5)
LEEDS = BookmakerFixture("e1", EPL, SOON, "Leeds", "York", ("Leeds", "York", "Draw"))
HULL = BookmakerFixture("e2", EPL, LATER, "Hull", "Bath", ("Hull", "Bath", "Draw"))
INTER = BookmakerFixture("e3", EPL, SOON, "Inter", "Roma", ("Inter", "Roma", "Draw"))
"""Which Inter the exchange means, a person must say."""


def market(
    number: int, home: str, away: str, kickoff: datetime = SOON, **changed: object
) -> ExchangeMarket:
    """A head-to-head market of the exchange's soccer."""
    plain = b.exchange_market(
        {home: 10, away: 20, "The Draw": 30}, market_id=f"1.{number}", kickoff=kickoff
    )
    return msgspec.structs.replace(plain, event_name=f"{home} v {away}", **changed)


LEEDS_MARKET = market(1, "Leeds", "York")
HULL_MARKET = market(2, "Hull", "Bath", LATER)
TURKU_MARKET = market(3, "Inter Turku", "Roma")


def settled(feed: str, exchange: str, verdict: AliasVerdict) -> SettledAlias:
    return SettledAlias("soccer", feed, exchange, verdict, "seen", "ann", NOW)


@pytest.fixture
def stage(put_on_stage: Staging) -> Stage:
    stage = put_on_stage(reconciler.spec())
    stage.answer("ledger", GetAliases, AliasesListed(aliases=()))
    return stage.start()


def list_fixtures(stage: Stage, *fixtures: BookmakerFixture, sport_key: str = EPL) -> None:
    of_sport = tuple(msgspec.structs.replace(one, sport_key=sport_key) for one in fixtures)
    stage.tell(FixturesListed(sport_key=sport_key, fixtures=of_sport))


def read_catalogue(stage: Stage, *markets: ExchangeMarket, event_type: str = "Soccer") -> None:
    stage.tell(CatalogueRead(event_type=event_type, markets=markets, read_at=stage.now))


def words(stage: Stage) -> list[EventsMatched]:
    return stage.told("scorer", EventsMatched)


def verdicts(word: EventsMatched) -> Mapping[str, Verdict]:
    return {match.event_id: match.verdict for match in word.matches}


def test_it_asks_its_producers_for_their_lists_at_its_start(stage: Stage) -> None:
    own = Subscribe(subscriber="reconciler")
    assert stage.told("sports") == [own]
    assert stage.told("exchange") == [own]
    assert stage.asked("ledger") == [GetAliases()]


def test_an_event_gets_its_market_whichever_side_comes_first(
    put_on_stage: Staging, stage: Stage
) -> None:
    list_fixtures(stage, LEEDS)
    (before,) = words(stage)
    assert verdicts(before) == {"e1": Verdict.NONE}
    assert before.markets == ()
    read_catalogue(stage, LEEDS_MARKET, HULL_MARKET)
    (word,) = words(stage)
    (match,) = word.matches
    assert match.verdict is Verdict.MATCH
    assert match.market_id == "1.1"
    assert {each.outcome: each.selection_id for each in match.outcomes} == {
        "Leeds": 10,
        "York": 20,
        "Draw": 30,
    }
    assert word.markets == (LEEDS_MARKET,), "the markets that it names, and no other"
    other = put_on_stage(reconciler.spec()).start()
    read_catalogue(other, LEEDS_MARKET, HULL_MARKET)
    assert words(other) == []
    list_fixtures(other, LEEDS)
    assert words(other) == [word]


def test_what_changes_nothing_is_not_said_again(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS)
    assert len(words(stage)) == 1
    list_fixtures(stage, LEEDS)
    read_catalogue(stage, LEEDS_MARKET)
    read_catalogue(stage, LEEDS_MARKET, HULL_MARKET)  # of no interest to anybody
    assert words(stage) == []
    assert len(stage.logged("events.matched")) == 1


def test_news_of_a_market_is_told_on(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS)
    words(stage)
    described = msgspec.structs.replace(LEEDS_MARKET, base_rate=None)
    read_catalogue(stage, described)
    (word,) = words(stage)
    assert word.markets == (described,)
    read_catalogue(stage)
    (word,) = words(stage)
    assert verdicts(word) == {"e1": Verdict.NONE}


def test_a_catalogue_of_another_sport_decides_nothing_here(stage: Stage) -> None:
    list_fixtures(stage, LEEDS)
    words(stage)
    read_catalogue(stage, LEEDS_MARKET, event_type="Tennis")
    assert words(stage) == []


def test_an_event_that_is_listed_no_more_is_out_of_the_word(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET, HULL_MARKET)
    list_fixtures(stage, LEEDS, HULL)
    (word,) = words(stage)
    assert verdicts(word) == {"e1": Verdict.MATCH, "e2": Verdict.MATCH}
    list_fixtures(stage, HULL)
    (word,) = words(stage)
    assert verdicts(word) == {"e2": Verdict.MATCH}
    assert stage.pulse() == {"events": 1, "matched": 1, "doubts": 0}


def test_the_exchange_hears_once_after_a_burst_what_is_wanted_nearest_first(stage: Stage) -> None:
    stage.told("exchange")
    read_catalogue(stage, HULL_MARKET, LEEDS_MARKET)
    list_fixtures(stage, HULL, LEEDS)
    list_fixtures(stage, sport_key="soccer_efl")
    stage.advance(0.24)
    assert stage.told("exchange") == []
    stage.advance(0.01)
    assert stage.told("exchange") == [
        PricesWanted(market_ids=("1.1", "1.2")),
        CatalogueWanted(
            sports=(SportWanted("1", "Soccer", ("MATCH_ODDS",)),),
            until=LATER,
        ),
    ]
    stage.advance(10)
    assert stage.told("exchange") == []
    list_fixtures(stage, HULL)
    stage.advance(0.25)
    assert stage.told("exchange", PricesWanted) == [PricesWanted(market_ids=("1.2",))]


def test_no_price_is_wanted_of_what_has_begun(stage: Stage) -> None:
    before = NOW - timedelta(minutes=1)
    read_catalogue(stage, market(1, "Leeds", "York", before), HULL_MARKET)
    list_fixtures(stage, msgspec.structs.replace(LEEDS, kickoff=before), HULL)
    (word,) = words(stage)
    assert verdicts(word) == {"e1": Verdict.MATCH, "e2": Verdict.MATCH}
    stage.advance(0.25)
    (prices,) = stage.told("exchange", PricesWanted)
    assert prices.market_ids == ("1.2",)


def test_no_price_is_wanted_of_what_is_in_doubt(stage: Stage) -> None:
    read_catalogue(stage, TURKU_MARKET)
    list_fixtures(stage, INTER)
    (word,) = words(stage)
    assert verdicts(word) == {"e3": Verdict.DOUBT}
    assert word.markets == (TURKU_MARKET,)
    stage.advance(0.25)
    assert stage.told("exchange", PricesWanted) == [PricesWanted(market_ids=())]


def test_an_exchange_that_starts_anew_is_told_at_once(stage: Stage) -> None:
    stage.told("exchange")
    stage.tell(Subscribe(subscriber="exchange"))
    assert stage.told("exchange") == [PricesWanted(market_ids=())], "no sport is wanted yet"
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS)
    stage.advance(1)
    stage.told("exchange")
    stage.tell(Subscribe(subscriber="exchange"))
    assert [type(each) for each in stage.told("exchange")] == [PricesWanted, CatalogueWanted]
    assert stage.told("scorer", Subscribe) == []


def test_a_scorer_that_starts_anew_hears_every_word_again(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS)
    list_fixtures(stage, HULL, sport_key="soccer_efl")
    before = words(stage)
    assert len(before) == 2
    stage.tell(Subscribe(subscriber="scorer"))
    assert words(stage) == before


def test_sports_without_a_place_on_the_exchange_are_not_wanted(stage: Stage) -> None:
    stage.told("exchange")
    list_fixtures(stage, LEEDS, sport_key="unheard_of")
    list_fixtures(stage, HULL, sport_key="basketball_nba")
    stage.advance(1)
    (wanted,) = stage.told("exchange", CatalogueWanted)
    assert [each.event_type for each in wanted.sports] == ["Basketball"]
    assert wanted.until == LATER


def test_a_pair_that_a_person_confirmed_is_a_match_and_one_rejected_is_none(stage: Stage) -> None:
    read_catalogue(stage, TURKU_MARKET)
    list_fixtures(stage, INTER)
    (word,) = words(stage)
    assert verdicts(word) == {"e3": Verdict.DOUBT}
    assert stage.pulse()["doubts"] == 1
    pairs = (
        settled("Inter", "Inter Turku", AliasVerdict.CONFIRMED),
        settled("Spurs", "Tottenham", AliasVerdict.CONFIRMED),
    )
    stage.answer("ledger", GetAliases, AliasesListed(aliases=pairs))
    stage.advance(14.9)
    assert words(stage) == []
    stage.advance(0.1)
    (word,) = words(stage)
    assert verdicts(word) == {"e3": Verdict.MATCH}
    assert stage.ask(GetUnmatched()).pairs == {}
    (line,) = stage.logged("aliases.read")
    assert (line["confirmed"], line["banned"]) == (2, 0)
    stage.answer("ledger", GetAliases, AliasesListed(aliases=tuple(reversed(pairs))))
    stage.advance(15)
    assert len(stage.logged("aliases.read")) == 1, "the order makes no difference"
    rejected = (settled("Inter", "Inter Turku", AliasVerdict.REJECTED),)
    stage.answer("ledger", GetAliases, AliasesListed(aliases=rejected))
    stage.advance(15)
    (word,) = words(stage)
    assert verdicts(word)["e3"] is not Verdict.MATCH


def test_a_ledger_that_does_not_answer_leaves_what_was_settled(stage: Stage) -> None:
    read_catalogue(stage, TURKU_MARKET)
    list_fixtures(stage, INTER)
    words(stage)
    stage.answer("ledger", GetAliases, None)
    stage.advance(15)
    assert words(stage) == []
    assert stage.ended is None
    assert len(stage.logged("aliases.not_read")) == 1


def test_a_ledger_that_answers_otherwise_has_not_answered(stage: Stage) -> None:
    stage.answer("ledger", GetAliases, GetBudget())
    stage.advance(15)
    assert stage.ended is None
    assert len(stage.logged("aliases.not_read")) == 1


def test_what_has_no_partner_is_described_with_names_and_the_pairs_in_doubt(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET, TURKU_MARKET)
    list_fixtures(stage, LEEDS, HULL, INTER)
    answer = stage.ask(GetUnmatched())
    assert isinstance(answer, UnmatchedDescribed)
    assert {each.event_id for each in answer.matches} == {"e2", "e3"}
    assert answer.names == {"e2": "Hull v Bath", "e3": "Inter v Roma"}
    assert set(answer.pairs) == {"e3"}
    assert ("soccer", "Inter", "Inter Turku") in {
        (pair.sport, pair.feed_name, pair.exchange_name) for pair in answer.pairs["e3"]
    }
    assert stage.ask(GetUnmatched(sport="soccer")).matches == answer.matches
    assert stage.ask(GetUnmatched(sport="tennis")) == UnmatchedDescribed(
        matches=(), names={}, pairs={}
    )


@pytest.mark.parametrize(
    ("question", "event_id"),
    [
        (GetMatch(event_id="e1"), "e1"),
        (GetMatch(text="leeds york"), "e1"),
        (GetMatch(text="BATH"), "e2"),
        (GetMatch(event_id="e2", text="leeds"), "e2"),
        (GetMatch(text="quidditch"), None),
        (GetMatch(event_id="e9"), None),
        (GetMatch(), None),
    ],
)
def test_its_word_on_one_event_is_found_by_id_or_by_words(
    stage: Stage, question: GetMatch, event_id: str | None
) -> None:
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS, HULL)
    answer = stage.ask(question)
    assert isinstance(answer, MatchDescribed)
    assert (answer.match.event_id if answer.match else None) == event_id
    assert answer.name == {"e1": "Leeds v York", "e2": "Hull v Bath", None: ""}[event_id]
    assert answer.exchange_name == ("Leeds v York" if event_id == "e1" else "")


def test_a_sport_key_of_which_all_is_long_over_is_forgotten(stage: Stage) -> None:
    read_catalogue(stage, LEEDS_MARKET)
    list_fixtures(stage, LEEDS, INTER)
    list_fixtures(stage, LEEDS, HULL, sport_key="soccer_efl")
    stage.advance(14 * 3600)
    assert stage.pulse()["events"] == 4, "twelve hours after the kickoff, and not before"
    stage.advance(600)
    assert stage.pulse()["events"] == 2, "of the other one a fixture is not long over"
    assert {each.event_id for each in stage.ask(GetUnmatched()).matches} <= {"e1", "e2"}
    stage.told("exchange")
    stage.tell(Subscribe(subscriber="exchange"))
    stage.advance(4 * 3600)
    assert stage.pulse()["events"] == 0
    words(stage)
    list_fixtures(stage, LEEDS)
    assert len(words(stage)) == 1, "it is news again"


def test_a_message_that_is_not_its_own_is_refused_by_name(stage: Stage) -> None:
    with pytest.raises(ActorFailed, match="reconciler takes no GetBudget"):
        stage.ask(GetBudget())
