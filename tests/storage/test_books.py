"""Offers and books in the file: any sequence of commands, and what the file itself refuses."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kos.domain.books.periods import read_year
from kos.domain.offers import facts as f
from kos.errors import CommandNotAllowed
from kos.messages import (
    CommandRefused,
    EraseParticipant,
    FactRecorded,
    GetBooks,
    GetEverything,
    GetOffer,
    GetOffers,
    GetParticipants,
    GetReminders,
    GetStatement,
    LedgerCommand,
    LedgerQuery,
    PutOffers,
    QueryRefused,
    RecordFact,
)
from kos.storage import queries, reports
from kos.storage.answers import Question, answer
from kos.storage.ledger import Ledger, LedgerAnswer
from kos.storage.portfolios import portfolio_of
from kos.storage.verify import verify
from tests.domain.offers.offer_stories import OFFERS, Telling, next_telling
from tests.profiles import examples
from tests.storage.ledgers import NOON, begin, command, record, tell


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def sound(ledger: Ledger) -> None:
    assert verify(ledger.database, ledger.path).problems == ()


class Books(RuleBasedStateMachine):
    """Any sequence of commands of two participants, in any grouping, some said twice."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self._folder.name) / "ledger.db")
        begin(self.ledger, "A", "B")
        self.said: list[tuple[LedgerCommand, LedgerAnswer]] = []

    @rule(rnd=st.randoms(use_true_random=False), size=st.integers(1, 6))
    def say_together(self, rnd: object, size: int) -> None:
        commands: list[LedgerCommand] = []
        for number in range(size):
            who = rnd.choice("AB")  # type: ignore[attr-defined]
            portfolio = portfolio_of(self.ledger.database, who)
            step = len(self.said) + number
            telling = next_telling(rnd, portfolio, step)  # type: ignore[arg-type]
            commands.append(command(who, f"{who}-{step}", telling))
        answers = self.ledger.execute(commands)
        self.said += zip(commands, answers, strict=True)

    @rule(rnd=st.randoms(use_true_random=False))
    def say_again(self, rnd: object) -> None:
        if not self.said:
            return
        again = rnd.sample(self.said, min(3, len(self.said)))  # type: ignore[attr-defined]
        before = self.ledger.sequence
        answers = self.ledger.execute([command for command, _ in again])
        assert answers == [answer for _, answer in again]
        assert self.ledger.sequence == before

    @rule()
    def open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.ledger.path)

    @invariant()
    def trial_balance_is_zero(self) -> None:
        books = reports.books(self.ledger.database, GetBooks(operator="ann"), NOON)
        assert books.trial_balance == 0

    def teardown(self) -> None:
        sound(self.ledger)
        self.ledger.close()
        self._folder.cleanup()


Books.TestCase.settings = settings(max_examples=examples(30), stateful_step_count=20, deadline=None)
TestBooks = Books.TestCase


def test_a_long_story_folds_to_what_is_stored(ledger: Ledger) -> None:
    begin(ledger, "A")
    answers = tell(ledger, "A", seed=7, length=60)
    assert sum(isinstance(one, FactRecorded) for one in answers) > 20
    assert any(isinstance(one, CommandRefused) for one in answers)
    sound(ledger)


def test_a_stale_version_is_refused(ledger: Ledger) -> None:
    begin(ledger, "A")
    record(ledger, "A", f.DepositSent(offer="settle", amount=0), "c1")
    stale = RecordFact(
        command_id="late",
        by="bob",
        occurred_at=NOON,
        participant="A",
        instance="c1",
        fact=f.Abandoned(reason="me too"),
        expected_version=0,
    )
    (refused,) = ledger.execute([stale])
    assert isinstance(refused, CommandRefused)
    assert "Someone else has updated offer" in refused.reason
    now = msgspec.structs.replace(stale, command_id="now", expected_version=1)
    assert isinstance(ledger.execute([now])[0], FactRecorded)


