"""The schema as numbered forward steps; a file goes through those it has not been through.

Each step runs in one transaction together with its number, so that a file is at one version or
the next, never between. A file of a newer KOS is refused and not touched.
"""

from __future__ import annotations

from pathlib import Path

from kos.db import (
    APPLICATION_ID,
    Database,
    meaning,
    open_for_reading,
    refuse_newer,
    schema_version,
)
from kos.errors import DatabaseRefused

_COMMANDS = """
CREATE TABLE commands (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE CHECK (length(command_id) BETWEEN 1 AND 200),
    kind TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    user_id TEXT,
    answer BLOB NOT NULL,
    recorded_at TEXT NOT NULL CHECK (recorded_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE TRIGGER commands_are_never_changed BEFORE UPDATE ON commands
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER commands_are_never_removed BEFORE DELETE ON commands
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;

CREATE TABLE credits_spent (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    sport_key TEXT NOT NULL CHECK (sport_key <> ''),
    credits INTEGER NOT NULL CHECK (credits >= 0),
    spent_at TEXT NOT NULL CHECK (spent_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX idx_credits_spent_spent_at ON credits_spent (spent_at);
CREATE TRIGGER credits_spent_are_never_changed BEFORE UPDATE ON credits_spent
BEGIN SELECT RAISE(ABORT, 'credits_spent is append-only'); END;
CREATE TRIGGER credits_spent_are_never_removed BEFORE DELETE ON credits_spent
BEGIN SELECT RAISE(ABORT, 'credits_spent is append-only'); END;

CREATE TABLE alias_facts (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    sport TEXT NOT NULL,
    feed_name TEXT NOT NULL CHECK (feed_name <> ''),
    exchange_name TEXT NOT NULL CHECK (exchange_name <> ''),
    verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'rejected', 'withdrawn')),
    evidence TEXT NOT NULL,
    decided_by TEXT NOT NULL CHECK (decided_by <> ''),
    decided_at TEXT NOT NULL CHECK (decided_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX idx_alias_facts_pair ON alias_facts (sport, feed_name, exchange_name, sequence);
CREATE TRIGGER alias_facts_are_never_changed BEFORE UPDATE ON alias_facts
BEGIN SELECT RAISE(ABORT, 'alias_facts is append-only'); END;
CREATE TRIGGER alias_facts_are_never_removed BEFORE DELETE ON alias_facts
BEGIN SELECT RAISE(ABORT, 'alias_facts is append-only'); END;
"""

_PHASES = """CASE phase
        WHEN 1 THEN 'DEPOSIT_SENT' WHEN 2 THEN 'QUALIFYING_PLACED' WHEN 3 THEN 'FREE_BET_PENDING'
        WHEN 4 THEN 'FREE_BET_CREDITED' WHEN 5 THEN 'FREE_BET_PLACED'
        WHEN 6 THEN 'FREE_BET_SETTLED' END"""

_TIME = "GLOB '????-??-??T??:??:??.??????Z'"


