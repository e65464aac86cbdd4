"""What alerts say: the figures, what has gone, what is wrong and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.books.lines import ReminderLine
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.people.alerts import (
    MAX_LINES,
    AlertedOpportunity,
    AlertMessage,
    AlertRule,
    AlertToSend,
    Item,
    Measure,
    Memory,
)
from kos.domain.people.conversation import Answer, Style
from kos.domain.people.incidents import Known, Restarts, TroubleToSend
from kos.messages import BudgetDescribed
from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.views.alerts import message_answer, rule_title
from kos.views.incidents import due_troubles, restart_troubles, restarts_of, system_troubles

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


RULE = AlertRule(
    rule_id=1,
    query=OpportunityQuery(bookmaker="coral"),
    measure=Measure.RATING,
    threshold=Decimal(98),
)


def alert(*items: Item, rule: AlertRule | None = RULE, is_new: bool = True) -> AlertToSend:
    telling = AlertMessage(telling_id=1, rule_id=1, told_at=NOON, items=items)
    return AlertToSend(telling=telling, rule=rule, is_new=is_new)


def item(selection: str = "Leeds", gone_at: datetime | None = None, **figures: object) -> Item:
    plain = AlertedOpportunity(
        event="Leeds v York",
        selection=selection,
        bookmaker="Coral",
        exchange="smarkets",
        back_odds=Decimal("2.50"),
        lay_odds=Decimal("2.54"),
        lay_available=Decimal(1500),
        stake=Decimal(10),
        lay_stake=Decimal("9.92"),
        liability=Decimal("15.28"),
        profit=Decimal("-0.28"),
        rating=Decimal("0.9722"),
        retention=None,
        back_updated_at=NOON - timedelta(minutes=3),
        lay_updated_at=NOON - timedelta(seconds=23),
        found_at=NOON,
    )
    return Item(
        key=selection,
        kickoff=NOON + timedelta(hours=3),
        last_seen=NOON,
        gone_at=gone_at,
        opportunity=msgspec.structs.replace(plain, **figures),
    )


def stored(message: AlertToSend) -> AlertToSend:
    """The message as the ledger gives it back."""
    memory = Memory(tellings=(message.telling,))
    again = msgspec.json.decode(msgspec.json.encode(memory), type=Memory)
    return msgspec.structs.replace(message, telling=again.tellings[0])


def test_an_alert_has_everything_needed_to_place_the_bets() -> None:
    assert text_of(message_answer(alert(item()), is_simulated=False)) == (
        "Qualifying bets at Coral, rating 98% or more\n"
        "\n"
        "Leeds v York, starts Mon 23 Nov, 15:00\n"
        "Leeds: Coral 2.50, Smarkets lay 2.54 (£1,500.00 available)\n"
        "Rating 97.22%, loss £0.28\n"
        "Stake £10.00, lay £9.92, liability £15.28\n"
        "Prices: back 3 min old, lay 23s old at 12:00"
    )
    free_bet = item(lay_available=None, retention=Decimal("0.755"), profit=Decimal("7.55"))
    text = text_of(message_answer(alert(free_bet), is_simulated=False))
    assert "(liquidity unknown)" in text
    assert "profit £7.55, retention 75.50%" in text


def test_an_update_names_the_best_counts_the_rest_and_says_which_are_gone() -> None:
    gone = item("Leeds", NOON + timedelta(minutes=12))
    others = tuple(item(f"Team {number}") for number in range(MAX_LINES + 2))
    text = text_of(message_answer(alert(gone, *others, is_new=False), is_simulated=True))
    assert text.startswith("SIMULATED MARKETS. Qualifying bets at Coral")
    assert "no longer available at 12:12, after 12 min" in text
    assert f"and {len(others) + 1 - MAX_LINES} more" in text
    assert "Team 6" not in text


@pytest.mark.parametrize(
    ("event_name", "selection"),
    [
        ("Ajax: Reserves v York", "Ajax: Reserves"),
        ("Leeds\nUnited v York", "Leeds\nUnited"),
        ("A v B: C v D", "B: C v D"),
    ],
)
def test_names_are_whole_in_an_update_whatever_they_are_made_of(
    event_name: str, selection: str
) -> None:
    gone = item(selection, NOON + timedelta(minutes=12), event=event_name)
    text = text_of(message_answer(stored(alert(gone, is_new=False)), is_simulated=False))
    assert (
        f"\n\n{event_name}, starts Mon 23 Nov, 15:00\n{selection}: no longer available at 12:12"
    ) in text


def test_words_of_an_older_ledger_are_shown_as_they_are() -> None:
    words = "Leeds v York, starts Mon 23 Nov, 15:00\nLeeds: Coral 2.50"
    old = Item(key="a", kickoff=NOON, last_seen=NOON, text=words)
    gone = msgspec.structs.replace(old, gone_at=NOON + timedelta(minutes=12))
    text = text_of(message_answer(alert(old, gone, rule=None), is_simulated=False))
    assert text == (
        f"Opportunities\n2 opportunities\n\n{words}\n\n{words}\n"
        "no longer available at 12:12, after 12 min"
    )


def test_a_rule_is_named_with_its_unit() -> None:
    assert rule_title("Qualifying bets", Measure.PROFIT, Decimal("-0.50"), "coral") == (
        "Qualifying bets at Coral, profit -£0.50 or more"
    )
    assert rule_title("Arbs", Measure.RATING, Decimal(100), None) == "Arbs, rating 100% or more"


def test_a_problem_says_when_it_was_resolved() -> None:
    known = Known(key="a", text="the disk is full", since=NOON, last_seen=NOON, telling_id=1)
    new = TroubleToSend(known=known, is_new=True)
    assert text_of(message_answer(new, is_simulated=False)) == "Attention: the disk is full"
    over = msgspec.structs.replace(known, over_at=NOON + timedelta(hours=2))
    resolved = TroubleToSend(known=over, is_new=False)
    answer = message_answer(resolved, is_simulated=True)
    assert text_of(answer) == "SIMULATED MARKETS. the disk is full\nResolved at 14:00, after 2h."
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


def test_restarts_are_counted_and_named_by_process_and_actor() -> None:
    described = system(
        actor("scorer", restarts=2, last_error="KeyError: 'x'"), restarts=1, last_error="exit -9"
    )
    assert restarts_of(described) == {
        "process feeds": Restarts(1, "exit -9"),
        "scorer": Restarts(2, "KeyError: 'x'"),
    }
    (trouble,) = restart_troubles({"scorer": "KeyError: 'x'"}).values()
    assert trouble.text == "scorer failed and was restarted: KeyError: 'x'"


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
