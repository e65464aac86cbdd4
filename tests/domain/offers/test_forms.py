"""What the forms of facts know, suggest and ask, from the state of the offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from kos.domain.books.lines import BalanceLine, BetLine, FloatLine
from kos.domain.offers.catalogue import Bonus, BonusKind
from kos.domain.offers.forms import FACT_FORMS, STEP_FORMS, FieldForm, is_headline
from kos.domain.offers.state import Phase, Token
from kos.domain.offers.suggestions import LEFT_OUT, FormContext
from kos.web.forms import page_form
from tests.domain.offers.one_offer import CORAL

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
TERMS = msgspec.structs.replace(
    CORAL,
    qualifying=msgspec.structs.replace(
        CORAL.qualifying, min_stake=1000, sports=("soccer", "tennis"), markets=()
    ),
    bonuses=(
        Bonus(face=1000, count=2, min_odds=Decimal("1.5"), expires_after_days=30),
        Bonus(face=500, kind=BonusKind.CASH),
    ),
)


def bet(name: str, venue: str = "coral", *, stake: int = 1000, selection: str = "Leeds") -> BetLine:
    return BetLine(
        bet=name,
        side="back" if venue == "coral" else "lay",
        venue=venue,
        selection=selection,
        stake=1000,
        odds=Decimal(2),
        open_stake=stake,
        result=None,
        profit=0,
        hedge="",
    )


def token(name: str, face: int = 1000, phase: Phase = Phase.FREE_BET_CREDITED) -> Token:
    return Token(
        id=name, face=face, kind=BonusKind.SNR, phase=phase, credited_at=NOW, expires_at=None
    )


def exchange_float(exchange: str) -> FloatLine:
    return FloatLine(
        participant="ann", exchange=exchange, available=0, exposure=0, reserved=0, free=0
    )


EMPTY = FormContext(bookmaker="coral", instance="c1", terms=TERMS)
BUSY = replace(
    EMPTY,
    bets=(bet("q1"), bet("l1", "smarkets"), bet("q2", selection="York"), bet("q0", stake=0)),
    tokens=(token("t1"), token("t2", 500)),
    floats=(exchange_float("betfair"), exchange_float("smarkets")),
    balances=(
        BalanceLine(participant="ann", account="transit:coral", balance=700),
        BalanceLine(participant="ann", account="bookmaker:coral:cash", balance=2500),
        BalanceLine(participant="ann", account="exchange:betfair:available", balance=3300),
    ),
)
ON_SCREEN = replace(
    EMPTY,
    hints={
        "selection": "York",
        "kickoff": "2026-07-02T15:00:00+00:00",
        "event": "Leeds v York",
        "event_id": "e1",
        "sport": "soccer_epl",
        "stake": "12.5",
        "odds": "2.5",
        "lay_exchange": "smarkets",
        "lay_market": "1.23",
        "lay_stake": "9.92",
        "lay_odds": "2.54",
        "commission": "0.02",
    },
)


def field(fact: str, word: str) -> FieldForm:
    return next(field for field in FACT_FORMS[fact].fields if field.word == word)


@pytest.mark.parametrize(
    ("context", "fact", "word", "known"),
    [
        (EMPTY, "qualifier_placed", "bet", "q1"),
        (BUSY, "qualifier_placed", "bet", "q3"),
        (BUSY, "free_bet_placed", "bet", "f1"),
        (BUSY, "lay_matched", "bet", "l2"),
        (BUSY, "credited", "token", "t3"),
        (BUSY, "bet_settled", "bet", ""),
        (BUSY, "lay_cancelled", "bet", "l1"),
        (BUSY, "early_payout", "bet", ""),
        (BUSY, "lay_matched", "covers", ""),
        (replace(BUSY, bets=BUSY.bets[:1]), "lay_matched", "covers", LEFT_OUT),
        (BUSY, "lay_matched", "selection", "Leeds"),
        (BUSY.with_answer("covers", "q2"), "lay_matched", "selection", "York"),
        (EMPTY, "lay_matched", "selection", ""),
        (ON_SCREEN, "lay_matched", "selection", "York"),
        (BUSY, "lay_matched", "market", "c1-b1"),
        (BUSY.with_answer("covers", "q2"), "lay_matched", "market", "c1-q2"),
        (ON_SCREEN, "lay_matched", "market", "1.23"),
        (BUSY, "lay_matched", "exchange", ""),
        (ON_SCREEN, "lay_matched", "exchange", "smarkets"),
        (EMPTY, "lay_matched", "exchange", ""),
        (EMPTY, "lay_matched", "commission", ""),
        (ON_SCREEN, "lay_matched", "commission", "0.02"),
        (EMPTY, "qualifier_placed", "kickoff", ""),
        (ON_SCREEN, "qualifier_placed", "kickoff", "2026-07-02T15:00:00+00:00"),
        (EMPTY, "qualifier_placed", "sport", ""),
        (ON_SCREEN, "qualifier_placed", "sport", "soccer"),
        (ON_SCREEN, "free_bet_placed", "sport", "soccer_epl"),
        (EMPTY, "qualifier_placed", "market", LEFT_OUT),
        (BUSY, "free_bet_placed", "token", ""),
        (replace(BUSY, tokens=(token("t1"),)), "free_bet_placed", "token", "t1"),
        (BUSY, "free_bet_settled", "token", LEFT_OUT),
        (EMPTY, "triggered", "met_by", "terms met"),
        (EMPTY, "credited", "kind", "snr"),
        (replace(BUSY, terms=None), "credited", "kind", "snr"),
        (BUSY, "credited", "kind", "cash"),
        (EMPTY, "credited", "min_odds", "1.5"),
        (BUSY, "credited", "min_odds", LEFT_OUT),
        (EMPTY, "credited", "more_due", "true"),
        (BUSY, "credited", "more_due", LEFT_OUT),
        (EMPTY.with_answer("kind", "cash"), "credited", "expires_at", LEFT_OUT),
        (BUSY.with_answer("result", "won"), "bet_settled", "amount", LEFT_OUT),
        (BUSY.with_answer("result", "cashed_out"), "bet_settled", "amount", ""),
        (
            BUSY.with_answer("result", "won").with_answer("bet", "l1"),
            "bet_settled",
            "commission",
            "",
        ),
        (
            BUSY.with_answer("result", "won").with_answer("bet", "q1"),
            "bet_settled",
            "commission",
            LEFT_OUT,
        ),
        (BUSY.with_answer("result", "lost"), "bet_settled", "commission", LEFT_OUT),
        (EMPTY, "completed", "note", LEFT_OUT),
    ],
)
def test_what_is_known_is_not_asked(context: FormContext, fact: str, word: str, known: str) -> None:
    assert field(fact, word).known(context) == known


@pytest.mark.parametrize(
    ("context", "fact", "word", "suggested"),
    [
        (EMPTY, "qualifier_placed", "stake", ["10.00"]),
        (ON_SCREEN, "qualifier_placed", "stake", ["12.50"]),
        (replace(EMPTY, terms=None), "qualifier_placed", "stake", []),
        (ON_SCREEN, "qualifier_placed", "odds", ["2.5"]),
        (ON_SCREEN, "lay_matched", "stake", ["9.92"]),
        (EMPTY, "lay_matched", "exchange", ["betfair", "smarkets", "matchbook"]),
        (BUSY, "lay_matched", "exchange", ["betfair", "smarkets"]),
        (BUSY, "lay_matched", "covers", ["q1", "q2"]),
        (BUSY, "bet_settled", "bet", ["q1", "l1", "q2"]),
        (BUSY, "bet_settled", "result", ["won", "lost", "void", "partial", "cashed_out"]),
        (EMPTY, "credited", "face", ["10.00"]),
        (BUSY, "credited", "face", ["5.00"]),
        (EMPTY, "credited", "expires_at", ["+30d"]),
        (BUSY, "credited", "expires_at", ["+7d"]),
        (BUSY, "free_bet_placed", "token", ["t1", "t2"]),
        (BUSY.with_answer("token", "t1"), "free_bet_placed", "stake", ["10.00"]),
        (BUSY, "free_bet_placed", "stake", ["5.00"]),
        (BUSY, "deposit_cleared", "amount", ["7.00"]),
        (EMPTY, "deposit_cleared", "amount", []),
        (BUSY, "withdrawal_requested", "venue", ["coral", "betfair", "smarkets"]),
        (FormContext(), "withdrawal_requested", "venue", ["betfair", "smarkets", "matchbook"]),
        (BUSY, "withdrawal_requested", "amount", []),
        (BUSY.with_answer("venue", "coral"), "withdrawal_requested", "amount", ["25.00"]),
        (BUSY.with_answer("venue", "betfair"), "withdrawal_requested", "amount", ["33.00"]),
        (FormContext(restricted=("coral",)), "bookmaker_cleared", "bookmaker", ["coral"]),
    ],
)
def test_likely_answers_are_suggested(
    context: FormContext, fact: str, word: str, suggested: list[str]
) -> None:
    assert [value for _, value in field(fact, word).choices(context)] == suggested


@pytest.mark.parametrize("context", [EMPTY, BUSY, ON_SCREEN], ids=["empty", "busy", "screen"])
@pytest.mark.parametrize("name", STEP_FORMS)
def test_a_dialogue_fills_in_what_the_page_shows(name: str, context: FormContext) -> None:
    form = STEP_FORMS[name]
    filled, _ = form.next_field(context)
    page = page_form(form, context, {}, NOW)
    values = {each.form.word: each.value for each in (*page.needed, *page.further)}
    for word, value in filled.answers.items():
        if word in values and value != LEFT_OUT and word != "kickoff":
            assert values[word] == value


def test_a_bet_is_named_by_its_stake_and_place() -> None:
    label, _ = field("bet_settled", "bet").choices(BUSY)[1]
    assert label == "l1: lay Leeds £10.00 Smarkets"


def test_the_start_of_one_suggestion_is_taken_for_it() -> None:
    exchange = field("lay_matched", "exchange")
    assert exchange.answer("Smar", BUSY, NOW) == "smarkets"
    assert exchange.answer("s", EMPTY, NOW) == "smarkets"
    assert exchange.answer("Betdaq", BUSY, NOW) == "betdaq"
    assert field("bet_settled", "bet").answer("q", BUSY, NOW) == "q"


def test_only_an_optional_field_that_offers_it_can_be_skipped() -> None:
    assert field("qualifier_placed", "kickoff").answer("-", EMPTY, NOW) == LEFT_OUT
    assert FACT_FORMS["qualifier_placed"].answers({"kickoff": "-"}, NOW) == {"kickoff": LEFT_OUT}


def test_a_moment_is_kept_as_it_was_meant_when_it_was_typed() -> None:
    answers = FACT_FORMS["credited"].answers({"expires_at": "7d", "face": "£10"}, NOW)
    assert answers == {"expires_at": "2026-07-08T12:00:00+00:00", "face": "£10"}


def test_a_dialogue_asks_in_the_order_of_the_description() -> None:
    context, asked = EMPTY, []
    form = FACT_FORMS["qualifier_placed"]
    while (step := form.next_field(context))[1] is not None:
        context, missing = step
        assert missing is not None
        asked.append(missing.word)
        context = context.with_answer(missing.word, "x")
    assert asked == ["stake", "odds", "selection", "kickoff", "sport"]


def test_a_confirmation_shows_the_fields_in_order_and_names_the_amount() -> None:
    form = FACT_FORMS["lay_matched"]
    answers = {"odds": "2.54", "stake": "9.92", "bet": "l1", "covers": LEFT_OUT}
    shown = [(each.name, value) for each, value in form.shown(answers)]
    assert shown == [("bet", "l1"), ("stake", "9.92"), ("odds", "2.54")]
    assert [each.name for each, _ in form.shown(answers) if is_headline(each)] == ["stake"]
