from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Offer
from kos.domain.people.conversation import Answer, Seat
from kos.messages import FactRecorded, PutOffers, RecordFact
from kos.storage.verify import verify
from tests.desk.offices import NOW, Building, data_of, labels, text_of
from tests.domain.offers.offer_stories import OFFERS

ADMIN = "terminal:ann"


def put(building: Building, *facts: f.Fact, who: str = "ann", instance: str = "") -> None:
    for fact in facts:
        told = building.ledger(
            RecordFact(
                command_id=f"set-up-{len(building.ledger.commands)}",
                by="test",
                occurred_at=NOW,
                participant=who,
                instance=instance,
                fact=fact,  # type: ignore[arg-type]
            )
        )
        assert isinstance(told, FactRecorded), told


def put_offers(building: Building, offers: Iterable[Offer] = OFFERS) -> None:
    building.ledger(
        PutOffers(command_id="offers", by="test", occurred_at=NOW, offers=tuple(offers))
    )


@pytest.fixture
def shop(building: Building) -> Building:
    """Ann and bob take part, with money everywhere and a catalogue."""
    put_offers(building)
    for who in ("ann", "bob"):
        put(
            building,
            f.Joined(name=who.title()),
            f.Opened(amount=50_000),
            f.Opened(amount=20_000, place=f.Place.BOOKMAKER, venue="coral"),
            f.Opened(amount=20_000, place=f.Place.EXCHANGE, venue="smarkets"),
            who=who,
        )
    return building


class Talk:
    """A person who sends messages, and presses buttons of the last answer."""

    def __init__(self, building: Building, user: str = ADMIN) -> None:
        self.building = building
        self.user = user
        self.last: Answer | None = None

    def say(self, text: str) -> str:
        return self._take(self.building.said(text, self.user))

    def press(self, label: str) -> str:
        assert self.last is not None
        return self._take(self.building.said("", self.user, pressed=data_of(self.last, label)))

    def _take(self, said: object) -> str:
        promised = len(self.building.ledger.promises)
        told = self.building.desk.hear(said)  # type: ignore[arg-type]
        answers = list(told.answers)
        answers += [each.answer for each in self.building.ledger.promises[promised:]]
        if answers:
            self.last = answers[-1]
        return "\n".join((told.notice, *map(text_of, answers)))


@pytest.mark.parametrize("user", [ADMIN, "telegram:1"])
def test_an_offer_from_its_start_to_its_end_by_buttons_and_few_words(  # noqa: PLR0915 - one story
    shop: Building, user: str
) -> None:
    talk = Talk(shop, user)
    assert "Who is it for?" in talk.say("/start_offer")
    assert "Which offer?" in talk.press("Ann (ann)")
    assert "Deposit" in talk.press("Coral: settle")
    assert "reached the bookmaker" in talk.say("10")
    assert "Deposit £10.00, already received" in talk.press("Yes")
    assert "Offer started." in talk.press("Start offer")
    assert "stake" in talk.press("Qualifying bet placed").lower()
    assert "odds" in talk.press("£5.00")
    assert "did you back" in talk.say("5/2")
    assert "Start time" in talk.say("Leeds & York <b>")
    confirmation = talk.say("+3h")
    assert "Stake: £5.00" in confirmation
    assert "Leeds & York <b>" in confirmation
    recorded = talk.press("Record £5.00")
    assert "qualifying bet placed" in recorded
    assert "⚠ Bet q1 is " in recorded
    assert "lay stake" in talk.press("Lay matched").lower()
    assert "Lay odds?" in talk.say("4.95")
    assert "commission" in talk.say("3.6")
    talk.press("2%")
    assert "hedged" in talk.press("Record £4.95")
    assert "q1" not in talk.say("/due")
    talk.say("/offer 1")
    talk.press("Bet settled")
    talk.press("q1")
    talk.press("won")
    assert "✓ Recorded: bet settled." in talk.press("Record")
    talk.press("Bet settled")
    talk.press("lost")
    assert "✓ Recorded: bet settled." in talk.press("Record")
    talk.press("Offer terms met")
    assert "free bet pending" in talk.press("Record")
    talk.press("Free bet credited")
    talk.press("£10.00")
    talk.press("in 7 days")
    assert "free bet credited" in talk.press("Record £10.00")
    talk.press("Free bet placed")
    talk.press("£10.00")
    talk.say("4.0")
    talk.say("York")
    talk.press("Skip")
    assert "free bet placed" in talk.press("Record £10.00")
    talk.press("Bet settled")
    talk.press("lost")
    talk.press("Record")
    talk.press("Free bet fully settled")
    assert "free bet settled" in talk.press("Record")
    talk.press("Close offer")
    assert "closed, completed" in talk.press("Record")
    assert "Open offers\n\nNo offers." in talk.say("/offers")
    assert "closed" in talk.say("/offers all")
    talk.say("/offer 1")
    talk.press("Reopen offer")
    talk.say("it was not the end")
    assert "free bet settled" in talk.press("Record")
    assert verify(shop.ledger.reader, shop.ledger.path).problems == ()


