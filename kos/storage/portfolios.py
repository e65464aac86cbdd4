"""Participants' facts as rows: recorded with their entries, and folded back into portfolios."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from kos.db import Database, moment, stamp
from kos.domain.books.double_entry import Account, Entry
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.facts import (
    DepositSent,
    EntryReversed,
    Fact,
    MoneyFact,
    OfferFact,
    Role,
    name_of,
)
from kos.domain.offers.portfolio import Done, Portfolio, apply
from kos.domain.offers.state import OfferState
from kos.errors import CommandNotAllowed
from kos.messages import FactRecorded, RecordFact
from kos.storage.queries import latest_terms, postings_of

_FACTS: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(OfferFact | MoneyFact)
_encode = msgspec.json.Encoder(decimal_format="string").encode

_INSERT_EVENT = (
    "INSERT INTO events (sequence, ordinal, user_id, offer_id, number, fact, payload,"
    " is_said, phase_before, phase_after, recorded_by, role, source, note, occurred_at, recorded_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_POSTING = (
    "INSERT INTO postings (transaction_id, account_id, amount, user_id, venue, offer_id, bet_id,"
    " occurred_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_TRANSACTION = (
    "INSERT INTO transactions (transaction_id, sequence, ordinal, user_id, offer_id, what,"
    " occurred_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class RecordedFact(msgspec.Struct, frozen=True):
    """One command's fact as it stands in the file."""

    sequence: int
    instance: str
    fact: Fact
    role: Role
    occurred_at: str


def recorded_facts(database: Database, participant: str) -> Iterator[RecordedFact]:
    """The facts of a participant in the order they were recorded.

    What KOS wrote along with a fact (the trigger of an instant credit) is left out: the fold
    makes it again.
    """
    for sequence, instance, payload, role, occurred_at in database.rows(
        "SELECT sequence, offer_id, payload, role, occurred_at FROM events"
        " WHERE user_id = ? AND is_said = 1 ORDER BY sequence",
        (participant,),
    ):
        yield RecordedFact(sequence, instance, _FACTS.decode(payload), Role(role), occurred_at)


def folded(
    database: Database, participant: str
) -> Iterator[tuple[RecordedFact, Portfolio, tuple[Done, ...]]]:
    """Each recorded fact with the portfolio after it and what it did, from nothing."""
    portfolio = Portfolio(participant=participant)
    for recorded in recorded_facts(database, participant):
        portfolio, done = apply(
            portfolio,
            recorded.fact,
            at=moment(recorded.occurred_at),
            instance=recorded.instance,
            role=recorded.role,
        )
        yield recorded, portfolio, done


def portfolio_of(database: Database, participant: str) -> Portfolio:
    """The participant as all facts have made them; empty when there are none."""
    portfolio = Portfolio(participant=participant)
    for _, after, _ in folded(database, participant):
        portfolio = after
    return portfolio


