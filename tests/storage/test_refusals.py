"""Every refusal of the ledger: what is said to it, and what its answer names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kos.db import open_for_reading, open_for_writing
from kos.domain.books.double_entry import Account, AccountKind, Posting
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.offers import facts as f
from kos.domain.people.conversation import Action, Kept, Person, Promise, PromiseOutcome, Seat
from kos.errors import DatabaseRefused, InvalidInput, OperatorMustAct
from kos.messages import (
    AcceptInvitation,
    CommandRefused,
    Conclude,
    EraseParticipant,
    GetBooks,
    GetEverything,
    GetOffer,
    LedgerCommand,
    MarkDelivered,
    PutInvitation,
    PutOffers,
    QueryRefused,
    RecordAlias,
    RecordCreditsSpent,
    RecordFact,
    SetPerson,
)
from kos.runtime.protocol import Message
from kos.storage import (
    answers,
    backup,
    conclusions,
    erasure,
    ledger,
    migrations,
    outbox,
    people,
    portfolios,
    queries,
    reports,
    retention,
    snapshots,
    transfer,
    verify,
)
from kos.storage.backup import back_up, restore
from kos.storage.ledger import Ledger
from kos.storage.migrations import migrate, open_as_it_is
from kos.storage.transfer import imported
from tests.domain.offers.offer_stories import OFFERS
from tests.refusals import noting_refusals, refusals_in
from tests.storage.desks import Desk, action, desk_at, promise
from tests.storage.ledgers import NOON, begin, record

NAIVE = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - what has no zone is refused
LONG = "x" * 201
HUGE = 2**63
OPEN = f.QualifierPlaced(back=f.Back(bet="q", stake=1000, odds=Decimal(2)))


def as_command(kind: type[LedgerCommand], **fields: Any) -> LedgerCommand:
    known: dict[str, Any] = {"command_id": "", "by": "ann", "occurred_at": NOON}
    return kind(**(known | fields))


def fact(participant: str, told: f.Fact, instance: str = "", **rest: Any) -> LedgerCommand:
    return as_command(RecordFact, participant=participant, fact=told, instance=instance, **rest)


def erase(participant: str, reason: str = "asked for it") -> LedgerCommand:
    return as_command(EraseParticipant, participant=participant, reason=reason)


def alias(verdict: AliasVerdict, feed_name: str = "Wolves", sport: str = "soccer") -> LedgerCommand:
    return as_command(
        RecordAlias,
        sport=sport,
        feed_name=feed_name,
        exchange_name="Wolverhampton",
        verdict=verdict,
        evidence="",
    )


def seat(**fields: Any) -> LedgerCommand:
    return as_command(
        SetPerson,
        person=Person(**({"user": "telegram:7", "name": "Ann", "seat": Seat.ADMIN} | fields)),
    )


def invitation(**fields: Any) -> LedgerCommand:
    fields = {
        "code_digest": "0" * 64,
        "seat": Seat.OPERATOR,
        "expires_at": NOON + timedelta(hours=1),
    } | fields
    return as_command(PutInvitation, **fields)


def acceptance(**fields: Any) -> LedgerCommand:
    fields = {"code_digest": "1" * 64, "user": "telegram:9", "name": "Bea"} | fields
    return as_command(AcceptInvitation, **fields)


def delivered(**fields: Any) -> LedgerCommand:
    return as_command(MarkDelivered, **({"entry_id": 1, "outcome": PromiseOutcome.SENT} | fields))


def conclusion(
    *,
    kept: Kept | None = None,
    actions: tuple[Action, ...] = (),
    used: tuple[str, ...] = (),
    promised: Promise | None = None,
) -> LedgerCommand:
    return as_command(
        Conclude,
        kept=() if kept is None else (kept,),
        actions=actions,
        used=used,
        promises=() if promised is None else (promised,),
    )


def value(**fields: Any) -> LedgerCommand:
    return conclusion(kept=Kept(**({"owner": "telegram:7", "name": "x", "value": "1"} | fields)))


def button(**fields: Any) -> LedgerCommand:
    return conclusion(actions=(msgspec.structs.replace(action("new"), **fields),))


def message(**fields: Any) -> LedgerCommand:
    return conclusion(promised=msgspec.structs.replace(promise("hello"), **fields))


ONE_PENNY = Posting(Account(AccountKind.BANK), 1)
USED, SHOWN = action("used").action_id, action("shown").action_id

COMMANDS: dict[str, tuple[LedgerCommand, tuple[str, ...]]] = {
    "nobody asks": (as_command(PutOffers, offers=OFFERS, by=""), ("By", "ID")),
    "no zone": (as_command(PutOffers, offers=OFFERS, occurred_at=NAIVE), ("occurred_at", "zone")),
    "no such command": (as_command(LedgerCommand), ("LedgerCommand",)),
    "no id": (as_command(PutOffers, offers=OFFERS, command_id=""), ("command_id", "200")),
    "a long id": (as_command(PutOffers, offers=OFFERS, command_id=LONG), ("command_id", "200")),
    "no integer of the file": (fact("A", f.Opened(amount=2**64)), ("stored",)),
    "an id used otherwise": (erase("B", "again"), ("'used'",)),
    "credits below nothing": (
        as_command(RecordCreditsSpent, sport_key="soccer_epl", credits=-1),
        ("Credits", "-1"),
    ),
    "credits of no sport": (
        as_command(RecordCreditsSpent, sport_key="", credits=1),
        ("sport_key",),
    ),
    "an alias of nothing": (alias(AliasVerdict.CONFIRMED, ""), ("feed_name",)),
    "an alias of no sport": (alias(AliasVerdict.CONFIRMED, sport=""), ("Sport",)),
    "an alias taken back that was not said": (
        alias(AliasVerdict.WITHDRAWN, "Rovers"),
        ("Rovers", "Wolverhampton"),
    ),
    "an alias taken back twice": (alias(AliasVerdict.WITHDRAWN), ("Wolves", "Wolverhampton")),
    "no offers": (as_command(PutOffers, offers=()), ("Offer", "at least one")),
    "an erasure without a reason": (erase("A", " "), ("reason",)),
    "an erasure of nobody": (erase("Z"), ("participant Z",)),
    "an erasure with an open bet": (erase("A"), ("A", "c1/q")),
    "an erasure with money on its way": (erase("C"), ("C", "£10.00")),
    "an erased participant back": (fact("E", f.Joined(name="Eve")), ("Participant E", "erased")),
    "a participant without an id": (fact("", f.Joined(name="Ann")), ("user_id",)),
    "a stale version": (
        fact("A", f.Abandoned(reason="late"), "c1", expected_version=1),
        ("c1", "2", "1"),
    ),
    "a version of an offer that is not there": (
        fact("A", f.Abandoned(reason="late"), "c9", expected_version=1),
        ("c9", "0", "1"),
    ),
    "an entry with other lines": (
        fact(
            "A",
            f.EntryReversed(
                transaction=1,
                reason="wrong",
                postings=(ONE_PENNY,),
            ),
            role=f.Role.SUPERVISOR,
        ),
        ("Entry 1 ", "lines"),
    ),
    "an entry of nobody": (
        fact("A", f.EntryReversed(transaction=999, reason="wrong"), role=f.Role.SUPERVISOR),
        ("A", "999"),
    ),
    "a person by name": (seat(user="telegram:ann"), ("user", "telegram:ann")),
    "a person of no screen": (seat(user="ann"), ("user", "'ann'")),
    "a person with a long id": (seat(user="web:" + LONG), ("user",)),
    "a person without a name": (seat(name=" "), ("Name", "200")),
    "a person with a long name": (seat(name=LONG), ("Name", "200")),
    "a participant's seat for nobody": (seat(seat=Seat.PARTICIPANT), ("participant",)),
    "a seat of an erased participant": (
        seat(seat=Seat.PARTICIPANT, participant="E"),
        ("E", "erased"),
    ),
    "an invitation without a digest": (invitation(code_digest="code"), ("code_digest",)),
    "an invitation of the past": (invitation(expires_at=NOON), ("expires_at",)),
    "an invitation without a zone": (invitation(expires_at=NAIVE), ("expires_at",)),
    "an invitation given before": (invitation(code_digest="1" * 64), ("code", "before")),
    "a seat for who has one": (acceptance(user="telegram:7"), ("access", "admin")),
    "a code that is unknown": (acceptance(code_digest="2" * 64), ("code",)),
    "a code that has expired": (
        acceptance(occurred_at=NOON + timedelta(hours=1)),
        ("code",),
    ),
    "a bearer by name": (acceptance(user="telegram:bea"), ("telegram:bea",)),
    "a promise still waiting": (delivered(outcome=PromiseOutcome.WAITING), ("outcome", "waiting")),
    "a message below nothing": (delivered(message_id=-1), ("message_id", "-1")),
    "a message beyond all numbers": (delivered(message_id=HUGE), ("message_id",)),
    "no promise's number": (delivered(entry_id=0), ("entry_id",)),
    "beyond all promises": (delivered(entry_id=HUGE), ("entry_id",)),
    "no such promise": (delivered(entry_id=999), ("999",)),
    "a value of nobody": (value(owner=""), ("Kept owner",)),
    "a value with a long name": (value(name=LONG), ("Kept name", "200")),
    "a value without a zone": (value(expires_at=NAIVE), ("kept expires_at",)),
    "a long value": (value(value=f'"{"x" * 65_536}"'), ("kept x", "65,538", "65,536")),
    "a value that is no JSON": (value(value="{"), ("Kept x", "JSON")),
    "a button without an id": (button(action_id="short"), ("action_id", "short")),
    "a button for nobody": (button(user=""), ("Action user",)),
    "a button for too long a name": (button(user=LONG), ("Action user",)),
    "a button that does nothing": (button(command=""), ("Action command", "4,096")),
    "a button that does too much": (button(command="x" * 4097), ("Action command", "4,096")),
    "a button without a zone": (button(expires_at=NAIVE), ("action expires_at",)),
    "a button that is used": (button(used_at=NOON), ("action used_at",)),
    "a button shown before": (conclusion(actions=(action("shown"),)), (SHOWN, "before")),
    "a button shown twice": (conclusion(actions=(action("n"), action("n"))), ("before",)),
    "an unknown button pressed": (conclusion(used=("nothing",)), ("unknown", "expired")),
    "a button pressed again": (conclusion(used=(USED,)), ("already", "used")),
    "a button pressed twice": (conclusion(used=(SHOWN, SHOWN)), ("already", "used")),
    "a message to nobody": (message(chat=""), ("Chat", "200")),
    "a message to too long a chat": (message(chat=LONG), ("Chat", "200")),
    "a long topic": (message(topic=LONG), ("Topic", "200")),
    "an edit of no message": (message(edits=-1), ("Edits", "-1")),
    "an edit beyond all numbers": (message(edits=HUGE), ("Edits",)),
    "a message without a zone": (message(expires_at=NAIVE), ("expires_at", "zone")),
}
"""What is said to the ledger of :func:`filled`, and the words of its refusal."""

QUESTIONS: dict[str, tuple[Message, str]] = {
    "about nobody": (GetBooks(), "participant"),
    "about somebody whom the books do not know": (GetBooks(participant="nobody"), "nobody"),
    "an offer of nobody": (GetOffer(operator="ann", instance="c1"), "participant"),
    "no such offer": (GetOffer(participant="A", instance="c9"), "c9"),
    "everything about nobody": (GetEverything(operator="ann"), "participant"),
    "no question": (Message(), "Message"),
}


def filled(path: Path) -> Desk:
    """A ledger in which every command of :data:`COMMANDS` is wrong for one reason alone."""
    desk = Desk(path)
    begin(desk.ledger, "A", "B", "C", "E")
    record(desk.ledger, "A", f.DepositSent(offer="settle", amount=1000, is_instant=True), "c1")
    record(desk.ledger, "A", OPEN, "c1")
    record(desk.ledger, "C", f.DepositSent(offer="settle", amount=1000), "c1")
    desk.ledger.execute(
        [
            msgspec.structs.replace(command, command_id=name)
            for name, command in {
                "erased": erase("E"),
                "used": alias(AliasVerdict.CONFIRMED),
                "back": alias(AliasVerdict.WITHDRAWN),
                "code": invitation(code_digest="1" * 64),
            }.items()
        ]
    )
    desk.seat("telegram:7")
    desk.conclude(actions=(action("used"), action("shown")), promises=(promise("hello"),))
    desk.conclude(used=(USED,))
    return desk


def tell(desk: Desk, name: str) -> object:
    command, _ = COMMANDS[name]
    own_id = {"no id": "", "a long id": LONG, "an id used otherwise": "used"}
    command_id = own_id.get(name, name)
    (answer,) = desk.ledger.execute([msgspec.structs.replace(command, command_id=command_id)])
    return answer


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = filled(tmp_path_factory.mktemp("desk") / "ledger.db")
    yield desk
    desk.sound()
    desk.ledger.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_does_not_fit_is_refused_and_names_what_is_wrong(
    desk: Desk, name: str
) -> None:
    refused = tell(desk, name)
    assert isinstance(refused, CommandRefused), refused
    assert "cannot apply" not in refused.reason
    for word in COMMANDS[name][1]:
        assert word in refused.reason


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_is_not_bound_to_anybody_is_refused(desk: Desk, name: str) -> None:
    question, word = QUESTIONS[name]
    refused = desk.ask(question)
    assert isinstance(refused, QueryRefused)
    assert word in refused.reason


# --- files ----------------------------------------------------------------------------------------


def ledger_file(folder: Path) -> Path:
    path = folder / "ledger.db"
    with desk_at(path) as desk:
        begin(desk.ledger, "A")
    return path


def over_another_file(folder: Path) -> None:
    taken = folder / "taken.db"
    taken.touch()
    back_up(ledger_file(folder), taken)


def under_a_link_to_nothing(folder: Path) -> None:
    link = folder / "link.db"
    link.symlink_to(folder / "nothing.db")
    back_up(ledger_file(folder), link)


def into_no_folder(folder: Path) -> None:
    back_up(ledger_file(folder), folder / "nowhere" / "copy.db")


def of_a_tampered_file(folder: Path) -> None:
    path = ledger_file(folder)
    with desk_at(path) as desk:
        desk.ledger.database.raw().execute("UPDATE accounts SET balance = 7 WHERE kind = 'bank'")
        back_up(path, folder / "copy.db")


def an_older_schema(folder: Path) -> None:
    path = folder / "older.db"
    database = open_for_writing(path, migrations.SCHEMA_VERSION)
    migrate(database, path, 1)
    database.close()
    open_as_it_is(path)


def a_damaged_file(folder: Path) -> None:
    path = ledger_file(folder)
    whole = path.read_bytes()
    database = open_for_reading(path)
    root = database.value("SELECT rootpage FROM sqlite_master WHERE name = 'postings'")
    size = database.value("PRAGMA page_size")
    database.close()
    path.write_bytes(whole[: size * (root - 1)] + bytes(size) + whole[size * root :])
    Ledger(path)


def an_old_copy(folder: Path) -> None:
    path = ledger_file(folder)
    old = path.read_bytes()
    with desk_at(path) as desk:
        desk.promise(promise("later"))
    path.write_bytes(old)
    Ledger(path)


def no_line_of_an_export(folder: Path) -> None:
    with desk_at(folder / "ledger.db") as desk:
        imported(desk.ledger, [b"\n", b"{}"])


FILES: dict[Callable[[Path], None], tuple[type[OperatorMustAct], str]] = {
    over_another_file: (InvalidInput, "taken.db"),
    under_a_link_to_nothing: (InvalidInput, "link.db"),
    into_no_folder: (InvalidInput, "copy.db"),
    of_a_tampered_file: (DatabaseRefused, "books of A"),
    an_older_schema: (DatabaseRefused, "version 1"),
    a_damaged_file: (DatabaseRefused, "damaged"),
    an_old_copy: (DatabaseRefused, "1 acknowledged"),
    no_line_of_an_export: (InvalidInput, "Line 2"),
}


@pytest.mark.parametrize("attempt", FILES, ids=lambda attempt: attempt.__name__)
def test_a_file_that_cannot_be_used_is_refused_and_says_why(
    attempt: Callable[[Path], None], tmp_path: Path
) -> None:
    refusal, word = FILES[attempt]
    with pytest.raises(refusal, match=word):
        attempt(tmp_path)
    assert not list(tmp_path.glob("*.partial"))


def test_a_copy_of_a_sound_file_of_an_older_schema_is_restored(tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    database = open_for_writing(older, migrations.SCHEMA_VERSION)
    migrate(database, older, 1)
    database.close()
    path = tmp_path / "ledger.db"
    assert restore(older, path) is None
    with desk_at(path) as desk:
        desk.sound()


MODULES = (
    answers, backup, conclusions, erasure, ledger, migrations, outbox, people, portfolios,
    queries, reports, retention, snapshots, transfer, verify,
)  # fmt: skip


def test_every_refusal_is_reached_by_a_row(tmp_path: Path) -> None:
    with noting_refusals(MODULES) as reached:
        desk = filled(tmp_path / "ledger.db")
        for name in COMMANDS:
            tell(desk, name)
        for question, _ in QUESTIONS.values():
            desk.ask(question)
        desk.ledger.close()
        for number, attempt in enumerate(FILES):
            folder = tmp_path / str(number)
            folder.mkdir()
            with pytest.raises(OperatorMustAct):
                attempt(folder)
    assert refusals_in(MODULES) - reached == set()
