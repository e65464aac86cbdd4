"""What can be asked of the ledger: each question one function over a connection."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.db import Database, stamp
from kos.domain.books.double_entry import Account, AccountKind, Posting
from kos.domain.matching.aliases import SettledAlias
from kos.domain.offers.catalogue import Offer
from kos.domain.polling.credits import SportCreditsSpent
from kos.errors import CommandNotAllowed
from kos.messages import AliasesListed, CatalogueListed, CreditsSpentListed

_DAY = 10
_TERMS: msgspec.json.Decoder[Offer] = msgspec.json.Decoder(Offer)


def credits_spent(database: Database, since: datetime, until: datetime) -> CreditsSpentListed:
    """Credits spent from ``since`` until before ``until``, by sport key and by UTC day."""
    span = (stamp(since), stamp(until))
    by_sport = database.structs(
        SportCreditsSpent,
        "SELECT sport_key, SUM(credits) AS credits, COUNT(*) AS polls,"
        " MAX(spent_at) AS last_spent_at FROM credits_spent"
        " WHERE spent_at >= ? AND spent_at < ? GROUP BY sport_key ORDER BY sport_key",
        span,
    )
    by_day = dict(
        database.rows(
            f"SELECT substr(spent_at, 1, {_DAY}), SUM(credits) FROM credits_spent"  # noqa: S608 - a constant
            " WHERE spent_at >= ? AND spent_at < ? GROUP BY 1 ORDER BY 1",
            span,
        )
    )
    return CreditsSpentListed(
        total=sum(sport.credits for sport in by_sport), by_sport=by_sport, by_day=by_day
    )


def aliases(
    database: Database, sport: str | None = None, *, with_history: bool = False
) -> AliasesListed:
    """The words that count about pairs of names, oldest first; or every word ever said."""
    settled = database.structs(
        SettledAlias,
        "SELECT sport, feed_name, exchange_name, verdict, evidence, decided_by, decided_at"
        " FROM alias_facts AS fact WHERE (:sport IS NULL OR sport = :sport) AND (:history OR"
        " (verdict <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM alias_facts AS later"
        "   WHERE later.sport = fact.sport AND later.feed_name = fact.feed_name"
        "   AND later.exchange_name = fact.exchange_name AND later.sequence > fact.sequence)))"
        " ORDER BY sequence",
        {"sport": sport, "history": with_history},
    )
    return AliasesListed(aliases=settled)


def latest_terms(database: Database, offer_key: str) -> Offer | None:
    """The newest terms of an offer; None when the catalogue does not have it."""
    rows = database.rows(
        "SELECT terms FROM catalogue WHERE offer_key = ? ORDER BY revision DESC LIMIT 1",
        (offer_key,),
    )
    return _TERMS.decode(rows[0][0]) if rows else None


def catalogue(database: Database) -> CatalogueListed:
    """The newest terms of every offer, by key."""
    rows = database.rows(
        "SELECT terms FROM catalogue AS one WHERE revision = (SELECT MAX(revision)"
        " FROM catalogue WHERE offer_key = one.offer_key) ORDER BY offer_key"
    )
    return CatalogueListed(offers=tuple(_TERMS.decode(terms) for (terms,) in rows))


def postings_of(database: Database, participant: str, transaction: int) -> tuple[Posting, ...]:
    """The lines of one of the participant's transactions.

    Raises:
        CommandNotAllowed: The participant has no such transaction.
    """
    rows = database.rows(
        "SELECT kind, accounts.venue, amount, offer_id, bet_id FROM postings"
        " JOIN accounts USING (account_id)"
        " WHERE transaction_id = ? AND postings.user_id = ? ORDER BY postings.rowid",
        (transaction, participant),
    )
    if not rows:
        raise CommandNotAllowed(f"{participant} has no entry {transaction}.")
    return tuple(
        Posting(Account(AccountKind(kind), venue), amount, instance, bet)
        for kind, venue, amount, instance, bet in rows
    )
