"""What a row, a link, a chart and a warning are made of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kos.config.load import load
from kos.domain.books.lines import StatementLine
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput, InvalidSettings
from kos.views.opportunities import opportunity_row
from kos.web.books import profit_series
from kos.web.opportunities import row_of, safe_link
from kos.web.questions import question_of
from kos.web.system import recent_warnings
from tests.web.markets import opportunity

QUERY = OpportunityQuery()


@pytest.mark.parametrize(
    ("link", "is_shown"),
    [
        ("https://sports.coral.co.uk/bet/1", True),
        ("https://www.coral.example/slip", True),
        ("http://sports.coral.co.uk/bet/1", False),
        ("https://evil.example/coral", False),
        ("https://coral.co.uk@evil.example/", False),
        ("https://coral.co.uk:8443/", False),
        ("javascript:alert(1)", False),
        ("https://[", False),
        (None, False),
    ],
)
def test_a_link_is_shown_only_to_the_bookmakers_own_host(
    link: str | None, *, is_shown: bool
) -> None:
    shown, host = safe_link(opportunity(1, QUERY, link=link))
    assert (shown == link and "coral" in host) if is_shown else (shown, host) == (None, "")


def test_a_price_is_fresh_as_long_as_the_engine_takes_it_for_fresh() -> None:
    seen = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    rules = ScoringRules(max_fetch_age_s=900, max_source_age_s=600, max_exchange_age_s=120)
    priced = opportunity(1, QUERY, seen_at=seen)
    row = row_of(priced, opportunity_row(priced, seen), rules)
    assert row.back_until == (seen + timedelta(seconds=600)).timestamp()
    assert row.lay_until == (seen + timedelta(seconds=120)).timestamp()


def test_ratios_are_figures_in_percent_that_a_column_can_be_sorted_by() -> None:
    seen = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    priced = msgspec.structs.replace(
        opportunity(1, QUERY, seen_at=seen), rating=Decimal("0.97216"), retention=Decimal("0.755")
    )
    row = row_of(priced, opportunity_row(priced, seen), ScoringRules())
    assert (row.rating, row.retention) == ("97.22", "75.50")


def test_an_address_is_a_question() -> None:
    query = question_of(
        {"kind": "refund", "stake": "25", "refund": "20", "refund_cash": "1", "within_hours": "2"}
    )
    assert query == OpportunityQuery(
        kind=BetKind.REFUND,
        stake=Decimal(25),
        refund_value=Decimal(20),
        is_refund_cash=True,
        limit=200,
        max_minutes_to_kickoff=120.0,
    )
    assert question_of({"kind": "arbs"}).only_arbs
    with pytest.raises(InvalidInput, match="Stake"):
        question_of({"stake": "0.001"})


def line(day: int, account: str, amount: int) -> StatementLine:
    return StatementLine(
        transaction=day,
        occurred_at=datetime(2026, 7, day, 22, 30, tzinfo=UTC),
        participant="ann",
        account=account,
        venue="coral",
        amount=amount,
        what="",
        instance="",
        bet="",
    )


def test_profit_over_time_is_what_result_accounts_gained_by_uk_days() -> None:
    lines = [
        line(1, "pnl:qualifier", 28),
        line(1, "bookmaker:cash", -28),
        line(1, "pnl:free_bet", -700),
        line(3, "pnl:free_bet", -100),
    ]
    series = profit_series(lines)
    assert series["profit"] == [0, 672, 772]
    first = datetime(2026, 7, 1, tzinfo=UTC) - timedelta(hours=1)  # midnight in British summer
    assert series["days"][1] == first.timestamp()
    assert profit_series([]) == {"days": [], "profit": []}


def test_warnings_are_read_from_the_end_of_the_log_newest_first(tmp_path: Path) -> None:
    log = tmp_path / "kos.log"
    said = [
        {"ts": "2026-07-01T12:00:00Z", "level": "info", "event": "actor.started"},
        {"ts": "2026-07-01T12:00:01Z", "level": "warning", "event": "a", "reason": "slow"},
        {"ts": "2026-07-01T12:00:02Z", "level": "error", "event": "b", "node": "feeds"},
    ]
    log.write_text('cut in two"}\n' + "\n".join(json.dumps(each) for each in said) + "\n", "utf-8")
    found = recent_warnings(log)
    assert [(each.event, each.where, each.facts) for each in found] == [
        ("b", "feeds", ""),
        ("a", "", "reason: slow"),
    ]
    assert recent_warnings(tmp_path / "absent") == []


def test_a_page_for_others_without_a_token_is_refused_at_the_start(tmp_path: Path) -> None:
    environ = {"KOS_CONFIG": str(tmp_path / "absent"), "KOS_WEB__HOST": "0.0.0.0"}  # noqa: S104 - the point
    with pytest.raises(InvalidSettings, match=r"web\.token"):
        load(None, environ)
    with pytest.raises(InvalidSettings, match=r"web\.token"):
        load(None, environ | {"KOS_WEB__TOKEN": "short"})
    settings, _ = load(None, environ | {"KOS_WEB__TOKEN": "long-enough-for-strangers"})
    assert "long-enough" not in repr(msgspec.structs.asdict(settings.web))
