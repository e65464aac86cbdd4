"""The scorer alone: what it takes in, what it answers, and whom it asks at its start."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from kos.actors import scorer
from kos.config.settings import BetfairSettings, Secret, ServiceSettings, Settings
from kos.domain.market.quotes import Sport
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.messages import (
    BooksRead,
    DutchesRanked,
    EventsMatched,
    GetBudget,
    GetDutches,
    GetOpportunities,
    GetOpportunity,
    GetSignalKeys,
    OpportunitiesRanked,
    OpportunityDescribed,
    QueryRefused,
    QuotesFetched,
    SignalKeysListed,
    SportsListed,
    Subscribe,
)
from kos.runtime import ActorFailed
from tests import builders as b
from tests.actors.conftest import Staging
from tests.actors.stage import Stage, counted, observed
from tests.builders import NOW

EPL, NBA = "soccer_epl", "basketball_nba"
QUESTION = GetOpportunities(query=OpportunityQuery(bookmaker="coral"))
PRICES = {"Leeds": "2.5", "York": "3.0", "Draw": "3.2"}
LEEDS = b.event(b.bookmaker("coral", b.quotes_market(PRICES)), sport_key=EPL)
MATCHED = EventsMatched(
    sport_key=EPL,
    matches=(b.match({"Leeds": 1, "York": 2, "Draw": 3}, sport_key=EPL),),
    markets=(b.exchange_market({"Leeds": 1, "York": 2, "Draw": 3}),),
)
BOOK = b.book({1: ("2.54", 500), 2: ("3.3", 500), 3: ("3.4", 500)})


@pytest.fixture
def stage(put_on_stage: Staging) -> Stage:
    args = scorer.ScorerArgs(
        rules=ScoringRules(), producers=("sports", "reconciler", "exchange"), is_simulated=True
    )
    return put_on_stage(dataclasses.replace(scorer.spec(Settings()), args=args)).start()


def fill(stage: Stage, *, age_s: float = 0.0) -> None:
    at = NOW - timedelta(seconds=age_s)
    stage.tell(QuotesFetched(sport_key=EPL, events=(LEEDS,), fetched_at=at))
    stage.tell(MATCHED)
    stage.tell(BooksRead(books=(BOOK,)))


def ranked(stage: Stage) -> OpportunitiesRanked:
    answer = stage.ask(QUESTION)
    assert isinstance(answer, OpportunitiesRanked)
    return answer


@pytest.mark.parametrize(
    ("betfair", "producers"),
    [
        (BetfairSettings(), ("sports",)),
        (BetfairSettings(app_key=Secret("k")), ("sports", "reconciler", "exchange")),
    ],
)
def test_its_producers_are_those_that_the_settings_start(
    betfair: BetfairSettings, producers: tuple[str, ...]
) -> None:
    settings = Settings(
        betfair=betfair,
        scoring=ScoringRules(max_fetch_age_s=7),
        service=ServiceSettings(is_simulated=True),
    )
    args = scorer.spec(settings).args
    assert args.producers == producers
    assert args.rules == settings.scoring
    assert args.is_simulated


def test_it_asks_each_producer_for_its_snapshots_at_its_start(stage: Stage) -> None:
    for producer in ("sports", "reconciler", "exchange"):
        assert stage.told(producer) == [Subscribe(subscriber="scorer")]


def test_before_anything_came_it_answers_with_nothing(stage: Stage) -> None:
    answer = ranked(stage)
    assert answer.answer.opportunities == ()
    assert answer.last_quotes_at is None
    assert stage.pulse() == {"last_quotes_at": "", "answered": 1, "eligible": 0}


def test_prices_runners_and_books_together_make_opportunities(stage: Stage) -> None:
    fill(stage)
    answer = ranked(stage)
    assert {each.outcome for each in answer.answer.opportunities} == {"Leeds", "York", "Draw"}
    assert answer.last_quotes_at == NOW
    assert answer.is_simulated
    assert stage.pulse() == {
        "last_quotes_at": NOW.isoformat(),
        "answered": 1,
        "eligible": 3,
    }
    short = OpportunityQuery(bookmaker="coral", max_odds=Decimal("3.1"))
    stage.ask(GetOpportunities(query=short))
    assert stage.pulse()["eligible"] == 2, "what a filter rejects is not"


def test_one_opportunity_is_described_by_its_id(stage: Stage) -> None:
    fill(stage)
    first = ranked(stage).answer.opportunities[0]
    answer = stage.ask(GetOpportunity(opportunity_id=first.id, query=QUESTION.query))
    assert isinstance(answer, OpportunityDescribed)
    assert answer.state.opportunity is not None
    assert answer.state.opportunity.id == first.id
    assert answer.last_quotes_at == NOW
    assert answer.is_simulated


def test_dutches_and_keys_are_answered_from_the_same_picture(stage: Stage) -> None:
    fill(stage)
    dutches = stage.ask(GetDutches(query=DutchQuery()))
    assert isinstance(dutches, DutchesRanked)
    assert dutches.answer.considered > 0
    assert dutches.last_quotes_at == NOW
    assert dutches.is_simulated
    keys = stage.ask(GetSignalKeys())
    assert isinstance(keys, SignalKeysListed)
    assert "coral" in str(keys.keys)
    assert stage.pulse()["answered"] == 2


def test_a_question_that_cannot_be_is_refused_with_the_reason(stage: Stage) -> None:
    bad = OpportunityQuery(stake=Decimal(200_000))
    answer = stage.ask(GetOpportunities(query=bad))
    assert isinstance(answer, QueryRefused)
    assert "Stake" in answer.reason
    assert stage.pulse()["answered"] == 0


def test_the_newest_poll_of_any_sport_key_is_the_last_one(stage: Stage) -> None:
    for key, age_s in ((EPL, 10), (NBA, 3), (EPL, 5)):
        at = NOW - timedelta(seconds=age_s)
        stage.tell(QuotesFetched(sport_key=key, events=(), fetched_at=at))
    assert stage.pulse()["last_quotes_at"] == (NOW - timedelta(seconds=3)).isoformat()


def test_only_news_of_this_life_is_timed(stage: Stage) -> None:
    def told(age_s: float, key: str = EPL) -> tuple[int, float]:
        before = observed("quotes_to_answer_seconds"), counted("quotes_to_answer_seconds")
        at = stage.now - timedelta(seconds=age_s)
        stage.tell(QuotesFetched(sport_key=key, events=(), fetched_at=at))
        after = observed("quotes_to_answer_seconds"), counted("quotes_to_answer_seconds")
        return after[0] - before[0], round(after[1] - before[1], 3)

    stage.advance(10)
    assert told(11) == (0, 0), "of a former life"
    assert told(2) == (1, 2)
    assert told(2) == (0, 0), "told again"
    assert told(3) == (0, 0), "older"
    assert told(3, NBA) == (1, 3)
    assert told(0) == (1, 0)


def test_a_list_of_sports_drops_the_events_of_all_others(stage: Stage) -> None:
    fill(stage)
    nba = Sport(NBA, "", "", active=True, has_outrights=False)
    stage.tell(SportsListed(sports=(nba,), listed_at=NOW))
    assert ranked(stage).answer.considered == 0


def test_every_minute_the_past_is_forgotten(stage: Stage) -> None:
    fill(stage)
    (timer,) = stage.timers.waiting()
    assert timer.interval_s == 60
    assert ranked(stage).answer.considered > 0
    stage.advance(24 * 3600)
    assert ranked(stage).answer.considered == 0


def test_other_rules_hold_at_once_and_the_picture_is_asked_for_anew(stage: Stage) -> None:
    fill(stage)
    stage.told("sports")
    stage.told("exchange")
    args = scorer.ScorerArgs(
        rules=ScoringRules(), producers=("sports", "exchange"), is_simulated=False
    )
    stage.renew(args)
    assert not stage.is_outdated
    assert ranked(stage).answer.considered == 0
    assert not ranked(stage).is_simulated
    assert stage.told("sports") == stage.told("exchange") == [Subscribe(subscriber="scorer")]
    assert stage.told("reconciler") == [Subscribe(subscriber="scorer")], "of the start"


def test_a_message_that_is_not_its_own_is_refused_by_name(stage: Stage) -> None:
    with pytest.raises(ActorFailed, match="scorer takes no GetBudget"):
        stage.ask(GetBudget())
