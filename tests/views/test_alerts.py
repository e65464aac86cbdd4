"""What alerts say: the figures, what has gone, what is wrong and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from kos.domain.books.lines import ReminderLine
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.domain.people.alerts import MAX_LINES, AlertMessage, Item, Measure, Say
from kos.domain.people.conversation import Answer, Style
from kos.domain.people.incidents import Known, TroubleSay
from kos.messages import BudgetDescribed
from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.views.alerts import rule_title, sighting_of, telling_answer, trouble_answer
from kos.views.incidents import due_troubles, restarted, restarts_of, system_troubles
from tests.builders import NOW, bookmaker, event, quotes_market

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def text_of(answer: Answer) -> str:
    return "".join(span.text for span in answer.spans)


def actor(name: str, **facts: object) -> ActorDescribed:
    base = ActorDescribed(
        name=name, state="running", incarnation=1, restarts=0, mailbox=0, handled=9
    )
    return msgspec.structs.replace(base, **facts)


def system(*actors: ActorDescribed, **facts: object) -> SystemDescribed:
    node = NodeDescribed(
        name="feeds", pid=7, state="running", incarnation=1, restarts=0, actors=actors
    )
    node = msgspec.structs.replace(node, **facts)
    return SystemDescribed(name="kos", pid=1, uptime_s=60.0, is_stopping=False, nodes=(node,))


def test_a_sighting_tells_all_that_is_needed_to_place_it() -> None:
    picture = MarketSnapshot(ScoringRules())
    quotes = event(
        bookmaker("coral", quotes_market({"Leeds": "2.5", "York": "3.0", "Draw": "3.3"})),
        bookmaker(
            "smarkets", quotes_market({"Leeds": "2.54", "York": "3.2", "Draw": "3.5"}, "h2h_lay")
        ),
    )
    picture.apply_quotes(quotes.sport_key, (quotes,), NOW)
    found = picture.best(OpportunityQuery(bookmaker="coral"), NOW).opportunities
    sighting = sighting_of(found[0], Measure.RATING, NOW)
    assert sighting.key == f"qualifying|{found[0].id}"
    assert sighting.value == found[0].rating * 100
    for part in ("Coral 2.50", "Smarkets lay 2.54", "Rating", "Stake £10.00", "old at"):
        assert part in sighting.text


def item(name: str, gone_at: datetime | None = None) -> Item:
    return Item(
        key=name,
        text=f"{name} v York, Sat 15:00\nLeeds: Coral 2.50",
        kickoff=NOON + timedelta(hours=3),
        last_seen=NOON,
        gone_at=gone_at,
    )


def test_a_telling_names_the_best_counts_the_rest_and_says_what_has_gone() -> None:
    gone = item("Leeds", NOON + timedelta(minutes=12))
    others = tuple(item(f"Team {number}") for number in range(MAX_LINES + 2))
    telling = AlertMessage(telling_id=1, rule_id=1, told_at=NOON, items=(gone, *others))
    text = text_of(
        telling_answer(Say(telling=telling, is_new=False), "Rating 98% or more", is_simulated=True)
    )
    assert text.startswith("SIMULATED MARKETS. Rating 98% or more")
    assert "no longer available at 12:12, after 12 min" in text
    assert f"and {len(telling.items) - MAX_LINES} more" in text
    assert "Team 6" not in text


def test_a_rule_is_named_with_its_unit() -> None:
    assert rule_title("Qualifying bets", Measure.PROFIT, Decimal("-0.50"), "coral") == (
        "Qualifying bets at Coral, profit -£0.50 or more"
    )
    assert rule_title("Arbs", Measure.RATING, Decimal(100), None) == "Arbs, rating 100% or more"


def test_a_trouble_says_when_it_was_over() -> None:
    known = Known(key="a", text="the disk is full", since=NOON, last_seen=NOON, telling_id=1)
    assert "Attention: the disk is full" in text_of(
        trouble_answer(TroubleSay(known=known, is_new=True))
    )
    over = msgspec.structs.replace(known, over_at=NOON + timedelta(hours=2))
    answer = trouble_answer(TroubleSay(known=over, is_new=False))
    assert "Resolved at 14:00, after 2h." in text_of(answer)
    assert answer.spans[-1].style is Style.ITALIC


def test_what_is_wrong_with_kos_is_told_by_who_has_it() -> None:
    assert system_troubles(system(actor("scorer")), None, NOON) == {}
    parked = actor("fetcher.soccer_epl", state="parked", last_error="ValueError: odd")
    refused = actor("exchange", pulse={"problem": "betfair refused access"})
    full = actor("ledger", pulse={"failed_commits": 3})
    found = system_troubles(system(parked, refused, full), None, NOON)
    assert set(found) == {"parked/fetcher.soccer_epl", "problem/exchange", "commits"}
    assert "ValueError: odd" in found["parked/fetcher.soccer_epl"].text
    down = system_troubles(system(state="backing_off", last_error="exit -9"), None, NOON)
    assert "process feeds is backing_off: exit -9" in down["node/feeds"].text
    assert system_troubles(system(state="stopping"), None, NOON) == {}


def budget(remaining: int, lasts_until: datetime | None) -> BudgetDescribed:
    return BudgetDescribed(
        allowance=500,
        used=500 - remaining,
        remaining=remaining,
        reserve=25,
        lasts_until=lasts_until,
        resets_at=NOON + timedelta(days=7),
        polls_today=3,
        interval_s={},
    )


def test_credits_that_run_out_are_told_and_those_that_last_are_not() -> None:
    soon = NOON + timedelta(days=1)
    assert system_troubles(system(), budget(400, soon), NOON) == {}
    assert system_troubles(system(), budget(40, None), NOON) == {}
    (low,) = system_troubles(system(), budget(40, soon), NOON).values()
    assert "40 of 500 credits left. At today's rate" in low.text
    (none,) = system_troubles(system(), budget(0, None), NOON).values()
    assert "No credits left." in none.text


def test_only_what_was_started_again_since_is_told() -> None:
    before = restarts_of(system(actor("scorer", restarts=1)))
    now = system(actor("scorer", restarts=2, last_error="KeyError: 'x'"), restarts=0)
    assert restarted(before, now) == {"scorer": "KeyError: 'x'"}
    assert restarted({}, now) == {}, "what was before the first look is no news"


def test_an_unhedged_bet_is_told_in_the_hour_before_kickoff() -> None:
    def line(kind: str, due: timedelta) -> ReminderLine:
        return ReminderLine(
            participant="ann",
            instance="c1",
            bookmaker="coral",
            what="bet q is not hedged",
            due_at=NOON + due,
            kind=kind,
        )

    hour = timedelta(hours=1)
    assert due_troubles((line("unhedged", 2 * hour),), NOON, with_names=True) == {}
    assert due_troubles((line("unhedged", -hour),), NOON, with_names=True) == {}
    assert due_troubles((line("expiring", hour / 2),), NOON, with_names=True) == {}
    (told,) = due_troubles((line("unhedged", hour / 2),), NOON, with_names=True).values()
    assert told.text.startswith("ann: bet q at Coral is not hedged. It starts at 12:30")
    (own,) = due_troubles((line("unhedged", hour / 2),), NOON, with_names=False).values()
    assert "ann" not in own.text