def test_the_pair_on_screen_fills_what_it_tells(shop: Building) -> None:
    talk = Talk(shop)
    talk.say("/qualifier_coral stake=10 basketball")
    talk.press("1")
    talk.press("Use for an offer")
    talk.press("Start a new offer")
    assert "Which offer?" in talk.press("Bob")
    assert labels(talk.last or Answer(spans=())) == ["Coral: refund", "Coral: settle", "Cancel"]
    talk.press("Coral: settle")
    talk.press("£0.00")
    assert "Offer started." in talk.press("Start offer")
    talk.press("Qualifying bet placed")
    talk.press("£10.00")
    confirmation = talk.press("2.")
    assert "Event: Leeds" in confirmation
    assert "Start time: today, 1" in confirmation
    talk.press("Record £10.00")
    talk.press("Lay matched")
    talk.press("£")
    confirmation = talk.press("2.")
    assert "Exchange: Smarkets" in confirmation
    assert "hedged" in talk.press("Record £")


def test_an_offer_that_waits_takes_the_pair(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    talk = Talk(shop)
    talk.say("/qualifier_coral stake=10")
    talk.press("1")
    talk.press("Use for an offer")
    assert "stake" in talk.press("ann c1: Qualifying bet placed").lower()


def test_a_confirmation_works_once(shop: Building) -> None:
    talk = Talk(shop)
    talk.say("/start_offer ann settle amount=10 there=yes")
    data = data_of(talk.last or Answer(spans=()), "Start")
    first = shop.press(data)
    assert not first.is_refused
    again = shop.press(data)
    assert (again.notice, again.is_refused) == ("Already done.", True)
    assert shop.text("/offers ann").count("ann 1") == 1


def test_a_confirmation_of_somebody_else_or_too_late_does_nothing(shop: Building) -> None:
    talk = Talk(shop)
    talk.say("/start_offer ann settle amount=10 there=yes")
    data = data_of(talk.last or Answer(spans=()), "Start")
    assert "someone else" in shop.press(data, "telegram:1").notice
    assert "expired" in shop.press("AAAAAAAAAAAAAAAA").notice
    shop.clock.pass_by(minutes=11)
    assert "expired" in shop.press(data).notice
    assert "No offers." in shop.text("/offers")


def test_who_was_quicker_counts(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000), instance="c1")
    slow, quick = Talk(shop), Talk(shop, "telegram:1")
    for talk in (slow, quick):
        talk.say("/record ann c1 deposit_cleared amount=10")
    assert "Recorded" in quick.press("Record £10")
    assert "Someone else has updated offer" in slow.press("Record £10")


def test_a_word_that_comes_twice_changes_nothing_and_is_answered_the_same(
    shop: Building,
) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000), instance="c1")
    talk = Talk(shop)
    talk.say("/record ann c1 deposit_cleared amount=10")
    said = shop.said("", ADMIN, pressed=data_of(talk.last or Answer(spans=()), "Record"))
    first = shop.desk.hear(said)
    shop.start()
    count = len(shop.ledger.commands)
    assert shop.desk.hear(said).answers == first.answers
    assert len(shop.ledger.commands) == count


