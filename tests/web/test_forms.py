"""A typed form is the same fact as the same words at the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kos.domain.offers.facts import (
    MONEY_FACTS,
    OFFER_FACTS,
    CashAdvanced,
    QualifierPlaced,
    name_of,
)
from kos.domain.offers.typed_facts import spoken
from kos.errors import InvalidInput
from kos.web.forms import FIELD, fact_form, typed_fact

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SAMPLES = {
    "money": "12.50",
    "odds": "2.5",
    "share": "2",
    "moment": "2026-07-02T15:00",
    "number": "1",
    "tick": "true",
}


@pytest.mark.parametrize("facts", [OFFER_FACTS, MONEY_FACTS], ids=["offer", "money"])
def test_every_fact_has_a_form_that_can_be_filled_in(facts: dict[str, type]) -> None:
    for name, kind in facts.items():
        if name == name_of(CashAdvanced):
            continue  # KOS's own word
        form = fact_form(name, kind, {}, {}, ("b1",))
        fields = (
            *form.needed,
            *form.further,
            *(each for part in form.parts for each in part.fields),
        )
        assert form.meaning
        assert len({each.name for each in fields}) == len(fields)
        typed = {
            FIELD + each.name: each.choices[0] if each.choices else SAMPLES.get(each.kind, "x")
            for each in fields
        }
        assert name_of(typed_fact(facts, name, typed, NOW)) == name


def test_a_form_says_what_the_words_say() -> None:
    form = {
        "f.back.bet": "q",
        "f.back.stake": "10",
        "f.back.odds": "6/4",
        "f.back.kickoff": "2026-07-02T15:00",
        "f.lays.0.bet": "l",
        "f.lays.0.exchange": "betfair",
        "f.lays.0.market": "1.1",
        "f.lays.0.selection": "Leeds",
        "f.lays.0.stake": "9.92",
        "f.lays.0.odds": "2.54",
        "f.lays.0.commission": "2",
        "f.lays.0.is_single_winner": "true",
        "note": "no field of the fact",
    }
    words = (
        "bet=q stake=10 odds=6/4 kickoff=2026-07-02T15:00+01:00 lays.0.bet=l"
        " lays.0.exchange=betfair lays.0.market=1.1 lays.0.selection=Leeds lays.0.stake=9.92"
        " lays.0.odds=2.54 lays.0.commission=0.02"
    )
    typed = typed_fact(OFFER_FACTS, "qualifier_placed", form, NOW)
    assert typed == spoken(OFFER_FACTS, "qualifier_placed", words.split(), NOW)
    assert isinstance(typed, QualifierPlaced)
    assert typed.lays[0].commission == Decimal("0.02")


def test_a_part_that_is_not_said_is_left_out_without_a_gap() -> None:
    form = {
        "f.settled.0.bet": "a",
        "f.settled.0.result": "",
        "f.settled.1.bet": "b",
        "f.settled.1.result": "won",
    }
    typed = typed_fact(OFFER_FACTS, "free_bet_settled", form, NOW)
    assert typed == spoken(
        OFFER_FACTS, "free_bet_settled", ["settled.0.bet=b", "settled.0.result=won"], NOW
    )


def test_what_is_wrong_is_named() -> None:
    for name, form, said in (
        ("deposit_cleared", {"f.amount": "ten"}, "Amount"),
        ("deposit_cleared", {}, "amount"),
        ("lay_matched", {"f.lay.commission": "two"}, "Commission"),
        ("no_such_fact", {}, "no_such_fact"),
        ("cash_advanced", {"f.token": "t"}, "cash_advanced"),
    ):
        with pytest.raises(InvalidInput, match=said):
            typed_fact(OFFER_FACTS, name, form, NOW)
