"""Alert rules and hours at the desk."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from kos.domain.opportunities.opportunity import BetKind
from kos.domain.people.alerts import (
    MAX_RULES,
    PREFERENCES,
    RULES,
    AlertRule,
    Measure,
    Preferences,
)
from kos.domain.people.conversation import Seat
from kos.messages import GetKept, KeptListed
from tests.desk.offices import Building, data_of, text_of

ADMIN = "telegram:1"


def promised(building: Building) -> str:
    return text_of(building.ledger.promises[-1].answer)


def kept(building: Building, user: str = ADMIN) -> dict[str, str]:
    """What the ledger keeps of a user's alerts, by name."""
    listed = building.ledger(GetKept(owner=user, prefix="alert-"))
    assert isinstance(listed, KeptListed)
    return {each.name: each.value for each in listed.kept}


def rules(building: Building, user: str = ADMIN) -> dict[int, AlertRule]:
    found = (
        msgspec.json.decode(value, type=AlertRule)
        for name, value in kept(building, user).items()
        if name.startswith(RULES)
    )
    return {rule.rule_id: rule for rule in found}


def preferences(building: Building) -> Preferences:
    return msgspec.json.decode(kept(building)[PREFERENCES], type=Preferences)


def test_a_rule_is_kept_with_its_filters_and_threshold(building: Building) -> None:
    building.hear("/alert qualifier coral rating=98.5 stake=25 within=2h", ADMIN)
    rule = rules(building)[1]
    assert (rule.measure, rule.threshold) == (Measure.RATING, Decimal("98.5"))
    assert (rule.query.bookmaker, rule.query.stake) == ("coral", Decimal(25))
    assert rule.query.max_minutes_to_kickoff == 120
    assert not rule.is_digest
    assert "Coral, rating 98.5% or more, £25.00 stake" in promised(building)


def test_each_kind_has_a_usual_threshold_and_the_digest_is_a_word(building: Building) -> None:
    building.hear("/alert snr laid digest", ADMIN)
    rule = rules(building)[1]
    assert (rule.query.kind, rule.measure, rule.threshold) == (
        BetKind.FREE_BET_SNR,
        Measure.RETENTION,
        Decimal(80),
    )
    assert rule.query.bookmaker is None
    assert rule.is_digest


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/alert", "one of qualifier"),
        ("/alert qualifier coral retention=80", "e.g. rating"),
        ("/alert refund coral retention=80", "e.g. rating"),
        ("/alert dutch", "one of qualifier, snr, sr, refund, arbs"),
        ("/alert qualifier coral rating=much", "a percentage such as 98.5"),
        ("/alert qualifier coral rating=98 profit=5", "one of score"),
        ("/alert qualifier coral rating=NaN", "a percentage such as 98.5"),
        ("/alert qualifier nobody", "Word cannot be 'nobody'. Enter a bookmaker"),
        ("/unalert 7", "You have no alerts to remove."),
        ("/quiet 25:00-07:00", "22:30"),
        ("/quiet now", "22:30-07:00"),
        ("/mute soon", "90m"),
        ("/digest 1", "5 to 1,440"),
        ("/system_alerts maybe", "one of on, off"),
    ],
)
def test_what_makes_no_sense_is_refused_whole(building: Building, typed: str, said: str) -> None:
    told = building.text(typed, ADMIN)
    assert said in told
    assert kept(building) == {}


def test_rules_are_listed_and_removed_by_a_button(building: Building) -> None:
    building.hear("/alert qualifier coral", ADMIN)
    building.hear("/alert arbs", ADMIN)
    told = building.hear("/alerts", ADMIN).answers[0]
    assert "1 Qualifying bets at Coral, rating 98% or more" in text_of(told)
    building.press(data_of(told, "Remove 1"), ADMIN)
    assert set(rules(building)) == {2}
    building.hear("/alert sr paddypower", ADMIN)
    assert set(rules(building)) == {1, 2}, "the free number is given again"
    building.hear("/unalert all", ADMIN)
    assert rules(building) == {}


def test_there_is_a_bound_on_rules(building: Building) -> None:
    for number in range(MAX_RULES):
        building.hear(f"/alert qualifier coral rating={70 + number}", ADMIN)
    assert f"You already have {MAX_RULES} alerts" in building.text("/alert qualifier coral", ADMIN)


def test_hours_mute_and_digest_are_kept(building: Building) -> None:
    building.hear("/quiet 22:30-07:00", ADMIN)
    building.hear("/mute 2h", ADMIN)
    building.hear("/digest 30", ADMIN)
    building.hear("/system_alerts off", ADMIN)
    now = preferences(building)
    assert (now.quiet_from, now.quiet_until, now.digest_minutes) == ("22:30", "07:00", 30)
    assert now.muted_until is not None
    assert not now.wants_system
    shown = building.text("/alerts", ADMIN)
    assert "Quiet hours: 22:30 to 07:00" in shown
    assert "Muted until Sat 14 Mar, 14:00" in shown
    for typed in ("/quiet off", "/mute off", "/system_alerts on"):
        building.hear(typed, ADMIN)
    now = preferences(building)
    assert (now.quiet_from, now.muted_until, now.wants_system) == ("", None, True)


def test_the_same_alert_twice_is_one_alert(building: Building) -> None:
    building.hear("/alert qualifier coral rating=98", ADMIN)
    assert "You already have this alert." in building.text(
        "/alert qualifier coral rating=98", ADMIN
    )
    building.hear("/alert qualifier coral rating=97", ADMIN)
    assert sorted(rules(building)) == [1, 2]


def test_alerts_of_one_are_no_business_of_another(building: Building) -> None:
    building.seat("telegram:9", Seat.PARTICIPANT, "ann")
    building.hear("/alert qualifier coral", ADMIN)
    building.hear("/unalert 1", "telegram:9")
    assert set(rules(building)) == {1}
    assert "You have no alerts" in building.text("/alerts", "telegram:9")


def test_who_is_not_on_telegram_is_told_where_alerts_go(building: Building) -> None:
    assert "Telegram" in building.text("/alert qualifier coral")
    assert kept(building, "terminal:ann") == {}
