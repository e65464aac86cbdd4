"""Which opportunities are sent to whom and when: rules, and the messages sent under them.

An opportunity that passes a rule's threshold gets one message. There is no other message while it
stays available; when it has been gone for a while, its message is updated. It counts as gone when
its value falls below the threshold by more than a margin, so that a price that flickers around
the threshold is not sent twice, and one that returns within the cool-down is not sent again. In
quiet hours, while muted, and under a digest rule, alerts are held; those still valid afterwards
are sent in one message.

Everything here is a function of the opportunities seen, the messages sent before, and the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from kos.domain.books.calendar import LONDON, read_clock
from kos.domain.opportunities.opportunity import (
    FREE_BETS,
    Opportunity,
    OpportunityQuery,
    check_query,
)
from kos.domain.people.conversation import Urgency
from kos.errors import InvalidInput

RULES = "alert-rule/"
"""The ledger keeps each rule by its user under this name and its number."""
PREFERENCES = "alert-preferences"
"""The name of a user's preferences there."""

MAX_RULES = 20
"""Per person: each costs a query to the scorer at every look."""
MAX_LINES = 5
"""Opportunities named in one message; the others are counted."""
GONE_AFTER = timedelta(seconds=45)
"""Longer than a poll of the exchange, so that one late price does not count as gone."""
COOL_DOWN = timedelta(minutes=30)
MARGIN = Decimal("0.02")
"""More than 2% below the threshold counts as gone, not as flickering."""
BURST = 6
"""Messages to one person within `BURST_SPAN`; any more wait for the digest."""
BURST_SPAN = timedelta(minutes=10)
_FORGOTTEN_AFTER = timedelta(days=1)


class Measure(StrEnum):
    """The figure that a threshold is compared with."""

    SCORE = "score"
    PROFIT = "profit"
    """Pounds in the worse outcome; a qualifying loss is negative."""
    RETENTION = "retention"
    """Percent of a free bet's value."""
    RATING = "rating"
    """Percent, b(1-c)/(l-c); above 100 is an arb."""


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of one person."""

    rule_id: int
    """1 and up, unique for the person."""
    query: OpportunityQuery
    """Kind, stake and filters; one bookmaker or all."""
    measure: Measure
    threshold: Decimal
    """In the measure's unit; this value or more is sent."""
    is_digest: bool = False
    """Held for the digest instead of sent immediately."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """One person's alert preferences."""

    quiet_from: str = ""
    """``HH:MM`` in UK time; empty: no quiet hours."""
    quiet_until: str = ""
    digest_minutes: int = 60
    """Between two digests."""
    muted_until: datetime | None = None
    wants_system: bool = True
    """Admins: whether system alerts are on."""


class AlertedOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """The names and figures of an opportunity as it was found. Money is pounds."""

    event: str
    """``Home v Away``."""
    selection: str
    bookmaker: str
    """Its title, as people read it."""
    exchange: str
    """Its key."""
    back_odds: Decimal
    lay_odds: Decimal
    lay_available: Decimal | None
    """None: the source does not say."""
    stake: Decimal
    lay_stake: Decimal
    liability: Decimal
    profit: Decimal
    rating: Decimal
    retention: Decimal | None
    """Share of a free bet's value kept as cash; None for other kinds of bet."""
    back_updated_at: datetime
    lay_updated_at: datetime
    found_at: datetime