def test_the_same_terms_again_make_no_new_revision(ledger: Ledger) -> None:
    begin(ledger, "A")
    changed = msgspec.structs.replace(OFFERS[0], title="better")
    again = PutOffers(command_id="again", by="ann", occurred_at=NOON, offers=(changed, *OFFERS[1:]))
    ledger.execute([again])
    revisions = dict(
        ledger.database.rows("SELECT offer_key, MAX(revision) FROM catalogue GROUP BY 1")
    )
    assert revisions == {offer.key: 1 for offer in OFFERS} | {changed.key: 2}
    assert queries.latest_terms(ledger.database, changed.key) == changed


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE events SET note = 'x'", "append-only"),
        ("DELETE FROM postings", "append-only"),
        ("UPDATE postings SET amount = amount + 1", "append-only"),
        ("DELETE FROM transactions", "append-only"),
        ("DELETE FROM commands", "append-only"),
        ("UPDATE catalogue SET terms = '{}'", "append-only"),
        ("UPDATE offers SET phase = 3, state = 'FREE_BET_PENDING', version = 2", "one phase"),
        ("UPDATE offers SET phase = 2, state = 'QUALIFYING_PLACED', version = 3", "one phase"),
        ("UPDATE offers SET state = 'FREE_BET_PENDING', version = 2", "CHECK"),
        ("UPDATE accounts SET balance = -1 WHERE kind = 'bank'", "CHECK"),
        ("INSERT INTO accounts (user_id, kind, venue) VALUES ('A', 'purse', '')", "CHECK"),
        ("INSERT INTO accounts (user_id, kind, venue) VALUES ('Z', 'bank', '')", "FOREIGN KEY"),
        ("INSERT INTO postings SELECT * FROM postings LIMIT 1", "complete"),
        ("INSERT INTO events SELECT * FROM events WHERE offer_id <> ''", "without a gap"),
        ("UPDATE accounts SET balance = 'much'", "cannot store TEXT"),
    ],
)
def test_the_file_itself_refuses_what_breaks_its_rules(
    ledger: Ledger, statement: str, why: str
) -> None:
    begin(ledger, "A")
    record(ledger, "A", f.DepositSent(offer="settle", amount=0), "c1")
    with pytest.raises(sqlite3.IntegrityError, match=why):
        ledger.database.raw().execute(statement)
    sound(ledger)


@pytest.mark.parametrize(
    ("amounts", "why"),
    [((5, -4), "sums to zero"), ((5,), "sums to zero"), ((), "sums to zero")],
)
def test_the_file_itself_refuses_an_unbalanced_transaction(
    ledger: Ledger, amounts: tuple[int, ...], why: str
) -> None:
    begin(ledger, "A")
    run = ledger.database.raw().execute
    run("BEGIN")
    for account, amount in enumerate(amounts, 1):
        run(
            "INSERT INTO postings VALUES (999, ?, ?, 'A', '', '', '', '2026-01-01T00:00:00.000000Z')",
            (account, amount),
        )
    with pytest.raises(sqlite3.IntegrityError, match=why):
        run(
            "INSERT INTO transactions VALUES"
            " (999, 2, 0, 'A', '', 'half', '2026-01-01T00:00:00.000000Z')"
        )
    run("ROLLBACK")
    sound(ledger)


def test_a_posting_without_its_transaction_cannot_be_committed(ledger: Ledger) -> None:
    begin(ledger, "A")
    run = ledger.database.raw().execute
    run("BEGIN")
    run("INSERT INTO postings VALUES (999, 1, 5, 'A', '', '', '', '2026-01-01T00:00:00.000000Z')")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        run("COMMIT")
    run("ROLLBACK")


