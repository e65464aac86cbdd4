from __future__ import annotations

import csv
import io
import struct
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from kos.domain.books.lines import StatementLine
from kos.domain.offers import facts as f
from kos.domain.people.conversation import Seat
from kos.messages import FactRecorded, PutOffers, RecordFact
from kos.views.books import statement_csv
from tests.desk.offices import NOW, Building, data_of, labels, text_of
from tests.domain.offers.offer_stories import OFFERS


@pytest.fixture
def shop(building: Building) -> Building:
    """Ann and bob, each with money and a settled past."""
    building.ledger(PutOffers(command_id="offers", by="test", occurred_at=NOW, offers=OFFERS))
    for who in ("ann", "bob"):
        for number, fact in enumerate(
            (
                f.Joined(name=who.title()),
                f.Opened(amount=50_000),
                f.Opened(amount=20_000, place=f.Place.EXCHANGE, venue="smarkets"),
                f.BonusPaid(venue="coral", amount=1_500, reason="=1+1"),
                f.BonusPaid(venue="bet$fred€ 😀", amount=250),
                f.CommissionCharged(exchange="smarkets", amount=30),
                f.MoneySent(place=f.Place.BOOKMAKER, venue="coral", amount=700, is_instant=False),
            )
        ):
            told = building.ledger(
                RecordFact(
                    command_id=f"{who}-{number}",
                    by="test",
                    occurred_at=NOW - timedelta(days=10 - number),
                    participant=who,
                    fact=fact,  # type: ignore[arg-type]
                )
            )
            assert isinstance(told, FactRecorded), told
    return building


def test_balances_of_all_and_of_one(shop: Building) -> None:
    shown = shop.text("/balance")
    assert "Balances: everyone" in shown
    assert "bob" in shown
    assert "Capital £1,434.40" in shown
    own = shop.text("/balance ann")
    assert "Capital £717.20 (£7.00 tied up)" in own
    assert "Coral, in transit" in own
    assert "bob" not in own
    assert "Cash bonuses" not in own


def test_exposure_and_float(shop: Building) -> None:
    assert "£7.00 at risk or in transit, out of £717.20" in shop.text("/exposure ann")
    assert "Available to lay £199.70" in shop.text("/float ann")


def test_profit_by_kind_place_and_period_with_a_chart(shop: Building) -> None:
    picture, figures = shop.hear("/profit ann 30d").answers
    assert "£17.20" in text_of(figures)
    assert "By bookmaker and exchange\n  Coral £15.00" in text_of(figures)
    assert picture.picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture.picture[16:24])
    assert width + height <= 10_000
    assert "£0.00" in text_of(shop.hear("/profit ann today").answers[0])
    assert "all" in labels(figures)
    assert "£17.20" in text_of(shop.press(data_of(figures, "all")).answers[-1])


def test_without_the_library_the_figures_come_with_how_to_install_it(
    shop: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    (figures,) = shop.hear("/profit ann 30d").answers
    assert "£17.20" in text_of(figures)
    assert "kos-engine[charts]" in text_of(figures)


@pytest.mark.parametrize(
    "period", ["today", "week", "month", "year", "all", "7d", "2026", "2026-03", "2025-26"]
)
def test_every_period_is_understood(shop: Building, period: str) -> None:
    assert not shop.hear(f"/profit {period}").is_refused
    assert not shop.hear(f"/statement ann {period}").is_refused


@pytest.mark.parametrize("typed", ["/profit ann 2026-13 x", "/profit ann bob", "/balance a=b"])
def test_what_is_no_period_is_refused(shop: Building, typed: str) -> None:
    assert shop.hear(typed).is_refused


def test_a_statement_is_a_file_without_formulas(shop: Building) -> None:
    told = shop.hear("/statement ann all").answers[0]
    assert told.file_name == "statement-ann-all.csv"
    rows = list(csv.DictReader(io.StringIO(told.file.decode())))
    assert {row["who"] for row in rows} == {"ann"}
    assert sum(Decimal(row["amount"]) for row in rows) == 0
    cells = [cell for row in rows for name, cell in row.items() if name != "amount"]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}]


@pytest.mark.parametrize(
    "text", ["=1+1", " =1", "@x", "-1", "+1", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_no_cell_of_foreign_text_is_a_formula(text: str) -> None:
    line = StatementLine(
        transaction=1,
        occurred_at=NOW,
        participant=text,
        account="bank",
        venue=text,
        amount=-5,
        what=text,
        instance=text,
        bet=text,
    )
    row = next(csv.reader(io.StringIO(statement_csv([line]).partition("\n")[2])))
    assert [cell for cell in row if cell.endswith(("1", "x"))]
    assert all(cell.startswith("'") for cell in (row[2], row[4], *row[6:]))
    assert row[5] == "-0.05"


def test_a_participant_sees_their_own_books_only(shop: Building) -> None:
    shop.seat("telegram:9", Seat.PARTICIPANT, "bob")
    for typed in ("/balance", "/exposure", "/float", "/profit all", "/statement all"):
        told = shop.hear(typed, "telegram:9")
        assert not told.is_refused, typed
        assert "ann" not in " ".join(map(text_of, told.answers))
        assert b"ann" not in told.answers[0].file
        assert shop.hear(f"{typed.split()[0]} ann", "telegram:9").is_refused
    assert shop.hear("/undo bob 3", "telegram:9").is_refused


def test_an_entry_is_taken_back_once_after_a_confirmation(shop: Building) -> None:
    told = shop.hear("/statement ann all").answers[0]
    rows = list(csv.DictReader(io.StringIO(told.file.decode())))
    number = next(row["transaction"] for row in rows if "coral" in row["venue"])
    asked = shop.hear(f"/undo ann {number}").answers[0]
    assert "Undo £15.00" in labels(asked)
    data = data_of(asked, "Undo")
    assert "undone" in text_of(shop.press(data).answers[0])
    assert shop.press(data).notice == "Already done."
    assert "£2.20" in text_of(shop.hear("/profit ann all").answers[0])
    again = shop.hear(f"/undo ann {number}").answers[0]
    assert "already reversed" in shop.press(data_of(again, "Undo")).notice
    assert shop.hear("/undo ann 99999").is_refused
    assert shop.hear(f"/undo ann {number}", "telegram:2").is_refused
