"""What goes into the matcher and what comes out of it. All values are frozen."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.domain.market.quotes import Verdict


class BookmakerFixture(msgspec.Struct, frozen=True, gc=False):
    """One event as the odds feed lists it."""

    id: str
    sport_key: str
    kickoff: datetime
    """Timezone-aware UTC."""
    home: str
    away: str
    outcomes: tuple[str, ...] = ()
    """The names its head-to-head prices are quoted for, each once."""

    @property
    def name(self) -> str:
        """``Home v Away``."""
        return f"{self.home} v {self.away}"


class ExchangeFixture(msgspec.Struct, frozen=True, gc=False):
    """One event as the exchange's catalogue lists it."""

    id: str
    event_type: str
    """The exchange's name of the sport: ``Soccer``, ``Ice Hockey``."""
    competition: str
    """Empty where the catalogue names none."""
    name: str
    """As printed: ``Home v Away``, in North American sports ``Away @ Home``."""
    kickoff: datetime
    """Timezone-aware UTC."""
    runners: tuple[str, ...] = ()
    """Runner names of the main market; may be empty."""


class SideEvidence(msgspec.Struct, frozen=True, gc=False):
    """Why one side was taken for the same team or person, or was not."""

    left: str
    right: str
    score: float
    """0 to 1: how sure the two names are one."""
    why: str
    """The rule or the knowledge that decided, in words."""


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """Everything a person needs to check one verdict."""

    reason: str
    """The verdict in one sentence."""
    home: SideEvidence | None = None
    """The bookmaker's home side; None where no exchange event came near."""
    away: SideEvidence | None = None
    left_kickoff: datetime | None = None
    right_kickoff: datetime | None = None
    right_name: str = ""
    competition: str = ""
    rival: str = ""
    """The runner-up: the next best exchange event for this one, or the next best claimant."""
    margin: float | None = None
    """Score of this pair minus the runner-up's; None without a runner-up."""

    def sentences(self) -> tuple[str, ...]:
        """The evidence as sentences, the verdict first."""
        sentences = [self.reason]
        if self.right_name:
            where = f" in {self.competition}" if self.competition else ""
            sentences.append(f"exchange event: {self.right_name}{where}")
        sentences.extend(
            f"{label}: {side.left!r} and {side.right!r} agree at {side.score:.2f} ({side.why})"
            for label, side in (("home", self.home), ("away", self.away))
            if side is not None
        )
        if self.left_kickoff is not None and self.right_kickoff is not None:
            minutes = (self.right_kickoff - self.left_kickoff).total_seconds() / 60
            sentences.append(
                f"kickoffs: {self.left_kickoff:%Y-%m-%d %H:%M} and {self.right_kickoff:%Y-%m-%d %H:%M}"
                f" UTC, {minutes:+.0f} minutes"
            )
        if self.rival:
            margin = "" if self.margin is None else f", margin {self.margin:+.2f}"
            sentences.append(f"runner-up: {self.rival}{margin}")
        return tuple(sentences)


class FixtureMatch(msgspec.Struct, frozen=True, gc=False):
    """What the matcher says of one bookmaker event."""

    left_id: str
    right_id: str | None
    """The exchange event: the partner of a match, the best guess of a doubt, None otherwise."""
    verdict: Verdict
    confidence: float
    """0 to 1."""
    is_swapped: bool
    """The exchange has the bookmaker's home side as its away side."""
    evidence: Evidence


class OutcomesRefused(msgspec.Struct, frozen=True, gc=False):
    """Why outcomes were not given runners; nothing of that market may be priced."""

    reason: str