def test_money_of_another_participant_cannot_be_posted(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    with pytest.raises(sqlite3.IntegrityError, match="another participant"):
        ledger.database.raw().execute(
            "INSERT INTO postings"
            " SELECT 999, account_id, 5, 'B', '', '', '', '2026-01-01T00:00:00.000000Z'"
            " FROM accounts WHERE user_id = 'A' LIMIT 1"
        )


def test_the_promised_indexes_are_there_and_used(ledger: Ledger) -> None:
    names = {name for (name,) in ledger.database.rows("SELECT name FROM sqlite_master")}
    assert {"idx_offers_state", "idx_offers_user_id"} <= names
    plan = str(
        ledger.database.rows(
            "EXPLAIN QUERY PLAN SELECT * FROM offers WHERE state = 'FREE_BET_PENDING'"
        )
    )
    assert "idx_offers_state" in plan


def test_a_command_that_fails_after_it_has_written_undoes_itself_alone(ledger: Ledger) -> None:
    begin(ledger, "A")
    good = msgspec.structs.replace(OFFERS[0], key="good")
    bad = msgspec.structs.replace(OFFERS[0], key="bad", bonuses=())
    before, half, after = ledger.execute(
        [
            command("A", "before", Telling("", f.Opened(amount=1), NOON)),
            PutOffers(command_id="half", by="ann", occurred_at=NOON, offers=(good, bad)),
            command("A", "after", Telling("", f.Opened(amount=1), NOON)),
        ]
    )
    assert isinstance(before, FactRecorded)
    assert isinstance(half, CommandRefused)
    assert isinstance(after, FactRecorded)
    assert after.transactions[0] == before.transactions[0] + 1
    keys = {offer.key for offer in queries.catalogue(ledger.database).offers}
    assert keys == {offer.key for offer in OFFERS}
    sound(ledger)


@pytest.mark.parametrize(
    "fact",
    [
        f.QualifierPlaced(back=f.Back(bet="q", stake=1000, odds=Decimal("NaN"))),
        f.QualifierPlaced(back=f.Back(bet="q", stake=10**40, odds=Decimal(2))),
        f.FloatSent(exchange="betfair", amount=10**15),
        f.FloatSent(exchange="bet\udcfffair", amount=1),
    ],
)
def test_a_value_that_no_rule_foresaw_takes_no_neighbour_with_it(
    ledger: Ledger, fact: f.Fact
) -> None:
    begin(ledger, "A")
    record(ledger, "A", f.DepositSent(offer="settle", amount=0), "c1")
    before, odd, after = ledger.execute(
        [
            command("A", "before", Telling("", f.Opened(amount=1), NOON)),
            command("A", "odd", Telling("c1", fact, NOON)),
            command("A", "after", Telling("", f.Opened(amount=1), NOON)),
        ]
    )
    assert isinstance(before, FactRecorded)
    assert isinstance(odd, CommandRefused)
    assert isinstance(after, FactRecorded)
    sound(ledger)


# --- tenants --------------------------------------------------------------------------------------

ABOUT_ONE = tuple(query for query in get_args(Question) if issubclass(query, LedgerQuery))


def test_every_question_about_participants_is_tried() -> None:
    assert set(ABOUT_ONE) == {
        GetOffers,
        GetOffer,
        GetReminders,
        GetBooks,
        GetStatement,
        GetParticipants,
        GetEverything,
    }


@pytest.mark.parametrize("query", ABOUT_ONE)
def test_no_question_of_one_participant_shows_anything_of_another(
    ledger: Ledger, query: type[LedgerQuery]
) -> None:
    begin(ledger, "Alice", "Barbara")
    record(ledger, "Alice", f.DepositSent(offer="settle", amount=123), "alices-secret")
    record(ledger, "Alice", f.Adjusted(place=f.Place.BANK, difference=7, reason="alices-secret"))
    rest = {"instance": "alices-secret"} if query is GetOffer else {}
    told = answer(ledger.database, ledger.path, query(participant="Barbara", **rest), NOON)
    assert "Alice" not in str(told)
    if query is GetOffer:
        assert isinstance(told, QueryRefused)
    else:
        assert "alices-secret" not in str(told)
    nobody = answer(ledger.database, ledger.path, query(**rest), NOON)
    assert isinstance(nobody, QueryRefused)


@pytest.mark.parametrize(
    "fact",
    [
        f.Abandoned(reason="not mine"),
        f.DepositCleared(amount=100),
        f.QualifierPlaced(back=f.Back(bet="x", stake=1000, odds=Decimal(2))),
        f.Reopened(reason="x"),
    ],
)
def test_no_command_of_one_participant_touches_an_offer_of_another(
    ledger: Ledger, fact: f.Fact
) -> None:
    begin(ledger, "A", "B")
    record(ledger, "A", f.DepositSent(offer="settle", amount=100), "c1")
    before = portfolio_of(ledger.database, "A")
    refused = record(ledger, "B", fact, "c1")
    absent = record(ledger, "B", fact, "c9")
    assert isinstance(refused, CommandRefused)
    assert isinstance(absent, CommandRefused)
    assert refused.reason.replace("c1", "c9") == absent.reason, "it does not even tell it exists"
    assert portfolio_of(ledger.database, "A") == before


def test_an_answer_is_not_given_to_another_participant_under_the_same_key(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    record(ledger, "A", f.Opened(amount=100), command_id="key")
    stolen = record(ledger, "B", f.Opened(amount=100), command_id="key")
    assert isinstance(stolen, CommandRefused)
    assert "'A'" not in stolen.reason


def test_two_participants_name_their_offers_alike(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    for who in "AB":
        done = record(ledger, who, f.DepositSent(offer="settle", amount=0), "c1")
        assert isinstance(done, FactRecorded)
    sound(ledger)


def test_an_entry_of_another_participant_cannot_be_reversed(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    refused = record(ledger, "B", f.EntryReversed(transaction=1, reason="mine now"))
    assert isinstance(refused, CommandRefused)
    assert isinstance(
        record(ledger, "A", f.EntryReversed(transaction=1, reason="typed twice")), FactRecorded
    )
    sound(ledger)


# --- erasure ------------------------------------------------------------------------------------


def erase(who: str, command_id: str = "erase") -> EraseParticipant:
    return EraseParticipant(
        command_id=command_id, by="ann", occurred_at=NOON, participant=who, reason="asked for it"
    )


def test_an_erased_participant_leaves_nothing_and_the_others_stand(ledger: Ledger) -> None:
    begin(ledger, "Zacharias", "B")
    record(ledger, "Zacharias", f.Opened(amount=77))
    others = portfolio_of(ledger.database, "B")
    (done,) = ledger.execute([erase("Zacharias")])
    assert not isinstance(done, CommandRefused)
    told = answer(ledger.database, ledger.path, GetEverything(participant="Zacharias"), NOON)
    assert set(map(len, told.tables.values())) == {0}  # type: ignore[attr-defined]
    assert portfolio_of(ledger.database, "B") == others
    sound(ledger)
    raw = b"".join(
        file.read_bytes()
        for file in (ledger.path, ledger.path.with_name(ledger.path.name + "-wal"))
        if file.exists()
    )
    assert raw.count(b"Zacharias") == 1, "but for the mark that keeps the id from being used again"
    back = record(ledger, "Zacharias", f.Joined(name="Z"))
    assert isinstance(back, CommandRefused)


def test_a_participant_with_an_open_bet_is_not_erased(ledger: Ledger) -> None:
    begin(ledger, "A")
    record(ledger, "A", f.DepositSent(offer="settle", amount=0), "c1")
    bet = f.Back(bet="q", stake=1000, odds=Decimal(2))
    record(ledger, "A", f.QualifierPlaced(back=bet), "c1")
    (refused,) = ledger.execute([erase("A")])
    assert isinstance(refused, CommandRefused)
    assert "open bets (c1/q)" in refused.reason


def test_profit_is_told_by_the_time_asked_for(ledger: Ledger) -> None:
    begin(ledger, "A")
    for day, pence in ((5, 100), (6, 20)):
        telling = Telling(
            "", f.BonusPaid(venue="coral", amount=pence), datetime(2026, 4, day, tzinfo=UTC)
        )
        ledger.execute([command("A", f"bonus-{day}", telling)])
    since, until = read_year("--year", "2026-27")
    asked = GetBooks(participant="A", since=since, until=until)
    assert reports.books(ledger.database, asked, NOON).profit == 20
    everything = reports.books(ledger.database, GetBooks(participant="A"), NOON)
    assert everything.profit == 120
    assert [(line.name, line.profit) for line in everything.by_venue] == [("coral", 120)]
    assert [(line.name, line.profit) for line in everything.by_month] == [("2026-04", 120)]


def test_profit_by_month_is_by_month_of_the_uk_calendar(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    moments = (
        datetime(2026, 6, 30, 22, 59, tzinfo=UTC),
        datetime(2026, 6, 30, 23, 0, tzinfo=UTC),
        datetime(2026, 7, 15, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
    )
    for who in ("B", "A"):
        for number, at in enumerate(moments):
            telling = Telling("", f.BonusPaid(venue="coral", amount=10**number), at)
            ledger.execute([command(who, f"bonus-{who}-{number}", telling)])
    lines = reports.books(ledger.database, GetBooks(operator="ann"), NOON).by_month
    assert [(line.participant, line.name, line.profit) for line in lines] == [
        (who, month, profit)
        for who in ("A", "B")
        for month, profit in (("2026-06", 1), ("2026-07", 110), ("2026-11", 1000))
    ]


def test_reminders_are_of_the_scope_asked_for(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    for who, hours in (("A", 3), ("B", 1)):
        record(ledger, who, f.DepositSent(offer="settle", amount=1000, is_instant=True), "c1")
        kickoff = NOON + timedelta(hours=hours)
        bet = f.Back(bet="q", stake=1000, odds=Decimal("2.5"), kickoff=kickoff)
        record(ledger, who, f.QualifierPlaced(back=bet), "c1")
    everybody = reports.all_reminders(ledger.database, GetReminders(operator="ann"), NOON)
    assert [(each.participant, each.what) for each in everybody.reminders] == [
        ("B", "bet q is not hedged"),
        ("A", "bet q is not hedged"),
    ]
    own = reports.all_reminders(ledger.database, GetReminders(participant="A"), NOON)
    assert [each.participant for each in own.reminders] == ["A"]
    with pytest.raises(CommandNotAllowed):
        reports.all_reminders(ledger.database, GetReminders(), NOON)


def test_an_offer_is_described_with_its_bets_facts_and_entries(ledger: Ledger) -> None:
    begin(ledger, "A")
    deposit = f.DepositSent(offer="settle", amount=1000, is_instant=True)
    record(ledger, "A", deposit, "c1")
    lay = f.Lay(
        bet="ql",
        exchange="betfair",
        market="m1",
        selection="Leeds",
        stake=992,
        odds=Decimal("2.54"),
    )
    bet = f.Back(bet="q", stake=1000, odds=Decimal("2.5"), kickoff=NOON + timedelta(hours=1))
    record(ledger, "A", f.QualifierPlaced(back=bet, lays=(lay,)), "c1")
    asked = GetOffer(participant="A", instance="c1")
    told = reports.offer(ledger.database, asked, NOON + timedelta(hours=6))
    assert [(one.bet, one.hedge) for one in told.bets] == [("q", "hedged"), ("ql", "")]
    assert [(event.number, event.fact, event.phase) for event in told.events] == [
        (1, "deposit_sent", "DEPOSIT_SENT"),
        (2, "qualifier_placed", "QUALIFYING_PLACED"),
    ]
    (cleared, sent) = told.events[0].posted
    assert (sent.account, sent.venue, sent.amount) == ("bank", "", -1000)
    assert (cleared.account, cleared.venue, cleared.amount) == ("bookmaker:cash", "coral", 1000)
    assert len({line.transaction for line in told.events[1].posted}) == 2
    assert "bet_settled" in told.allowed
    assert [reminder.kind.value for reminder in told.reminders] == ["unsettled"]
    assert (told.line.locked, told.line.profit) == (1000 + 1528, 0)


def test_who_takes_part_is_told_with_what_they_are_barred_from(ledger: Ledger) -> None:
    begin(ledger, "A", "B")
    for bookmaker in ("sky", "coral"):
        record(ledger, "A", f.BookmakerRestricted(bookmaker=bookmaker, reason="gubbed"))
    record(ledger, "B", f.Paused())
    listed = reports.participants(ledger.database, GetParticipants(operator="ann")).participants
    assert [(one.participant, one.is_active, sorted(one.restricted)) for one in listed] == [
        ("A", True, ["coral", "sky"]),
        ("B", False, []),
    ]
