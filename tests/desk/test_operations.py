from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from kos.domain.market.quotes import EventMatch, Verdict
from kos.domain.matching.aliases import NamePair
from kos.domain.people.conversation import KOS, PAUSE
from kos.messages import (
    AliasesListed,
    BudgetDescribed,
    FetchAnswered,
    FetchNow,
    GetAliases,
    GetKept,
    GetMatch,
    GetUnmatched,
    KeptListed,
    MatchDescribed,
    PauseChanged,
    UnmatchedDescribed,
)
from kos.runtime import ActorDescribed, Message, NodeDescribed, PeerDied, SystemDescribed
from tests.desk.offices import NOW, Building, data_of, labels, text_of

ADMIN = "telegram:1"
KEYS = ("soccer_epl", "soccer_spain_la_liga", "tennis_atp")


@pytest.fixture
def works(building: Building) -> Building:
    """A running system with three fetchers."""
    fetchers = tuple(
        ActorDescribed(
            name=f"fetcher.{key}",
            state="running",
            incarnation=1,
            restarts=0,
            mailbox=0,
            handled=1,
            pulse={"fetched_at": (NOW - timedelta(minutes=number)).isoformat()},
        )
        for number, key in enumerate(KEYS)
    )
    scorer = ActorDescribed(
        name="scorer",
        state="backing_off",
        incarnation=2,
        restarts=3,
        mailbox=0,
        handled=9,
        last_error="boom",
        since_message_s=75.0,
    )
    system = SystemDescribed(
        name="kos",
        pid=1,
        uptime_s=3700,
        is_stopping=False,
        nodes=(
            NodeDescribed(
                name="feeds",
                pid=2,
                state="running",
                incarnation=1,
                restarts=1,
                actors=(*fetchers, scorer),
            ),
        ),
    )
    budget = BudgetDescribed(
        allowance=500,
        used=100,
        remaining=400,
        reserve=25,
        lasts_until=NOW + timedelta(days=3),
        resets_at=NOW + timedelta(days=9),
        polls_today=12,
        interval_s={},
    )
    building.peers["@system"] = lambda _message: system
    building.peers["budget"] = lambda _message: budget
    building.fetched = []  # type: ignore[attr-defined]

    def fetcher(key: str) -> Callable[[Message], Message]:
        def fetch(message: Message) -> Message:
            assert isinstance(message, FetchNow)
            building.fetched.append(key)  # type: ignore[attr-defined]
            return FetchAnswered(is_done=True, detail="12 events read")

        return fetch

    for key in KEYS:
        building.peers[f"fetcher.{key}"] = fetcher(key)
    return building


def fetched(building: Building) -> list[str]:
    return list(building.fetched)  # type: ignore[attr-defined]


def test_status_tells_actors_ages_credits_and_restarts(works: Building) -> None:
    shown = works.text("/status")
    for part in (
        "4 restarts",
        "Prices for 3 of 3 competitions, 0s to 2 min old (oldest: Tennis ATP)",
        "Credits: 400 of 500 left (25 in reserve), reset on 23 March 2026",
        "they will run out on 17 March 2026",
        "Scorer is backing off: boom",
        "1 min",
    ):
        assert part in shown, part


def test_status_goes_on_when_the_budget_is_away(works: Building) -> None:
    del works.peers["budget"]
    assert "Credits: The budget " in works.text("/status")


def kept_pause(building: Building) -> bool:
    told = building.ledger(GetKept(owner=KOS, prefix=PAUSE))
    assert isinstance(told, KeptListed)
    return bool(told.kept)


def test_a_pause_is_kept_told_and_ended(works: Building) -> None:
    assert "Paused until /resume" in works.text("/pause night shift is over")
    assert works.told == [("budget", PauseChanged())]
    assert kept_pause(works)
    assert "Paused by Ann at 12:00 (UK time): night shift is over. Send /resume" in works.text(
        "/status"
    )
    assert "night shift is over" in works.text("/status")
    assert works.hear("/pause").is_refused
    works.start()
    assert "Resumed" in works.text("/resume")
    assert works.told[1:] == [("budget", PauseChanged())]
    assert not kept_pause(works)
    assert works.hear("/resume").is_refused


def test_a_pause_for_a_time_ends_by_itself(works: Building) -> None:
    assert "until Sat 14 Mar, 14:00" in works.text("/pause 2h")
    works.clock.pass_by(hours=2)
    assert not kept_pause(works)