class Portfolios:
    """The writer's side: applies facts and writes what they do, within the caller's savepoint.

    Portfolios are kept in memory, since this process alone changes them. After any rollback
    the caller says :meth:`forget`, and they are folded again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sqlite3.Connection = database.raw()
        self._known: dict[str, Portfolio] = {}
        self._accounts: dict[str, dict[Account, int]] = {}
        self._next_transaction = 0
        """0: to be read from the file before it is used."""

    def forget(self) -> None:
        """Drop what is kept in memory; the file is right. Reads nothing, so it cannot fail."""
        self._known.clear()
        self._accounts.clear()
        self._next_transaction = 0

    def of(self, participant: str) -> Portfolio:
        """The participant's portfolio, with everything written so far."""
        portfolio = self._known.get(participant)
        if portfolio is None:
            portfolio = self._known[participant] = portfolio_of(self._database, participant)
        return portfolio

    def record(self, command: RecordFact, sequence: int, recorded_at: str) -> FactRecorded:
        """Apply one fact and write it.

        Raises:
            CommandNotAllowed: It is refused; nothing was written.
        """
        participant = command.participant
        before = self.of(participant)
        self._refuse_stale(before, command)
        fact = self._completed(command)
        after, done = apply(
            before,
            fact,
            at=command.occurred_at,
            instance=command.instance,
            role=command.role,
        )
        if not self._next_transaction:
            self._next_transaction = self._following_transaction()
        first = self._next_transaction
        occurred_at = stamp(command.occurred_at)
        self._write_projections(before, after, occurred_at)
        for ordinal, one in enumerate(done):
            self._write(command, one, (sequence, ordinal), occurred_at, recorded_at)
        self._known[participant] = after
        state = after.offers.get(command.instance)
        return FactRecorded(
            command_id=command.command_id,
            sequence=sequence,
            participant=participant,
            instance=command.instance,
            phase="" if state is None else state.phase.name,
            outcome=None if state is None or state.outcome is None else state.outcome.value,
            version=0 if state is None else state.version,
            transactions=tuple(range(first, self._next_transaction)),
        )

    def _following_transaction(self) -> int:
        return int(
            self._database.value("SELECT COALESCE(MAX(transaction_id), 0) + 1 FROM transactions")
        )

    def _refuse_stale(self, portfolio: Portfolio, command: RecordFact) -> None:
        if command.expected_version is None:
            return
        state = portfolio.offers.get(command.instance)
        version = 0 if state is None else state.version
        if version != command.expected_version:
            raise CommandNotAllowed(
                f"Someone else has updated offer {command.instance}: it is at version {version}, "
                f"not {command.expected_version}. Check it and try again."
            )

    def _completed(self, command: RecordFact) -> Fact:
        """The fact with what the ledger alone knows: an offer's terms, an entry's lines."""
        fact = command.fact
        if isinstance(fact, DepositSent):
            terms = latest_terms(self._database, fact.offer)
            return msgspec.structs.replace(fact, terms=terms)
        if isinstance(fact, EntryReversed):
            lines = postings_of(self._database, command.participant, fact.transaction)
            if fact.postings and fact.postings != lines:
                raise CommandNotAllowed(
                    f"Entry {fact.transaction} has different lines from the one you chose."
                )
            return msgspec.structs.replace(fact, postings=lines)
        return fact

    def _write(
        self,
        command: RecordFact,
        done: Done,
        place: tuple[int, int],
        occurred_at: str,
        recorded_at: str,
    ) -> None:
        state = done.state
        self._connection.execute(
            _INSERT_EVENT,
            (
                *place,
                command.participant,
                command.instance,
                None if state is None else state.version,
                name_of(done.fact),
                _encode(done.fact).decode(),
                int(done.is_said),
                None if done.phase_before is None else int(done.phase_before),
                None if state is None else int(state.phase),
                command.by,
                command.role.value,
                command.source.value,
                command.note,
                occurred_at,
                recorded_at,
            ),
        )
        if state is not None:
            self._write_offer(state, occurred_at)
        for entry in done.entries:
            self._write_entry(command, entry, place, occurred_at)

    def _write_offer(self, state: OfferState, occurred_at: str) -> None:
        closed_at = None if state.closed_at is None else stamp(state.closed_at)
        outcome = None if state.outcome is None else state.outcome.value
        if state.version == 1:
            self._connection.execute(
                "INSERT INTO offers (user_id, offer_id, offer_key, bookmaker, phase, state,"
                " version, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    state.participant,
                    state.id,
                    state.terms.key,
                    state.terms.bookmaker,
                    int(state.phase),
                    state.phase.name,
                    state.version,
                    occurred_at,
                ),
            )
            return
        self._connection.execute(
            "UPDATE offers SET phase = ?, state = ?, version = ?, outcome = ?, closed_at = ?"
            " WHERE user_id = ? AND offer_id = ?",
            (
                int(state.phase),
                state.phase.name,
                state.version,
                outcome,
                closed_at,
                state.participant,
                state.id,
            ),
        )

    def _write_entry(
        self, command: RecordFact, entry: Entry, place: tuple[int, int], occurred_at: str
    ) -> None:
        number = self._next_transaction
        self._next_transaction += 1
        user = command.participant
        self._connection.executemany(
            _INSERT_POSTING,
            [
                (
                    number,
                    self._account_id(user, line.account),
                    line.amount,
                    user,
                    line.account.venue,
                    line.instance,
                    line.bet,
                    occurred_at,
                )
                for line in entry.postings
            ],
        )
        self._connection.execute(
            _INSERT_TRANSACTION,
            (number, *place, user, command.instance, entry.what, occurred_at),
        )

    def _account_id(self, user: str, account: Account) -> int:
        accounts = self._accounts.get(user)
        if accounts is None:
            accounts = self._accounts[user] = {
                Account(kind, venue): number
                for number, kind, venue in self._database.rows(
                    "SELECT account_id, kind, venue FROM accounts WHERE user_id = ?", (user,)
                )
            }
        number = accounts.get(account)
        if number is None:
            cursor = self._connection.execute(
                "INSERT INTO accounts (user_id, kind, venue) VALUES (?, ?, ?)",
                (user, account.kind.value, account.venue),
            )
            number = accounts[account] = int(cursor.lastrowid or 0)
        return number

    def _write_projections(self, before: Portfolio, after: Portfolio, occurred_at: str) -> None:
        user = after.participant
        run = self._connection.execute
        if (before.name, before.is_active) != (after.name, after.is_active):
            if run("SELECT 1 FROM erasures WHERE user_id = ?", (user,)).fetchone():
                raise CommandNotAllowed(f"Participant {user} was erased. Choose another ID.")
            run(
                "INSERT INTO participants (user_id, name, is_active, joined_at)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET is_active = excluded.is_active",
                (user, after.name, int(after.is_active), occurred_at),
            )
        if before.restricted != after.restricted:
            run("DELETE FROM restrictions WHERE user_id = ?", (user,))
            self._connection.executemany(
                "INSERT INTO restrictions (user_id, bookmaker, reason) VALUES (?, ?, ?)",
                [(user, bookmaker, why) for bookmaker, why in after.restricted.items()],
            )
        if before.holds is after.holds and before.offers is after.offers:
            return
        wanted = reservations(after)
        if reservations(before) != wanted:
            run("DELETE FROM reservations WHERE user_id = ?", (user,))
            self._connection.executemany(
                "INSERT INTO reservations (user_id, holder, exchange, amount, expires_at)"
                " VALUES (?, ?, ?, ?, ?)",
                [(user, *key, amount, until) for key, (amount, until) in wanted.items()],
            )


def reservations(portfolio: Portfolio) -> dict[tuple[str, str], tuple[int, str | None]]:
    """Who has reserved how many pence at which exchange, and until when (None: no end)."""
    reserved: dict[tuple[str, str], tuple[int, str | None]] = {
        (f"hold {name}", hold.exchange): (hold.amount, stamp(hold.expires_at))
        for name, hold in portfolio.holds.items()
    }
    for state in portfolio.offers.values():
        if state.planned:
            for exchange in {name for amounts in state.planned.values() for name in amounts}:
                amount = state.reserved_at(exchange)
                reserved[f"offer {state.id}", exchange] = (amount, None)
    return reserved


def terms_text(offer: Offer) -> str:
    """An offer as the catalogue's table keeps it."""
    return _encode(offer).decode()