def _append_only(table: str) -> str:
    """Rows are never changed, and removed only with all that belongs to an erased participant."""
    return f"""
CREATE TRIGGER {table}_are_never_changed BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_are_never_removed BEFORE DELETE ON {table}
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE user_id = OLD.user_id)
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""  # noqa: S608 - the names are constants of this module


_BOOKS = f"""
CREATE TABLE erasures (
    user_id TEXT PRIMARY KEY,
    erased_by TEXT NOT NULL,
    erased_at TEXT NOT NULL CHECK (erased_at {_TIME})
) WITHOUT ROWID, STRICT;
DROP TRIGGER commands_are_never_removed;
CREATE TRIGGER commands_are_never_removed BEFORE DELETE ON commands
WHEN OLD.user_id IS NULL OR NOT EXISTS (SELECT 1 FROM erasures WHERE user_id = OLD.user_id)
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE INDEX idx_commands_user_id ON commands (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE participants (
    user_id TEXT PRIMARY KEY CHECK (user_id <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    joined_at TEXT NOT NULL CHECK (joined_at {_TIME})
) STRICT;

CREATE TABLE catalogue (
    offer_key TEXT NOT NULL CHECK (offer_key <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    terms TEXT NOT NULL CHECK (json_valid(terms)),
    sequence INTEGER NOT NULL REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (offer_key, revision)
) STRICT;
CREATE TRIGGER catalogue_is_never_changed BEFORE UPDATE ON catalogue
BEGIN SELECT RAISE(ABORT, 'catalogue is append-only'); END;
CREATE TRIGGER catalogue_is_never_removed BEFORE DELETE ON catalogue
BEGIN SELECT RAISE(ABORT, 'catalogue is append-only'); END;

CREATE TABLE offers (
    user_id TEXT NOT NULL REFERENCES participants (user_id),
    offer_id TEXT NOT NULL CHECK (offer_id <> ''),
    offer_key TEXT NOT NULL,
    bookmaker TEXT NOT NULL,
    phase INTEGER NOT NULL CHECK (phase BETWEEN 1 AND 6),
    state TEXT NOT NULL CHECK (state = {_PHASES}),
    version INTEGER NOT NULL CHECK (version >= 1),
    started_at TEXT NOT NULL CHECK (started_at {_TIME}),
    outcome TEXT CHECK (outcome IN ('COMPLETED', 'NOT_TRIGGERED', 'EXPIRED', 'VOIDED', 'REFUSED',
        'RESTRICTED', 'ABANDONED')),
    closed_at TEXT CHECK (closed_at {_TIME}),
    PRIMARY KEY (user_id, offer_id),
    CHECK ((outcome IS NULL) = (closed_at IS NULL))
) STRICT;
CREATE INDEX idx_offers_state ON offers (state);
CREATE INDEX idx_offers_user_id ON offers (user_id);
CREATE TRIGGER offers_begin_in_phase_1 BEFORE INSERT ON offers
WHEN NEW.phase <> 1 OR NEW.version <> 1
BEGIN SELECT RAISE(ABORT, 'an offer begins in phase 1'); END;
-- One forward; back only where a bet is void; 4 to 6 where the last token still in the wallet
-- expires while the others are settled; anywhere when a closed offer is reopened.
CREATE TRIGGER offers_move_one_phase BEFORE UPDATE ON offers
WHEN NEW.version <> OLD.version + 1 OR NEW.user_id <> OLD.user_id
    OR NEW.offer_id <> OLD.offer_id OR NEW.offer_key <> OLD.offer_key
    OR (OLD.outcome IS NULL AND NEW.phase NOT IN (OLD.phase, OLD.phase + 1)
        AND (OLD.phase, NEW.phase) NOT IN (VALUES (2, 1), (5, 4), (4, 6)))
BEGIN SELECT RAISE(ABORT, 'an offer moves by one phase and one version'); END;
CREATE TRIGGER offers_are_never_removed BEFORE DELETE ON offers
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE user_id = OLD.user_id)
BEGIN SELECT RAISE(ABORT, 'offers are not removed'); END;

CREATE TABLE events (
    sequence INTEGER NOT NULL REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
    user_id TEXT NOT NULL CHECK (user_id <> ''),
    offer_id TEXT NOT NULL,
    number INTEGER,
    fact TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    is_said INTEGER NOT NULL CHECK (is_said IN (0, 1)), -- 0: written by KOS along with one said
    phase_before INTEGER CHECK (phase_before BETWEEN 1 AND 6),
    phase_after INTEGER CHECK (phase_after BETWEEN 1 AND 6),
    recorded_by TEXT NOT NULL CHECK (recorded_by <> ''),
    role TEXT NOT NULL CHECK (role IN ('operator', 'supervisor', 'system')),
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    occurred_at TEXT NOT NULL CHECK (occurred_at {_TIME}),
    recorded_at TEXT NOT NULL CHECK (recorded_at {_TIME}),
    PRIMARY KEY (sequence, ordinal),
    CHECK ((offer_id = '') = (number IS NULL) AND (offer_id = '') = (phase_after IS NULL))
) STRICT;
CREATE INDEX idx_events_user_id ON events (user_id, offer_id, number);
CREATE TRIGGER events_are_numbered BEFORE INSERT ON events
WHEN NEW.offer_id <> '' AND NEW.number <> 1 + COALESCE((SELECT MAX(number) FROM events
    WHERE user_id = NEW.user_id AND offer_id = NEW.offer_id), 0)
BEGIN SELECT RAISE(ABORT, 'events are numbered without a gap'); END;
{_append_only("events")}
CREATE TABLE accounts (
    account_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES participants (user_id),
    kind TEXT NOT NULL CHECK (kind IN ('bank', 'transit', 'bookmaker:cash', 'bookmaker:staked',
        'exchange:available', 'exchange:exposure', 'bookmaker:bonus', 'bonus:contra',
        'equity:opening', 'equity:drawn', 'pnl:qualifier', 'pnl:free_bet', 'pnl:commission',
        'pnl:cash_bonus', 'pnl:value', 'pnl:adjustment', 'rounding')),
    venue TEXT NOT NULL,
    balance INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, kind, venue),
    CHECK (balance >= 0 OR kind NOT IN ('bank', 'transit', 'bookmaker:cash', 'bookmaker:staked',
        'exchange:available', 'exchange:exposure', 'bookmaker:bonus'))
) STRICT;

-- Postings come first and their transaction last: it is taken only if they sum to zero, and
-- then none can be added. The deferred foreign key refuses a commit with a posting left alone.
CREATE TABLE transactions (
    transaction_id INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    what TEXT NOT NULL,
    occurred_at TEXT NOT NULL CHECK (occurred_at {_TIME}),
    FOREIGN KEY (sequence, ordinal) REFERENCES events (sequence, ordinal)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX idx_transactions_sequence ON transactions (sequence, ordinal);
CREATE TABLE postings (
    transaction_id INTEGER NOT NULL REFERENCES transactions (transaction_id)
        DEFERRABLE INITIALLY DEFERRED,
    account_id INTEGER NOT NULL REFERENCES accounts (account_id),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    user_id TEXT NOT NULL,
    venue TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    bet_id TEXT NOT NULL,
    occurred_at TEXT NOT NULL CHECK (occurred_at {_TIME})
) STRICT;
CREATE INDEX idx_postings_transaction_id ON postings (transaction_id);
CREATE INDEX idx_postings_user_id ON postings (user_id, occurred_at);
CREATE TRIGGER postings_belong_to_an_open_transaction BEFORE INSERT ON postings
WHEN EXISTS (SELECT 1 FROM transactions WHERE transaction_id = NEW.transaction_id)
BEGIN SELECT RAISE(ABORT, 'the transaction is complete'); END;
CREATE TRIGGER postings_move_the_balance AFTER INSERT ON postings
BEGIN
    UPDATE accounts SET balance = balance + NEW.amount
        WHERE account_id = NEW.account_id AND user_id = NEW.user_id;
    SELECT RAISE(ABORT, 'the account is another participant''s') WHERE changes() <> 1;
END;
CREATE TRIGGER transactions_sum_to_zero BEFORE INSERT ON transactions
BEGIN
    SELECT RAISE(ABORT, 'a transaction sums to zero, and so does its memo pair')
    FROM (SELECT COUNT(*) AS lines, SUM(amount) AS total,
            SUM(CASE WHEN kind IN ('bookmaker:bonus', 'bonus:contra') THEN amount ELSE 0 END)
                AS memo, SUM(postings.user_id <> NEW.user_id) AS strangers
        FROM postings JOIN accounts USING (account_id)
        WHERE transaction_id = NEW.transaction_id)
    WHERE lines < 2 OR total <> 0 OR memo <> 0 OR strangers <> 0;
END;
{_append_only("transactions")}{_append_only("postings")}
CREATE TABLE reservations (
    user_id TEXT NOT NULL REFERENCES participants (user_id),
    holder TEXT NOT NULL,
    exchange TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    expires_at TEXT CHECK (expires_at {_TIME}),
    PRIMARY KEY (user_id, holder, exchange)
) STRICT;

CREATE TABLE restrictions (
    user_id TEXT NOT NULL REFERENCES participants (user_id),
    bookmaker TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (user_id, bookmaker)
) STRICT;
"""  # noqa: S608 - the parts are constants of this module

_PEOPLE = f"""
-- Who may talk to KOS: the last fact about a person counts. ``person_id`` is who talks
-- (telegram:<id>), ``user_id`` the participant whose offers and books are theirs.
CREATE TABLE people_facts (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    person_id TEXT NOT NULL CHECK (person_id <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    seat TEXT NOT NULL CHECK (seat IN ('admin', 'operator', 'participant')),
    user_id TEXT CHECK (user_id <> ''),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    added_by TEXT NOT NULL CHECK (added_by <> ''),
    added_at TEXT NOT NULL CHECK (added_at {_TIME}),
    decided_by TEXT NOT NULL CHECK (decided_by <> ''),
    decided_at TEXT NOT NULL CHECK (decided_at {_TIME}),
    CHECK (seat <> 'participant' OR user_id IS NOT NULL)
) STRICT;
CREATE INDEX idx_people_facts_person_id ON people_facts (person_id, sequence);
CREATE INDEX idx_people_facts_user_id ON people_facts (user_id) WHERE user_id IS NOT NULL;
CREATE TRIGGER people_facts_are_never_changed BEFORE UPDATE ON people_facts
BEGIN SELECT RAISE(ABORT, 'people_facts is append-only'); END;
CREATE TRIGGER people_facts_are_never_removed BEFORE DELETE ON people_facts
WHEN NOT EXISTS (SELECT 1 FROM people_facts JOIN erasures USING (user_id)
    WHERE person_id = OLD.person_id)
BEGIN SELECT RAISE(ABORT, 'people_facts is append-only'); END;

CREATE TABLE invitations (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    code_digest TEXT NOT NULL UNIQUE
        CHECK (length(code_digest) = 64 AND code_digest NOT GLOB '*[^0-9a-f]*'),
    seat TEXT NOT NULL CHECK (seat IN ('admin', 'operator', 'participant')),
    user_id TEXT CHECK (user_id <> ''),
    expires_at TEXT NOT NULL CHECK (expires_at {_TIME}),
    made_by TEXT NOT NULL CHECK (made_by <> ''),
    made_at TEXT NOT NULL CHECK (made_at {_TIME}),
    accepted INTEGER UNIQUE REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    accepted_by TEXT,
    CHECK (seat <> 'participant' OR user_id IS NOT NULL),
    CHECK ((accepted IS NULL) = (accepted_by IS NULL))
) STRICT;
CREATE TRIGGER invitations_are_used_once BEFORE UPDATE ON invitations
WHEN OLD.accepted IS NOT NULL OR NEW.accepted IS NULL
    OR (NEW.sequence, NEW.code_digest, NEW.seat, NEW.user_id, NEW.expires_at)
        IS NOT (OLD.sequence, OLD.code_digest, OLD.seat, OLD.user_id, OLD.expires_at)
BEGIN SELECT RAISE(ABORT, 'an invitation is used once and otherwise never changed'); END;
CREATE TRIGGER invitations_are_never_removed BEFORE DELETE ON invitations
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE user_id = OLD.user_id)
    AND NOT EXISTS (SELECT 1 FROM people_facts JOIN erasures USING (user_id)
        WHERE person_id = OLD.accepted_by)
BEGIN SELECT RAISE(ABORT, 'invitations are not removed'); END;

CREATE TABLE kept (
    owner TEXT NOT NULL CHECK (owner <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    value TEXT NOT NULL CHECK (json_valid(value)),
    expires_at TEXT CHECK (expires_at {_TIME}),
    sequence INTEGER NOT NULL REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (owner, name)
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_kept_sequence ON kept (sequence);
CREATE INDEX idx_kept_expires_at ON kept (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE actions (
    action_id TEXT PRIMARY KEY
        CHECK (length(action_id) = 16 AND action_id NOT GLOB '*[^A-Za-z0-9_-]*'),
    person_id TEXT NOT NULL CHECK (person_id <> ''),
    command TEXT NOT NULL CHECK (command <> ''),
    user_id TEXT CHECK (user_id <> ''),
    offer_id TEXT NOT NULL,
    expected_version INTEGER,
    expires_at TEXT NOT NULL CHECK (expires_at {_TIME}),
    used_at TEXT CHECK (used_at {_TIME}),
    sequence INTEGER NOT NULL REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_actions_sequence ON actions (sequence);
CREATE INDEX idx_actions_over_at ON actions (COALESCE(used_at, expires_at));
CREATE INDEX idx_actions_person_id ON actions (person_id);
CREATE TRIGGER actions_are_used_once BEFORE UPDATE ON actions
WHEN OLD.used_at IS NOT NULL OR NEW.used_at IS NULL
    OR (NEW.action_id, NEW.person_id, NEW.command, NEW.user_id, NEW.offer_id,
        NEW.expected_version, NEW.expires_at, NEW.sequence)
        IS NOT (OLD.action_id, OLD.person_id, OLD.command, OLD.user_id, OLD.offer_id,
        OLD.expected_version, OLD.expires_at, OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'an action is used once and otherwise never changed'); END;

-- Numbers are never given twice (AUTOINCREMENT), since what became of one is told by its number.
CREATE TABLE outbox (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL CHECK (chat <> ''),
    urgency INTEGER NOT NULL CHECK (urgency IN (0, 1, 2)), -- confirmation, alert, digest
    topic TEXT NOT NULL,
    edits INTEGER NOT NULL CHECK (edits >= 0),
    answer TEXT CHECK (answer IS NULL OR json_valid(answer)), -- goes as soon as nobody waits for it
    promised_at TEXT NOT NULL CHECK (promised_at {_TIME}),
    expires_at TEXT CHECK (expires_at {_TIME}),
    outcome TEXT NOT NULL
        CHECK (outcome IN ('waiting', 'sent', 'expired', 'superseded', 'undeliverable')),
    message_id INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    settled_at TEXT CHECK (settled_at {_TIME}),
    sequence INTEGER NOT NULL REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((outcome = 'waiting') = (answer IS NOT NULL)),
    CHECK ((outcome = 'waiting') = (settled_at IS NULL))
) STRICT;
CREATE INDEX idx_outbox_sequence ON outbox (sequence);
CREATE INDEX idx_outbox_waiting ON outbox (urgency, entry_id, chat, expires_at)
    WHERE outcome = 'waiting';
CREATE UNIQUE INDEX idx_outbox_topic ON outbox (chat, topic)
    WHERE outcome = 'waiting' AND topic <> '';
CREATE INDEX idx_outbox_topic_message ON outbox (chat, topic, entry_id)
    WHERE topic <> '' AND message_id <> 0;
CREATE INDEX idx_outbox_expires_at ON outbox (expires_at) WHERE outcome = 'waiting';
CREATE INDEX idx_outbox_settled_at ON outbox (settled_at) WHERE settled_at IS NOT NULL;
CREATE TRIGGER outbox_is_settled_once BEFORE UPDATE ON outbox
WHEN OLD.outcome = 'sent' OR NEW.outcome = 'waiting'
    OR (OLD.outcome <> 'waiting' AND NEW.outcome <> 'sent')
    OR (NEW.entry_id, NEW.chat, NEW.urgency, NEW.topic, NEW.edits, NEW.promised_at,
        NEW.expires_at, NEW.sequence)
        IS NOT (OLD.entry_id, OLD.chat, OLD.urgency, OLD.topic, OLD.edits, OLD.promised_at,
        OLD.expires_at, OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'a promise is settled once, and never waits again'); END;
CREATE TRIGGER outbox_is_settled_before_it_goes BEFORE DELETE ON outbox
WHEN OLD.outcome = 'waiting'
BEGIN SELECT RAISE(ABORT, 'a promise that waits is not removed'); END;
"""  # noqa: S608 - the parts are constants of this module

MIGRATIONS: tuple[str, ...] = (_COMMANDS, _BOOKS, _PEOPLE)
"""Step n is at index n - 1. A step that has been released is never edited."""

SCHEMA_VERSION = len(MIGRATIONS)


def migrate(database: Database, path: Path, target: int = SCHEMA_VERSION) -> int:
    """Bring the file to ``target``; gives the version it had before.

    Raises:
        DatabaseRefused: The file is of a newer KOS than this one.
    """
    with meaning(path):
        before = schema_version(database)
        refuse_newer(path, before, SCHEMA_VERSION)
        for number, script in enumerate(MIGRATIONS[before:target], before + 1):
            connection = database.raw()
            try:
                # One script, one transaction: executescript itself commits nothing more.
                connection.executescript(
                    f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};\n{script}\n"
                    f"PRAGMA user_version = {number}; COMMIT;"
                )
            except Exception:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    return before


def open_as_it_is(path: Path) -> Database:
    """A read-only connection to a file of exactly this KOS's schema.

    Raises:
        DatabaseRefused: There is none, or its schema is newer or older; the text says which.
    """
    database = open_for_reading(path)
    try:
        with meaning(path):
            version = schema_version(database)
        refuse_newer(path, version, SCHEMA_VERSION)
        _refuse_older(path, version)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_older(path: Path, version: int) -> None:
    if version < SCHEMA_VERSION:
        raise DatabaseRefused(
            f"{path}: its schema is version {version}, this KOS reads {SCHEMA_VERSION}; "
            "start the daemon once, which brings it up to date"
        )
