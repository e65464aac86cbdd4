"""What can be asked of the ledger: each question one function over a connection."""

from __future__ import annotations

from datetime import datetime

from kos.db import Database, moment, stamp
from kos.messages import (
    AliasesListed,
    AliasFact,
    AliasVerdict,
    CreditsSpentListed,
    SportCreditsSpent,
)

_DAY = 10


def credits_spent(database: Database, since: datetime, until: datetime) -> CreditsSpentListed:
    """Credits spent from ``since`` until before ``until``, by sport key and by UTC day."""
    span = (stamp(since), stamp(until))
    by_sport = tuple(
        SportCreditsSpent(sport_key, spent, polls, moment(last))
        for sport_key, spent, polls, last in database.rows(
            "SELECT sport_key, SUM(credits), COUNT(*), MAX(spent_at) FROM credits_spent"
            " WHERE spent_at >= ? AND spent_at < ? GROUP BY sport_key ORDER BY sport_key",
            span,
        )
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
    rows = database.rows(
        "SELECT sport, feed_name, exchange_name, verdict, evidence, decided_by, decided_at"
        " FROM alias_facts AS fact WHERE (:sport IS NULL OR sport = :sport) AND (:history OR"
        " (verdict <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM alias_facts AS later"
        "   WHERE later.sport = fact.sport AND later.feed_name = fact.feed_name"
        "   AND later.exchange_name = fact.exchange_name AND later.sequence > fact.sequence)))"
        " ORDER BY sequence",
        {"sport": sport, "history": with_history},
    )
    return AliasesListed(
        aliases=tuple(
            AliasFact(sport_, feed, exchange, AliasVerdict(verdict), why, by, moment(at))
            for sport_, feed, exchange, verdict, why, by, at in rows
        )
    )