def test_an_answer_that_comes_twice_is_taken_once(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    shop.hear("/record ann c1 qualifier_placed")
    said = shop.said("5")
    assert "odds" in text_of(shop.desk.hear(said).answers[0])
    assert "odds" in text_of(shop.desk.hear(said).answers[0])
    assert "did you back" in shop.text("5/2")


def test_a_dialogue_survives_a_restart_of_the_desk(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    shop.hear("/record ann c1 qualifier_placed")
    shop.start()
    assert "odds" in shop.text("5")


def test_an_old_button_answers_no_later_question(shop: Building) -> None:
    talk = Talk(shop)
    talk.say("/start_offer")
    data = data_of(talk.last or Answer(spans=()), "Ann")
    talk.press("Ann")
    told = shop.press(data)
    assert told.is_refused
    assert "earlier question" in told.notice


def test_a_dialogue_left_alone_is_forgotten(shop: Building) -> None:
    shop.hear("/start_offer")
    shop.clock.pass_by(hours=1)
    assert "There is no open question" in shop.text("ann")


def test_cancel_forgets_the_question_and_the_confirmation(shop: Building) -> None:
    talk = Talk(shop)
    talk.say("/start_offer ann settle")
    assert "Cancelled" in talk.say("/cancel")
    assert "There is no open question" in talk.say("10")
    talk.say("/start_offer ann settle amount=10 there=yes")
    data = data_of(talk.last or Answer(spans=()), "Start")
    assert "Cancelled" in talk.say("/cancel")
    assert shop.press(data).notice == "Already done."
    assert "nothing to cancel" in talk.say("/cancel")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("many", "Stake cannot be 'many'"),
        ("-5", "Stake cannot be '-5'"),
        ("0.001", "Stake cannot be '0.001'"),
        ("\u202e", "Stake is missing"),
    ],
)
def test_a_wrong_answer_is_asked_again_with_what_would_do(
    shop: Building, typed: str, said: str
) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    shop.hear("/record ann c1 qualifier_placed")
    shown = shop.text(typed)
    assert said in shown
    assert "Stake (£)?" in shown


def test_a_fact_that_does_not_fit_is_refused_with_those_that_do(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    told = shop.hear("/record ann c1 completed")
    assert told.is_refused
    assert "You can record: deposit_cleared" in text_of(told.answers[0])


def test_buttons_are_the_facts_that_the_phase_accepts(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000), instance="c1")
    told = shop.hear("/offer ann c1").answers[0]
    assert labels(told) == [
        "Deposit received",
        "Money sent to an exchange",
        "Deposit returned",
        "Qualifying bet placed",
        "Bookmaker declined the bonus",
        "Account restricted",
        "Abandon offer",
    ]


def test_only_an_admin_opens_an_ended_offer_again(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=0), f.Abandoned(reason="no"), instance="c1")
    assert labels(shop.hear("/offer ann c1", "telegram:2").answers[0]) == []
    assert labels(shop.hear("/offer ann c1").answers[0]) == ["Reopen offer"]
    assert shop.hear("/record ann c1 reopened", "telegram:2").is_refused


def test_a_participant_sees_and_moves_their_own_only(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000), instance="c1")
    put(shop, f.DepositSent(offer="settle", amount=1000), who="bob", instance="b1")
    shop.seat("telegram:9", Seat.PARTICIPANT, "bob")
    shown = shop.text("/offers", "telegram:9")
    assert "bob b1" in shown
    assert "ann" not in shown
    for typed in (
        "/offer ann c1",
        "/offers ann",
        "/due ann",
        "/record ann c1 deposit_cleared amount=10",
        "/start_offer ann",
        "/offer c1",
        "/begin ann 1 offer=settle amount=1",
    ):
        told = shop.hear(typed, "telegram:9")
        assert told.is_refused, typed
        assert "Ann" not in text_of(told.answers[0])


def test_due_names_what_is_unhedged_and_by_when(shop: Building) -> None:
    put(shop, f.DepositSent(offer="settle", amount=1000, is_instant=True), instance="c1")
    back = f.Back(bet="q", stake=500, odds=Decimal("2.5"), kickoff=NOW, selection="x")
    put(shop, f.QualifierPlaced(back=back), instance="c1")
    told = shop.hear("/due").answers[0]
    assert "ann c1, Coral: bet q is " in text_of(told)
    assert labels(told) == ["ann c1"]
    assert "Bet q" in text_of(shop.press(data_of(told, "ann c1")).answers[0])


def test_offers_are_paged(shop: Building) -> None:
    for number in range(8):
        put(shop, f.DepositSent(offer="settle", amount=0), instance=f"c{number}")
    first = shop.hear("/offers").answers[0]
    assert "Page 1 of 2" in labels(first)
    assert "ann c7" in text_of(shop.press(data_of(first, "Next")).answers[0])


def test_the_catalogue_is_listed(shop: Building) -> None:
    assert "Betfred" in shop.text("/catalogue")
    assert "Betfred" not in shop.text("/catalogue coral")
