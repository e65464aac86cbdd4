"""Past bets from CSV: KOS's own form and Betfair's layouts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kos.domain.offers.past_bets import from_betfair, from_csv
from kos.errors import InvalidInput

OWN = """date,venue,category,side,description,stake,odds,profit,reference
2026-01-02,coral,qualifier,back,Leeds to win,10.00,6/4,-10.00,A1
2026-01-03T15:00:00+01:00,smarkets,,lay,,,,£1.50,
2026-01-03T15:00:00+01:00,smarkets,,lay,,,,£1.50,
"""

STATEMENT = """\ufeff"Date","Ref ID","Description","Amount (£)","Balance (£)"
"02-Jan-26 15:04","111","Football / Leeds v York / Match Odds - Lay","-12.40","87.60"
"02-Jan-26 15:04","111","Commission: Match Odds","-0.20","87.40"
"03-Jan-26 10:00","112","Deposit","50.00","137.40"
"04-Jan-26 10:00","113","Horse racing / To Be Placed","(3.00)","134.40"
"""

TWO_COLUMNS = """Settled date,Market,Credit,Debit
02/01/2026 15:04,Leeds v York,12.40,--
03/01/2026,York v Leeds,,3.00
04/01/2026,Void market,,
"""


def test_own_form_is_read() -> None:
    found = from_csv(OWN)
    first, second, third = (bet.fact for bet in found.bets)
    assert (first.profit, first.stake, first.category, first.reference) == (
        -1000,
        1000,
        "qualifier",
        "A1",
    )
    assert found.bets[1].settled_at == datetime(2026, 1, 3, 14, tzinfo=UTC)
    assert second.reference != third.reference, "the same line twice in one file is two bets"
    assert from_csv(OWN) == found, "and the same file twice is the same bets"


def test_a_quoted_cell_may_follow_a_space() -> None:
    spaced = 'date, venue, profit, description\n2026-01-02, coral, 1, "Leeds, to win"\n'
    assert from_csv(spaced).bets[0].fact.description == "Leeds, to win"


def test_a_betfair_statement_is_read_and_payments_are_skipped() -> None:
    found = from_betfair(STATEMENT)
    assert [(bet.fact.profit, bet.fact.category) for bet in found.bets] == [
        (-1240, "value"),
        (-20, "commission"),
        (-300, "value"),
    ]
    assert found.bets[0].settled_at == datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
    assert len(found.skipped) == 1
    assert "Deposit" in found.skipped[0]
    assert len({bet.fact.reference for bet in found.bets}) == 3


def test_a_betfair_table_with_two_amount_columns_is_read() -> None:
    found = from_betfair(TWO_COLUMNS)
    assert [bet.fact.profit for bet in found.bets] == [1240, -300]
    assert found.skipped == ("line 4: Void market",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("date,venue\n2026-01-02,coral\n", "are needed"),
        ("date,venue,profit,colour\n2026-01-02,coral,1,red\n", "columns"),
        ("date,venue,profit\n2026-01-02,coral,one\n", "line 2 profit"),
        ("date,venue,profit\nyesterday,coral,1\n", "line 2 date"),
        ("date,venue,profit\n2026-01-02,coral\n", "as many cells"),
        ("date,venue,profit\n2026-01-02,,1\n", "line 2 venue"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=f"(?i){why}"):
        from_csv(text)


def test_a_table_without_amounts_is_refused() -> None:
    with pytest.raises(InvalidInput, match="an amount or a credit and a debit"):
        from_betfair("Date,Market\n01/01/2026,x\n")
