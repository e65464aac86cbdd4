"""What is asked to record a fact, what is suggested, and what an answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.books.lines import BalanceLine, BetLine, FloatLine
from kos.domain.offers import facts as f
from kos.domain.offers import suggestions as s
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying
from kos.domain.offers.forms import FACT_FORMS, STEP_FORMS, FactForm, is_headline, is_shown
from kos.domain.offers.state import OfferOutcome, Phase, Token
from kos.domain.offers.suggestions import LEFT_OUT, FormContext
from kos.domain.offers.typed_facts import fields_of
from kos.errors import InvalidInput

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TERMS = Offer(
    key="coral-bet10-get10",
    bookmaker="coral",
    title="Bet £10, get a £10 free bet",
    qualifying=Qualifying(min_stake=1000, sports=("soccer", "tennis"), markets=("h2h",)),
    bonuses=(
        Bonus(face=1000, count=2, min_odds=Decimal("1.5"), expires_after_days=30),
        Bonus(face=500, kind=BonusKind.CASH),
    ),
)


def bet(name: str, venue: str = "coral", *, open_stake: int = 1000, selection: str = "Leeds") -> BetLine:  # fmt: skip
    return BetLine(
        bet=name,
        side="back" if venue == "coral" else "lay",
        venue=venue,
        selection=selection,
        stake=1000,
        odds=Decimal("2.5"),
        open_stake=open_stake,
        result=None,
        profit=0,
        hedge="",
    )


def token(name: str, *, phase: Phase = Phase.FREE_BET_CREDITED, lost: OfferOutcome | None = None) -> Token:  # fmt: skip
    return Token(
        id=name,
        face=1000,
        kind=BonusKind.SNR,
        phase=phase,
        credited_at=NOW,
        expires_at=None,
        lost=lost,
    )


def context(**more: object) -> FormContext:
    return FormContext(bookmaker="coral", instance="c1", **more)  # type: ignore[arg-type]


def form(kind: type[f.Fact]) -> FactForm:
    return FACT_FORMS[f.name_of(kind)]


def asked(kind: type[f.Fact], at: FormContext) -> list[str]:
    """The words of the fields that a dialogue asks for, each answered by a dash."""
    words = []
    at, field = form(kind).next_field(at)
    while field is not None:
        words.append(field.word)
        at, field = form(kind).next_field(at.with_answer(field.word, LEFT_OUT))
    return words


# --- what is asked ----------------------------------------------------------------------------------


def test_a_dialogue_asks_only_what_it_cannot_know() -> None:
    bare = ["stake", "odds", "selection", "kickoff"]
    assert asked(f.QualifierPlaced, context()) == bare
    hints = {"selection": "Leeds", "kickoff": "2026-11-24T15:00:00+00:00", "sport": "soccer"}
    assert asked(f.QualifierPlaced, context(hints=hints)) == ["stake", "odds"]
    several = context(hints={"selection": "Leeds"}, terms=TERMS)
    assert asked(f.QualifierPlaced, several) == ["stake", "odds", "kickoff", "sport"]


def test_what_the_answers_so_far_rule_out_is_not_asked() -> None:
    credit = context(terms=TERMS)
    assert asked(f.Credited, credit) == ["face", "expires_at"]
    paid = context(terms=msgspec.structs.replace(TERMS, bonuses=TERMS.bonuses[1:]))
    assert asked(f.Credited, paid) == ["face"]
    settled = context(bets=(bet("q1"), bet("l1", "betfair")))
    for name, result, more in (
        ("q1", "won", []),
        ("l1", "won", ["commission"]),
        ("l1", "lost", []),
        ("q1", "partial", ["amount"]),
    ):
        answered = settled.with_answer("bet", name).with_answer("result", result)
        assert asked(f.BetSettled, answered) == more


def test_a_free_bet_is_asked_for_only_among_several() -> None:
    one, two = (token("t1"), token("t2"))
    gone = token("t3", lost=OfferOutcome.EXPIRED)
    staked = token("t4", phase=Phase.FREE_BET_PLACED)
    assert "token" not in asked(f.FreeBetPlaced, context(tokens=(one, gone, staked)))
    assert "token" in asked(f.FreeBetPlaced, context(tokens=(one, two)))


def test_every_fact_that_people_record_has_a_form_with_a_label() -> None:
    assert all(one.label and one.meaning for one in FACT_FORMS.values())
    assert set(STEP_FORMS) < set(FACT_FORMS)


# --- what an answer means ---------------------------------------------------------------------------


def test_an_answer_is_read_as_the_terminal_reads_it_and_kept_for_any_later_moment() -> None:
    fields = {field.word: field for field in form(f.QualifierPlaced).fields}
    at = context(terms=TERMS)
    assert fields["stake"].answer(" 9.92 ", at, NOW) == "9.92"
    assert fields["kickoff"].answer("3h", at, NOW) == "2026-11-23T15:00:00+00:00"
    assert fields["kickoff"].answer("-", at, NOW) == LEFT_OUT
    assert fields["sport"].answer("SOC", at, NOW) == "soccer"
    assert fields["sport"].answer("golf", at, NOW) == "golf"
    with pytest.raises(InvalidInput):
        fields["stake"].answer("-", at, NOW)


def test_a_tick_and_an_amount_with_a_sign_are_read_as_typed() -> None:
    fields = {**fields_of(f.Adjusted), **fields_of(f.MoneySent)}
    assert fields["difference"].read("-9.92", NOW) == -992
    assert fields["is_instant"].read("Yes", NOW) is True
    assert fields["is_instant"].read("no", NOW) is False
    assert fields["is_instant"].label == "Already received"
    assert fields["reason"].label == "Reason"


def test_typed_words_are_answers_under_their_shortest_names() -> None:
    placed = form(f.QualifierPlaced)
    typed = {"back.stake": "10", "back.kickoff": "-", "lays.0.stake": "9.92"}
    answers = placed.answers(typed, NOW)
    assert answers == {"stake": "10", "kickoff": LEFT_OUT, "lays.0.stake": "9.92"}
    shown = [(field.name, text) for field, text in placed.shown({**answers, "event_id": "e1"})]
    assert shown == [("stake", "10"), ("stake", "9.92")]
    with pytest.raises(InvalidInput):
        placed.answers({"stake": "-"}, NOW)


def test_a_form_shows_all_but_what_only_the_terminal_types() -> None:
    fields = {field.word: field.field for field in form(f.QualifierPlaced).fields}
    assert is_shown(fields["stake"])
    assert not is_shown(fields["event_id"])
    assert is_headline(fields["stake"])
    assert not is_headline(fields["odds"])


def test_a_part_that_may_be_there_several_times_has_its_fields_for_each() -> None:
    parts = {part.name: part for part in form(f.QualifierPlaced).parts}
    lays = parts["lays"]
    assert lays.path("stake", 2) == "lays.2.stake"
    assert "lays.1.stake" in {field.path for field in lays.numbered(1)}


# --- what is suggested ------------------------------------------------------------------------------


def test_bets_are_named_and_new_ones_numbered() -> None:
    bets = (bet("q1"), bet("l1", "betfair"), bet("q2", open_stake=0))
    at = context(bets=bets)
    assert s.new_bet("q")(at) == (("q3", "q3"),)
    assert s.open_bets()(at)[0] == ("q1: back Leeds £10.00 Coral", "q1")
    assert [name for _, name in s.open_bets(backs=False)(at)] == ["l1"]
    assert s.hedgeable(at) == ()
    assert len(s.hedgeable(context(bets=(bet("q1"), bet("q2"))))) == 2
    assert s.new_token(context(tokens=(token("t1"),))) == "t2"


def test_a_lay_takes_the_selection_and_a_market_of_what_it_hedges() -> None:
    bets = (bet("q1", selection=""), bet("q2", selection="York"))
    at = context(bets=bets, hints={"selection": "Hull"})
    assert s.laid_selection(at) == "York"
    assert s.laid_selection(at.with_answer("covers", "q1")) == "Hull"
    assert s.lay_market(at) == "c1-b1"
    assert s.lay_market(at.with_answer("covers", "q1")) == "c1-q1"
    assert s.lay_market(FormContext()) == ""
    assert s.lay_market(context(hints={"lay_market": "1.1"})) == "1.1"


def test_a_sport_is_that_on_screen_as_the_terms_name_it() -> None:
    suggest = s.within_terms("sport")
    on_screen = {"sport": "soccer_epl"}
    assert suggest(context(hints=on_screen)) == (("soccer_epl",) * 2,)
    assert suggest(context(hints=on_screen, terms=TERMS)) == (("soccer",) * 2,)
    assert len(suggest(context(terms=TERMS))) == 2
    assert suggest(context()) == ()


def test_amounts_come_from_the_screen_the_terms_and_the_books() -> None:
    assert s.qualifying_stake(context()) is None
    assert s.qualifying_stake(context(terms=TERMS, hints={"stake": "5"})) == 1000
    assert s.qualifying_stake(context(terms=TERMS, hints={"stake": "25"})) == 2500
    assert s.money(s.qualifying_stake)(context(terms=TERMS)) == (("£10.00", "10.00"),)
    assert s.money(s.qualifying_stake)(context()) == ()
    lines = (
        BalanceLine(participant="A", account="bookmaker:coral:cash", balance=2600),
        BalanceLine(participant="A", account="exchange:betfair:available", balance=1000),
        BalanceLine(participant="A", account="transit:coral", balance=700),
    )
    at = context(balances=lines)
    assert s.withdrawable(at) is None
    assert s.withdrawable(at.with_answer("venue", "coral")) == 2600
    assert s.withdrawable(at.with_answer("venue", "betfair")) == 1000
    assert s.in_transit(at) == 700
    assert s.in_transit(at.with_answer("venue", "betfair")) == 0


def test_a_free_bet_is_suggested_as_the_terms_promise_it() -> None:
    bare = context()
    unknown = bare.next_bonus()
    assert (unknown.face, unknown.kind, s.bonus_min_odds(bare)) == (0, BonusKind.SNR, "")
    assert s.bonus_expiry(bare) == (("in 7 days", "+7d"),)
    assert s.more_due(bare) == ""
    first = context(terms=TERMS)
    assert (first.next_bonus().face, s.bonus_min_odds(first)) == (1000, "1.5")
    assert s.bonus_expiry(first) == (("in 30 days", "+30d"),)
    assert s.more_due(first) == "true"
    last = context(terms=TERMS, tokens=(token("t1"), token("t2")))
    assert last.next_bonus().kind is BonusKind.CASH
    assert (s.bonus_min_odds(last), s.more_due(last)) == ("", "")
    assert s.token_value(bare) is None
    assert s.token_value(last.with_answer("token", "t1")) == 1000


def test_places_are_those_of_the_offer_or_the_usual_ones() -> None:
    line = FloatLine(participant="A", exchange="smarkets", available=0, exposure=0, reserved=0, free=0)  # fmt: skip
    at = context(floats=(line,), bets=(bet("l1", "matchbook"),), restricted=("skybet",))
    assert s.exchanges(at) == (("Smarkets", "smarkets"), ("Matchbook", "matchbook"))
    assert [key for _, key in s.exchanges(context())] == ["betfair", "smarkets", "matchbook"]
    assert [key for _, key in s.venues(at)] == ["coral", "smarkets", "matchbook"]
    assert [key for _, key in s.venues(FormContext())] == ["betfair", "smarkets", "matchbook"]
    assert s.restricted(at) == (("Sky Bet", "skybet"),)


def test_the_rate_on_screen_goes_before_the_usual_ones() -> None:
    assert len(s.commission(context())) == 3
    assert s.commission(context(hints={"commission": "0.03"})) == (("0.03", "0.03"),)


def test_a_moment_typed_as_a_length_counts_from_now() -> None:
    expires = next(field for field in form(f.Credited).fields if field.word == "expires_at")
    assert expires.answer("7d", context(), NOW) == (NOW + timedelta(days=7)).isoformat()