class AlertHit(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity found for a rule, with the rule's measure of it."""

    key: str
    """The kind of bet and the opportunity's id."""
    value: Decimal
    kickoff: datetime
    opportunity: AlertedOpportunity


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An opportunity that was sent, or is held."""

    key: str
    kickoff: datetime
    last_seen: datetime
    gone_at: datetime | None = None
    opportunity: AlertedOpportunity | None = None
    """None: stored before names and figures were; then its words are in `text`."""
    text: str = ""
    """Words of an older ledger, shown as they are."""


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was sent, and the present state of its opportunities."""

    telling_id: int
    rule_id: int
    """0 for a digest of several rules."""
    told_at: datetime
    items: tuple[Item, ...]
    """All of it, the best first; a message names the first `MAX_LINES`."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity waiting to be sent."""

    rule_id: int
    item: Item


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The messages sent to one person; stored, so that a restart repeats nothing."""

    tellings: tuple[AlertMessage, ...] = ()
    held: tuple[Held, ...] = ()
    digest_at: datetime | None = None
    """The earliest time at which held alerts are sent."""
    last_id: int = 0


class AlertToSend(msgspec.Struct, frozen=True, kw_only=True):
    """A message about opportunities, to send now."""

    telling: AlertMessage
    rule: AlertRule | None
    """None for a digest of several rules."""
    is_new: bool
    """False: an earlier message is updated."""
    is_digest: bool = False

    @property
    def topic(self) -> str:
        """Messages on one topic update the first in place."""
        return f"alert/{self.telling.telling_id}"

    @property
    def urgency(self) -> Urgency:
        """A digest goes out after everything else."""
        return Urgency.DIGEST if self.is_digest else Urgency.ALERT

    @property
    def expires_at(self) -> datetime | None:
        """A new message is of no use after the last kickoff; an update always is."""
        return max(item.kickoff for item in self.telling.items) if self.is_new else None


def check_rule(rule: AlertRule) -> None:
    """Refuse a rule that makes no sense.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    check_query(rule.query)
    if not rule.threshold.is_finite() or abs(rule.threshold) > Decimal(1_000_000):
        raise InvalidInput("threshold", rule.threshold, "a finite number")
    if rule.measure is Measure.RETENTION and rule.query.kind not in FREE_BETS:
        allowed = "a measure for this kind, e.g. rating (retention is for snr and sr)"
        raise InvalidInput("measure", "retention", allowed)


def check_preferences(preferences: Preferences) -> None:
    """Refuse quiet hours that are not valid.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    if bool(preferences.quiet_from) != bool(preferences.quiet_until):
        raise InvalidInput("quiet", "one time", "two times, such as 22:30-07:00")
    for text in (preferences.quiet_from, preferences.quiet_until):
        if text:
            read_clock("time", text)
    if not 5 <= preferences.digest_minutes <= 24 * 60:  # noqa: PLR2004 - five minutes to a day
        raise InvalidInput("digest", preferences.digest_minutes, "5 to 1,440 minutes")


def hit_of(opportunity: Opportunity, measure: Measure, now: datetime) -> AlertHit:
    """An opportunity found now, as a rule with this measure judges it."""
    return AlertHit(
        key=f"{opportunity.kind.value}|{opportunity.id}",
        value=value_of(opportunity, measure),
        kickoff=opportunity.kickoff,
        opportunity=AlertedOpportunity(
            event=opportunity.event,
            selection=opportunity.outcome,
            bookmaker=opportunity.bookmaker_title,
            exchange=opportunity.exchange,
            back_odds=opportunity.back_odds,
            lay_odds=opportunity.lay_odds,
            lay_available=opportunity.lay_available,
            stake=opportunity.stake,
            lay_stake=opportunity.lay_stake,
            liability=opportunity.liability,
            profit=opportunity.profit,
            rating=opportunity.rating,
            retention=opportunity.retention if opportunity.kind in FREE_BETS else None,
            back_updated_at=opportunity.back_updated_at,
            lay_updated_at=opportunity.lay_updated_at,
            found_at=now,
        ),
    )


def value_of(opportunity: Opportunity, measure: Measure) -> Decimal:
    """The measure of an opportunity, in the measure's unit."""
    match measure:
        case Measure.SCORE:
            return Decimal(repr(opportunity.score))
        case Measure.PROFIT:
            return opportunity.profit
        case Measure.RETENTION:
            return opportunity.retention * 100
        case Measure.RATING:
            return opportunity.rating * 100
        case _:
            assert_never(measure)


def is_quiet(preferences: Preferences, now: datetime) -> bool:
    """Whether no alerts are sent to a person now.

    >>> from datetime import UTC
    >>> night = Preferences(quiet_from="22:30", quiet_until="07:00")
    >>> is_quiet(night, datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    True
    >>> is_quiet(night, datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    False
    """
    if preferences.muted_until is not None and now < preferences.muted_until:
        return True
    if not preferences.quiet_from:
        return False
    start = read_clock("time", preferences.quiet_from)
    end = read_clock("time", preferences.quiet_until)
    local = now.astimezone(LONDON).time()
    return start <= local < end if start <= end else local >= start or local < end


def is_worth_keeping(before: Memory, after: Memory) -> bool:
    """Whether a look changed anything that must survive a restart; times last seen need not."""

    def lasting(memory: Memory) -> tuple[object, ...]:
        gone = [
            (telling.telling_id, [item.gone_at for item in telling.items])
            for telling in memory.tellings
        ]
        return memory.last_id, memory.digest_at, gone, [held.item.key for held in memory.held]

    return lasting(before) != lasting(after)


def look(
    rules: Sequence[AlertRule],
    preferences: Preferences,
    memory: Memory,
    seen: Mapping[int, Sequence[AlertHit]],
    now: datetime,
) -> tuple[Memory, tuple[AlertToSend, ...]]:
    """One look at the market for one person.

    Args:
        rules: The person's.
        preferences: The person's.
        memory: What the look before left.
        seen: By rule, what its query found, before thresholds. A rule that is missing was not
            queried (the scorer was away): it is left as it was.
        now: The time.

    Returns:
        The memory for the next look, and the messages to send.
    """
    by_rule = {rule.rule_id: rule for rule in rules}
    step = _Round(by_rule, memory, seen, now)
    step.follow()
    is_silent = is_quiet(preferences, now)
    for rule in rules:
        step.meet(rule, is_silent=is_silent, digest_minutes=preferences.digest_minutes)
    if not is_silent:
        step.digest()
    return step.outcome()


class _Round:
    """The work of one look."""

    def __init__(
        self,
        rules: Mapping[int, AlertRule],
        memory: Memory,
        seen: Mapping[int, Sequence[AlertHit]],
        now: datetime,
    ) -> None:
        self._rules = rules
        self._now = now
        self._last_id = memory.last_id
        self._digest_at = memory.digest_at
        self._tellings = {
            telling.telling_id: telling
            for telling in memory.tellings
            # Under a rule that was taken back nothing more is said, farewells included.
            if now - telling.told_at < _FORGOTTEN_AFTER
            and (telling.rule_id in rules or not telling.rule_id)
        }
        self._held = [held for held in memory.held if held.rule_id in rules]
        self._says: list[AlertToSend] = []
        self._is_all_judged = seen.keys() >= rules.keys()
        self._standing: set[str] = set()
        self._passing: dict[int, list[AlertHit]] = {}
        for rule_id in seen.keys() & rules.keys():
            rule = rules[rule_id]
            floor = rule.threshold - abs(rule.threshold) * MARGIN
            alive = [hit for hit in seen[rule_id] if hit.kickoff > now]
            self._standing |= {hit.key for hit in alive if hit.value >= floor}
            self._passing[rule_id] = [hit for hit in alive if hit.value >= rule.threshold]
        self._returning = {hit.key for hits in self._passing.values() for hit in hits}

    def follow(self) -> None:
        """The present state of sent and held opportunities."""
        for telling in list(self._tellings.values()):
            items = tuple(self._followed(item) for item in telling.items)
            changed = replace(telling, items=items)
            self._tellings[telling.telling_id] = changed
            named = zip(telling.items, items[:MAX_LINES], strict=False)
            if any(was.gone_at != item.gone_at for was, item in named):
                self._say(changed, is_new=False)
        followed = [replace(held, item=self._followed(held.item)) for held in self._held]
        self._held = [held for held in followed if held.item.gone_at is None]

    def _followed(self, item: Item) -> Item:
        has_started = item.kickoff <= self._now
        if item.gone_at is not None:
            if item.key in self._returning and self._now - item.gone_at < COOL_DOWN:
                return replace(item, last_seen=self._now, gone_at=None)
            return item
        if item.key in self._standing and not has_started:
            return replace(item, last_seen=self._now)
        is_missed = self._is_all_judged and self._now - item.last_seen >= GONE_AFTER
        if has_started or is_missed:
            return replace(item, gone_at=self._now)
        return item

    def meet(self, rule: AlertRule, *, is_silent: bool, digest_minutes: int) -> None:
        """Send new opportunities under a rule, or hold them."""
        retained = {
            item.key
            for telling in self._tellings.values()
            for item in telling.items
            if item.gone_at is None or self._now - item.gone_at < COOL_DOWN
        } | {held.item.key for held in self._held}
        new = {
            hit.key: hit for hit in self._passing.get(rule.rule_id, ()) if hit.key not in retained
        }
        if not new:
            return
        items = [
            Item(key=hit.key, kickoff=hit.kickoff, last_seen=self._now, opportunity=hit.opportunity)
            for hit in sorted(new.values(), key=lambda hit: -hit.value)
        ]
        recent = sum(
            self._now - telling.told_at < BURST_SPAN for telling in self._tellings.values()
        )
        if rule.is_digest or is_silent or recent >= BURST:
            self._held += [Held(rule_id=rule.rule_id, item=item) for item in items]
            if self._digest_at is None:
                self._digest_at = self._now + timedelta(minutes=digest_minutes)
            return
        self._tell(rule.rule_id, items, is_digest=False)

    def digest(self) -> None:
        """Send held alerts once they are due."""
        if self._digest_at is None or self._now < self._digest_at:
            return
        self._digest_at = None
        if self._held:
            items = [held.item for held in self._held]
            self._held = []
            self._tell(0, items, is_digest=True)

    def _tell(self, rule_id: int, items: Sequence[Item], *, is_digest: bool) -> None:
        self._last_id += 1
        # Opportunities not named count as sent too: they are not sent at the next look.
        telling = AlertMessage(
            telling_id=self._last_id, rule_id=rule_id, told_at=self._now, items=tuple(items)
        )
        self._tellings[telling.telling_id] = telling
        self._say(telling, is_new=True, is_digest=is_digest)

    def _say(self, telling: AlertMessage, *, is_new: bool, is_digest: bool = False) -> None:
        rule = self._rules.get(telling.rule_id)
        message = AlertToSend(telling=telling, rule=rule, is_new=is_new, is_digest=is_digest)
        self._says.append(message)

    def outcome(self) -> tuple[Memory, tuple[AlertToSend, ...]]:
        after = Memory(
            tellings=tuple(self._tellings.values()),
            held=tuple(self._held),
            digest_at=self._digest_at,
            last_id=self._last_id,
        )
        return after, tuple(self._says)
