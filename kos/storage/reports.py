"""What a participant may ask about their own offers and money, and an operator about all.

Every question carries its scope: a participant's question reads that participant's rows and no
other; a question about everyone names the operator who asks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kos.db import Database, moment, stamp, struct_of
from kos.domain.books.calendar import uk_date
from kos.domain.books.double_entry import ASSETS, RESULTS, Account, AccountKind
from kos.domain.books.lines import (
    BalanceLine,
    BetLine,
    FloatLine,
    OfferLine,
    ParticipantLine,
    ProfitLine,
    RecordedEvent,
    ReminderLine,
    StatementLine,
)
from kos.domain.offers.due import reminders
from kos.domain.offers.state import Bet, OfferState, Phase, hedge_status
from kos.domain.offers.table import allowed_facts
from kos.errors import CommandNotAllowed
from kos.messages import (
    BooksDescribed,
    EverythingListed,
    GetBooks,
    GetEverything,
    GetOffer,
    GetOffers,
    GetParticipants,
    GetReminders,
    GetStatement,
    LedgerQuery,
    OfferDescribed,
    OffersListed,
    ParticipantsListed,
    RemindersListed,
    StatementListed,
)
from kos.storage.erasure import everything
from kos.storage.portfolios import portfolio_of

_FOREVER = ("0000", "9999")
_LOCKED = (AccountKind.STAKED, AccountKind.EXPOSURE, AccountKind.TRANSIT)


def _listed(kinds: Iterable[AccountKind]) -> str:
    return "(" + ", ".join(f"'{kind.value}'" for kind in sorted(kinds)) + ")"


def _scope(query: LedgerQuery) -> dict[str, Any]:
    """The values that bind a question to whom it may see.

    Raises:
        CommandNotAllowed: It names neither a participant nor an operator.
    """
    if not query.participant and not query.operator:
        raise CommandNotAllowed("Name the participant, or the operator who asks about everyone.")
    return {"user": query.participant or None}


def _known_scope(database: Database, query: LedgerQuery) -> dict[str, Any]:
    """The same, where the books know the participant.

    Raises:
        CommandNotAllowed: They do not, or it names neither a participant nor an operator.
    """
    who = query.participant
    if who and not database.rows("SELECT 1 FROM participants WHERE user_id = ?", (who,)):
        raise CommandNotAllowed(f"There is no participant {who}.")
    return _scope(query)


_MINE = "(:user IS NULL OR {table}user_id = :user)"


def _mine(table: str = "") -> str:
    return _MINE.format(table=f"{table}." if table else "")


def _span(since: datetime | None, until: datetime | None) -> dict[str, str]:
    return {
        "since": _FOREVER[0] if since is None else stamp(since),
        "until": _FOREVER[1] if until is None else stamp(until),
    }


def offers(database: Database, query: GetOffers) -> OffersListed:
    """The offer instances of the scope, those that began last first."""
    values = _known_scope(database, query) | {"closed": query.with_closed}
    return OffersListed(offers=_offer_lines(database, values))


def _offer_lines(
    database: Database, values: dict[str, Any], where: str = "1"
) -> tuple[OfferLine, ...]:
    return database.structs(
        OfferLine,
        "SELECT user_id AS participant, offer_id AS instance, offer_key AS offer, bookmaker,"  # noqa: S608 - constants
        " state AS phase, outcome, version, started_at, closed_at,"
        f" COALESCE(-SUM(amount) FILTER (WHERE kind IN {_listed(RESULTS)}), 0) AS profit,"
        f" COALESCE(SUM(amount) FILTER (WHERE kind IN {_listed(_LOCKED)}), 0) AS locked,"
        " COALESCE(SUM(amount) FILTER (WHERE kind = 'bookmaker:bonus'), 0) AS bonus"
        " FROM offers LEFT JOIN postings USING (user_id, offer_id)"
        " LEFT JOIN (SELECT account_id, kind FROM accounts) USING (account_id)"
        f" WHERE {_mine('offers')} AND (:closed OR outcome IS NULL) AND {where}"
        " GROUP BY user_id, offer_id ORDER BY started_at DESC, offer_id",
        values,
    )


def offer(database: Database, query: GetOffer, now: datetime) -> OfferDescribed:
    """One instance with its bets, tokens, facts and what may follow.

    Raises:
        CommandNotAllowed: No participant is named, or they have no such instance.
    """
    if not query.participant:
        raise CommandNotAllowed("Name the participant whose offer it is.")
    values = {"user": query.participant, "closed": True, "instance": query.instance}
    lines = _offer_lines(database, values, "offer_id = :instance")
    if not lines:
        raise CommandNotAllowed(f"{query.participant} has no offer {query.instance}.")
    state = portfolio_of(database, query.participant).offers[query.instance]
    return OfferDescribed(
        line=lines[0],
        title=state.terms.title,
        bets=tuple(_bet_line(state, bet) for bet in state.bets),
        tokens=state.tokens,
        events=tuple(_events(database, query)),
        allowed=allowed_facts(state),
        reminders=reminders(state, now),
    )


def all_reminders(database: Database, query: GetReminders, now: datetime) -> RemindersListed:
    """What needs a person about the open offers of the scope, the earliest due first."""
    open_lines = _offer_lines(database, _known_scope(database, query) | {"closed": False})
    portfolios = {
        who: portfolio_of(database, who) for who in {line.participant for line in open_lines}
    }
    lines = [
        ReminderLine(
            participant=line.participant,
            instance=line.instance,
            bookmaker=line.bookmaker,
            what=reminder.what,
            due_at=reminder.due_at,
            kind=reminder.kind.value,
        )
        for line in open_lines
        for reminder in reminders(portfolios[line.participant].offers[line.instance], now)
    ]
    return RemindersListed(reminders=tuple(sorted(lines, key=lambda reminder: reminder.due_at)))


def _bet_line(state: OfferState, bet: Bet) -> BetLine:
    return BetLine(
        bet=bet.id,
        side=bet.side.value,
        venue=bet.venue,
        selection=bet.selection,
        stake=bet.stake,
        odds=bet.odds,
        open_stake=bet.open_stake,
        result=None if bet.result is None else bet.result.value,
        profit=bet.profit,
        hedge="" if bet.is_exchange else hedge_status(state, bet.id).value,
    )


def _events(database: Database, query: GetOffer) -> Iterable[RecordedEvent]:
    who = (query.participant, query.instance)
    posted: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in database.named(
        f"SELECT sequence, ordinal, {_POSTING}"
        " WHERE transactions.user_id = ? AND transactions.offer_id = ?"
        " ORDER BY transaction_id, postings.rowid",
        who,
    ):
        posted.setdefault((row["sequence"], row["ordinal"]), []).append(row)
    for row in database.named(
        "SELECT sequence, ordinal, number, fact, phase_after, recorded_by, source, note,"
        " occurred_at, recorded_at FROM events WHERE user_id = ? AND offer_id = ?"
        " ORDER BY number",
        who,
    ):
        after = {
            "phase": Phase(row["phase_after"]).name,
            "posted": posted.get((row["sequence"], row["ordinal"]), ()),
        }
        yield struct_of(row | after, RecordedEvent)


def books(database: Database, query: GetBooks, now: datetime) -> BooksDescribed:
    """Balances as they are, and the profit of a time by kind, venue, offer and month."""
    values = _known_scope(database, query) | _span(query.since, query.until)
    balances = database.rows(
        "SELECT user_id, kind, venue, balance FROM accounts"  # noqa: S608 - constants
        f" WHERE {_mine()} ORDER BY user_id, account_id",
        values,
    )
    by_kind = _profit(database, values, "kind")
    return BooksDescribed(
        balances=tuple(
            BalanceLine(
                participant=user, account=str(Account(AccountKind(kind), venue)), balance=balance
            )
            for user, kind, venue, balance in balances
        ),
        floats=_floats(database, values, now),
        capital=sum(row[3] for row in balances if AccountKind(row[1]) in ASSETS),
        locked=sum(row[3] for row in balances if AccountKind(row[1]) in _LOCKED),
        profit=sum(line.profit for line in by_kind),
        by_kind=by_kind,
        by_venue=_profit(database, values, "postings.venue"),
        by_offer=_profit(database, values, "offer_id"),
        by_month=_profit_by_month(database, values),
        trial_balance=sum(row[3] for row in balances),
    )


def _profit(database: Database, values: dict[str, Any], by: str) -> tuple[ProfitLine, ...]:
    return database.structs(
        ProfitLine,
        f"SELECT postings.user_id AS participant, COALESCE(NULLIF({by}, ''), '(none)') AS name,"  # noqa: S608 - constants
        " -SUM(amount) AS profit FROM postings JOIN accounts USING (account_id)"
        f" WHERE {_mine('postings')} AND kind IN {_listed(RESULTS)}"
        " AND occurred_at >= :since AND occurred_at < :until GROUP BY 1, 2 ORDER BY 1, 2",
        values,
    )


def _profit_by_month(database: Database, values: dict[str, Any]) -> tuple[ProfitLine, ...]:
    """Profit by month of the UK calendar: an hour of UTC lies in one month."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in _profit(database, values, "substr(occurred_at, 1, 13)"):
        month = f"{uk_date(moment(f'{line.name}:00Z')):%Y-%m}"
        sums[line.participant, month] += line.profit
    return tuple(
        ProfitLine(participant=user, name=month, profit=made)
        for (user, month), made in sorted(sums.items())
    )