def test_a_recheck_says_its_cost_and_spends_once(works: Building) -> None:
    asked = works.hear("/recheck soccer_epl").answers[0]
    assert "use up to 1 credit. You have 400 left" in text_of(asked)
    assert fetched(works) == []
    data = data_of(asked, "Use 1 credit")
    said = works.said("", pressed=data)
    first = works.desk.hear(said)
    assert "12 events read" in text_of(first.answers[0])
    assert works.desk.hear(said).answers == first.answers
    assert works.press(data).notice == "Already done."
    assert fetched(works) == ["soccer_epl"]


def test_a_recheck_that_died_half_way_is_not_spent_again(works: Building) -> None:
    data = data_of(works.hear("/recheck tennis_atp").answers[0], "Use")
    said = works.said("", pressed=data)

    def dies(_message: Message) -> Message:
        raise SystemExit

    works.peers["fetcher.tennis_atp"] = dies
    with pytest.raises(SystemExit):
        works.desk.hear(said)
    assert works.desk.hear(said).notice == "Already done."


def test_a_recheck_of_many_asks_which_and_of_none_is_refused(works: Building) -> None:
    assert labels(works.hear("/recheck").answers[0]) == list(KEYS)
    asked = works.hear("/recheck soccer").answers[0]
    assert "2 credits" in text_of(asked)
    works.press(data_of(asked, "Use 2 credits"))
    assert fetched(works) == ["soccer_epl", "soccer_spain_la_liga"]
    assert works.hear("/recheck darts").is_refused


def test_a_fetcher_that_dies_is_a_sentence(works: Building) -> None:
    def dead(_message: Message) -> Message:
        raise PeerDied("fetcher.tennis_atp", "gone")

    works.peers["fetcher.tennis_atp"] = dead
    data = data_of(works.hear("/recheck tennis_atp").answers[0], "Use")
    assert "is restarting" in text_of(works.press(data).answers[0])


# --- names -----------------------------------------------------------------------------------------

DOUBT = EventMatch(
    event_id="e9",
    sport_key="soccer_epl",
    verdict=Verdict.DOUBT,
    confidence=0.8,
    market_id="1.5",
    reasons=("too near a rival", "home: 'Wolves' and 'Wolverhampton' agree at 0.80"),
)


@pytest.fixture
def clinic(works: Building) -> Building:
    pairs = (
        NamePair("soccer", "Wolves & <Co>", "Wolverhampton", 0.8, "near"),
        NamePair("soccer", "York", "York", 1.0, "the same"),
    )

    def reconciler(message: Message) -> Message:
        match message:
            case GetUnmatched():
                return UnmatchedDescribed(
                    matches=(DOUBT,), names={"e9": "Wolves v York"}, pairs={"e9": pairs}
                )
            case GetMatch(text="nothing"):
                return MatchDescribed(match=None)
            case _:
                return MatchDescribed(
                    match=DOUBT, name="Wolves v York", exchange_name="Wolverhampton v York"
                )

    works.peers["reconciler"] = reconciler
    return works


def verdicts(building: Building) -> list[str]:
    told = building.ledger(GetAliases())
    assert isinstance(told, AliasesListed)
    return [each.verdict.value for each in told.aliases]


def test_a_doubt_is_settled_and_taken_back_by_buttons(clinic: Building) -> None:
    asked = clinic.hear("/alias").answers[0]
    assert "too near a rival" in text_of(asked)
    assert labels(asked) == ["✓ Wolves & <Co>: same", "✗ Wolves & <Co>: different"]
    told = clinic.press(data_of(asked, "✓")).answers[0]
    assert verdicts(clinic) == ["confirmed"]
    assert "No names to check" in clinic.text("/alias")
    clinic.press(data_of(told, "Undo"))
    assert verdicts(clinic) == []
    asked = clinic.hear("/alias").answers[0]
    clinic.press(data_of(asked, "✗"))
    assert verdicts(clinic) == ["rejected"]


def test_names_are_settled_by_buttons_only(clinic: Building) -> None:
    assert clinic.hear("/settle confirmed sport=soccer feed=a exchange=b").is_refused
    assert verdicts(clinic) == []


def test_why_shows_the_matchers_evidence(clinic: Building) -> None:
    shown = clinic.text("/why Wolves v York")
    assert "doubt, 80% confidence" in shown
    assert "too near a rival" in shown
    assert clinic.hear("/why nothing").is_refused
    assert clinic.hear("/why").is_refused


def test_why_of_a_pair_from_one_feed_needs_no_matching(clinic: Building) -> None:
    told = clinic.hear("/qualifier_coral").answers[0]
    detail = clinic.press(data_of(told, "1")).answers[0]
    assert "no names were matched" in text_of(
        clinic.press(data_of(detail, "Why these were matched")).answers[0]
    )


def test_without_a_betfair_account_the_clinic_says_so(works: Building) -> None:
    assert "The settings have no Betfair account" in works.text("/alias")
