"""What a replay found: files, opportunities, matches and counts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.domain.market.quotes import Verdict
from kos.domain.opportunities.opportunity import Opportunity


class FileReplayed(msgspec.Struct, kw_only=True):
    """What one file held."""

    name: str
    kind: str
    snapshots: int = 0
    """Moments of the odds feed, or messages and answers of the exchange."""
    events: int = 0
    """Of the odds feed, counted in each snapshot."""
    markets: int = 0
    """Exchange markets that it names, counted at each change."""
    books: int = 0
    dropped: int = 0
    error: str | None = None
    """Why it could not be read, or what refusal it records."""
    note: str | None = None


class OpportunityFound(Opportunity, frozen=True, kw_only=True):
    """An opportunity at its best showing."""

    as_of: datetime
    """The moment of the files' own time at which it stood so."""


class MatchFound(msgspec.Struct, frozen=True, kw_only=True):
    """The last word on one event, where an exchange event came near."""

    event_id: str
    sport_key: str
    event: str
    kickoff: datetime
    verdict: Verdict
    confidence: float
    market_id: str | None
    exchange_event: str | None
    outcomes: dict[str, str]
    """Outcome of the feed to runner of the exchange."""
    reasons: tuple[str, ...]


class MatchesFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the matcher said of all events, each counted once with the last word on it."""

    events: int
    match: int
    doubt: int
    none: int
    exchange_markets: int
    """Names it could choose from; without any, nothing can match."""
    found: tuple[MatchFound, ...]
    """Matches and doubts."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a replay found."""

    files: tuple[FileReplayed, ...]
    opportunities: tuple[OpportunityFound, ...]
    """The best over all moments, best first."""
    matches: MatchesFound
    dropped: dict[str, int]
    """Reason to how often a decoder left something out, the most frequent first."""
    rejected: dict[str, int]
    """Why prices were not offered, counted at every moment that brought bookmaker prices."""
    considered: int
    """Prices looked at, counted at every moment that brought bookmaker prices."""
    moments: int
    """How many distinct moments brought prices of the odds feed."""
    first_at: datetime | None
    last_at: datetime | None