def _floats(database: Database, values: dict[str, Any], now: datetime) -> tuple[FloatLine, ...]:
    return database.structs(
        FloatLine,
        "SELECT *, available - reserved AS free FROM (SELECT user_id AS participant,"  # noqa: S608 - constants
        " venue AS exchange,"
        " COALESCE(SUM(balance) FILTER (WHERE kind = 'exchange:available'), 0) AS available,"
        " COALESCE(SUM(balance) FILTER (WHERE kind = 'exchange:exposure'), 0) AS exposure,"
        " COALESCE((SELECT SUM(amount) FROM reservations AS held"
        "   WHERE held.user_id = accounts.user_id AND held.exchange = accounts.venue"
        "   AND (expires_at IS NULL OR expires_at > :now)), 0) AS reserved"
        f" FROM accounts WHERE {_mine()} AND kind IN ('exchange:available', 'exchange:exposure')"
        " GROUP BY user_id, venue ORDER BY user_id, venue)",
        values | {"now": stamp(now)},
    )


def statement(database: Database, query: GetStatement) -> StatementListed:
    """Every posting of the scope within a time, oldest first."""
    values = _known_scope(database, query) | _span(query.since, query.until)
    lines = database.structs(
        StatementLine,
        f"SELECT {_POSTING}"
        f" WHERE {_mine('postings')} AND postings.occurred_at >= :since"
        " AND postings.occurred_at < :until"
        " ORDER BY postings.occurred_at, transaction_id, postings.rowid",
        values,
    )
    return StatementListed(lines=lines)


