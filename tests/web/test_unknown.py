"""A form whose outcome nobody knows: what the page says, and what a second sending does."""

from __future__ import annotations

import re

from kos.messages import (
    BooksDescribed,
    CatalogueListed,
    CommandRefused,
    FactRecorded,
    GetBooks,
    GetCatalogue,
    GetParticipants,
    GetStatement,
    ParticipantsListed,
    RecordFact,
    StatementListed,
)
from kos.runtime import Message, PeerDied
from kos.web.server import WebServer
from tests.web.served import Answered, Cast, call, serving

KEY = "0123456789abcdef"
SENTENCE = (
    "The ledger is restarting. KOS cannot tell whether this was saved."
    " Send it again: it will not be recorded twice."
)


class Ledger:
    """Takes facts, and answers as a test says."""

    def __init__(self) -> None:
        self.commands: list[RecordFact] = []
        self.answer: Message | None = None
        """To a command; None while nobody answers."""
        self.is_readable = True

    def __call__(self, message: Message) -> Message:
        if isinstance(message, RecordFact):
            self.commands.append(message)
            if self.answer is None:
                raise PeerDied("ledger", "killed")
            return self.answer
        if isinstance(message, GetParticipants):
            return ParticipantsListed(participants=())
        if isinstance(message, GetCatalogue):
            return CatalogueListed(offers=())
        if not self.is_readable:
            raise PeerDied("ledger", "killed")
        if isinstance(message, GetStatement):
            return StatementListed(lines=())
        assert isinstance(message, GetBooks)
        return BooksDescribed(
            balances=(),
            floats=(),
            capital=0,
            locked=0,
            profit=0,
            by_kind=(),
            by_venue=(),
            by_offer=(),
            by_month=(),
            trial_balance=0,
        )


def send(server: WebServer) -> Answered:
    """Send the same form, with the key it was made with."""
    page = call(server, "/offers/new").text
    token = re.search(r'name="kos-form-token" content="([^"]+)"', page)
    assert token is not None
    form = {
        "form_token": token[1],
        "key": KEY,
        "fact": "joined",
        "participant": "ann",
        "f.name": "Ann",
    }
    return call(server, "/books/record", form=form)


def test_the_form_is_shown_again_under_its_key_and_sent_again_it_is_one_command() -> None:
    ledger = Ledger()
    with serving(Cast(ledger=ledger)) as server:
        answer = send(server)
        assert SENTENCE in answer.text
        assert f'value="{KEY}"' in answer.text
        ledger.answer = FactRecorded(command_id=f"web:{KEY}", sequence=1, participant="ann")
        assert send(server).status == 303
    assert {command.command_id for command in ledger.commands} == {f"web:{KEY}"}
    assert len(ledger.commands) > 2, "not repeated while the ledger was away"


def test_a_ledger_that_cannot_show_the_page_either_hides_no_sentence() -> None:
    ledger = Ledger()
    ledger.is_readable = False
    with serving(Cast(ledger=ledger)) as server:
        answer = send(server)
    assert answer.status == 503
    assert SENTENCE in answer.text


def test_a_refused_fact_is_said_with_a_new_key() -> None:
    ledger = Ledger()
    ledger.answer = CommandRefused(command_id=f"web:{KEY}", reason="ann has already joined")
    with serving(Cast(ledger=ledger)) as server:
        answer = send(server)
    assert "ann has already joined" in answer.text
    assert KEY not in answer.text
    assert len(ledger.commands) == 1