_POSTING = (
    'transaction_id AS "transaction", postings.occurred_at, postings.user_id AS participant,'
    " kind AS account, accounts.venue, amount, what, postings.offer_id AS instance, bet_id AS bet"
    " FROM postings JOIN accounts USING (account_id) JOIN transactions USING (transaction_id)"
)
"""The columns of a posting, by the fields of a :class:`StatementLine`."""


def participants(database: Database, query: GetParticipants) -> ParticipantsListed:
    """Who takes part, by id."""
    values = _scope(query)
    limits: dict[str, dict[str, str]] = {}
    for user, bookmaker, reason in database.rows(
        f"SELECT user_id, bookmaker, reason FROM restrictions WHERE {_mine()}",  # noqa: S608 - constants
        values,
    ):
        limits.setdefault(user, {})[bookmaker] = reason
    rows = database.named(
        "SELECT user_id AS participant, name, is_active, joined_at FROM participants"  # noqa: S608 - constants
        f" WHERE {_mine()} ORDER BY user_id",
        values,
    )
    return ParticipantsListed(
        participants=tuple(
            struct_of(row | {"restricted": limits.get(row["participant"], {})}, ParticipantLine)
            for row in rows
        )
    )


def all_about(database: Database, query: GetEverything) -> EverythingListed:
    """All rows about one participant.

    Raises:
        CommandNotAllowed: No participant is named.
    """
    if not query.participant:
        raise CommandNotAllowed("Name the participant whose data to list.")
    return EverythingListed(tables=everything(database, query.participant))
