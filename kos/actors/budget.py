"""Grants credits to fetchers; thin shell around :mod:`kos.domain.polling.credits`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_never

import msgspec
from msgspec.structs import asdict

from kos.asking import Asker
from kos.config.settings import OddsApiSettings
from kos.domain.people.conversation import KOS, PAUSE
from kos.domain.polling.credits import (
    BudgetRules,
    BudgetState,
    CallRefused,
    Granted,
    describe,
    forget_keys,
    month_of,
    open_budget,
    read_counters,
    request,
    settle,
)
from kos.errors import KosError
from kos.messages import (
    LEDGER,
    BudgetDescribed,
    CreditsGranted,
    CreditsRefused,
    CreditsSpent,
    CreditsSpentListed,
    GetBudget,
    GetCreditsSpent,
    GetKept,
    KeptListed,
    PauseChanged,
    RecordCreditsSpent,
    RequestCredits,
    ServerCountersRead,
    SportsListed,
    Tick,
)
from kos.runtime import Actor, ChildSpec, Context, Message, RuntimeFault

BudgetMessage = (
    RequestCredits
    | CreditsSpent
    | ServerCountersRead
    | GetBudget
    | SportsListed
    | PauseChanged
    | Tick
)
"""The messages that it takes."""

_OPEN = Tick(what="read what was spent")
_READ_PAUSE = Tick(what="read whether KOS is paused")
_READ_PAUSE_EVERY_S = 10.0
_PAUSED_RETRY_S = 15.0
_RECORD = Tick(what="record what was spent")
_RECORD_EVERY_S = 1.0
_LEDGER_TIMEOUT_S = 10.0
_RETRY_S = 0.5
_COUNTERS_PATIENCE = timedelta(seconds=10)
"""A feed that tells no counters is believed mute after this; the ledger's count then holds."""
_LIVE_FLOOR_S = 40.0


class BudgetArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the budget is told at its start."""

    odds_api: OddsApiSettings


def spec(args: BudgetArgs) -> ChildSpec:
    """How it is supervised: always there; it starts from the ledger and the server's counters."""
    return ChildSpec(name="budget", factory="kos.actors.budget:BudgetActor", args=args)


def rules_of(settings: OddsApiSettings) -> BudgetRules:
    """The budget's rules as the settings have them."""
    return BudgetRules(
        allowance=settings.monthly_credits,
        reserve=settings.reserve_credits,
        floor_s=settings.min_interval_s,
        live_floor_s=min(settings.min_interval_s, _LIVE_FLOOR_S),
        ceiling_s=settings.max_interval_s,
    )


class BudgetActor(Actor):
    """Decides every poll by one state, which it builds from the ledger when it starts.

    It grants nothing before it knows what was spent. What is spent goes to the ledger as
    commands that are repeated until they are answered, so that a restart forgets nothing.
    """

    def __init__(self, context: Context, args: BudgetArgs) -> None:
        super().__init__(context, args)
        self._asker = Asker.within(context)
        self._rules = rules_of(args.odds_api)
        self._opened_at = datetime.now(UTC)
        self._state: BudgetState | None = None
        self._has_counters = False
        self._early: ServerCountersRead | None = None
        """The server's counters, where they came before the ledger's answer."""
        self._unrecorded: dict[str, RecordCreditsSpent] = {}
        self._is_paused = False
        self._costs: dict[str, int] = {}
        """Grants under way, for calls whose cost the server does not report."""

    def started(self) -> None:
        self.context.after(0, _OPEN)
        self.context.every(_RECORD_EVERY_S, _RECORD)
        self.context.every(_READ_PAUSE_EVERY_S, _READ_PAUSE)

    def stopping(self) -> None:
        self._record()

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, BudgetMessage):
            raise TypeError(f"budget takes no {type(message).__name__}")
        now = datetime.now(UTC)
        match message:
            case RequestCredits():
                return self._decide(message, now)
            case CreditsSpent():
                self._settle(message, now)
            case ServerCountersRead():
                self._hear(message, now)
            case GetBudget():
                return self._described(now)
            case SportsListed():
                self._forget_others(message)
            case Tick() if message == _OPEN:
                self._open(now)
            case PauseChanged():
                self._read_pause()
            case Tick() if message == _READ_PAUSE:
                if self._state is not None:
                    self._read_pause()
            case Tick():
                self._record()
            case _:
                assert_never(message)
        return None

    def renewed(self, args: BudgetArgs) -> bool:
        self._rules = rules_of(args.odds_api)
        return True

    def pulse(self) -> dict[str, str | int | float]:
        if self._state is None:
            return {"problem": "waiting for the ledger to report the credits spent"}
        picture = describe(self._state, self._rules, datetime.now(UTC))
        return {
            "credits_used": picture.used,
            "credits_left": picture.remaining,
            "credits_allowance": picture.allowance,
            "credits_reserve": picture.reserve,
            "credits_reset_at": picture.resets_at.isoformat(),
            "credits_last_until": picture.lasts_until.isoformat() if picture.lasts_until else "",
            "polls_today": picture.polls_today,
            "is_paused": int(self._is_paused),
            "unrecorded_waiting": len(self._unrecorded),
        }

    def _open(self, now: datetime) -> None:
        """Learn from the ledger what this month has cost and when each key was polled."""
        question = GetCreditsSpent(since=month_of(now), until=now + timedelta(days=1))
        try:
            spent = self._asker.ask(LEDGER, question, CreditsSpentListed, _LEDGER_TIMEOUT_S)
        except KosError as fault:
            self.context.log.warning("budget.not_opened", error=str(fault), retry_s=_RETRY_S)
            self.context.after(_RETRY_S, _OPEN)
            return
        if not self._read_pause():
            self.context.after(_RETRY_S, _OPEN)
            return
        self._state = open_budget(
            now,
            spent=spent.total,
            polls={sport.sport_key: sport.last_spent_at for sport in spent.by_sport},
        )
        if self._early is not None:
            self._hear(self._early, now)
        self.context.log.info("budget.opened", spent=spent.total, sport_keys=len(spent.by_sport))

    def _read_pause(self) -> bool:
        """Learn whether a person has paused KOS; False when the ledger does not say."""
        try:
            question = GetKept(owner=KOS, prefix=PAUSE)
            listed = self._asker.ask(LEDGER, question, KeptListed, _LEDGER_TIMEOUT_S)
        except KosError as fault:
            self.context.log.debug("pause.not_read", error=str(fault))
            return False
        is_paused = any(kept.name == PAUSE for kept in listed.kept)
        if is_paused != self._is_paused:
            self.context.log.info("pause.changed", is_paused=is_paused)
        self._is_paused = is_paused
        return True

    def _decide(self, message: RequestCredits, now: datetime) -> Message:
        if self._is_paused:
            return CreditsRefused(
                reason="KOS is paused. Send /resume to restart.", retry_after_s=_PAUSED_RETRY_S
            )
        if self._state is None or not (
            self._has_counters or now - self._opened_at > _COUNTERS_PATIENCE
        ):
            return CreditsRefused(
                reason="the credits spent are not known yet; asking the ledger",
                retry_after_s=_RETRY_S,
            )
        self._state, decision = request(
            self._state,
            self._rules,
            now,
            sport_key=message.sport_key,
            cost=message.cost,
            next_kickoff=message.next_kickoff,
            is_on_demand=message.is_on_demand,
        )
        match decision:
            case Granted():
                self._costs[decision.grant_id] = decision.cost
                return CreditsGranted(grant_id=decision.grant_id, cost=decision.cost)
            case CallRefused():
                return CreditsRefused(reason=decision.reason, retry_after_s=decision.retry_after_s)

    def _settle(self, message: CreditsSpent, now: datetime) -> None:
        # A call whose cost no one tells is recorded in full: the ledger may count too much, and
        # never too little.
        granted = self._costs.pop(message.grant_id, 0)
        cost = granted if message.cost is None else message.cost
        self._unrecorded[message.grant_id] = RecordCreditsSpent(
            command_id=f"credits-{message.grant_id}",
            by=self.context.name,
            occurred_at=now,
            sport_key=message.sport_key,
            credits=cost,
        )
        if message.used is not None or message.remaining is not None:
            self._has_counters = True
        if self._state is not None:
            self._state = settle(
                self._state,
                self._rules,
                now,
                grant_id=message.grant_id,
                sport_key=message.sport_key,
                cost=message.cost,
                used=message.used,
                remaining=message.remaining,
                is_failed=message.is_failed,
            )

    def _hear(self, message: ServerCountersRead, now: datetime) -> None:
        self._has_counters = True
        if self._state is None:
            self._early = message
            return
        self._state = read_counters(
            self._state, self._rules, now, used=message.used, remaining=message.remaining
        )

    def _forget_others(self, message: SportsListed) -> None:
        if self._state is not None:
            active = frozenset(sport.key for sport in message.sports)
            self._state = forget_keys(self._state, active)

    def _record(self) -> None:
        """Hand what was spent to the ledger; what it does not answer is said again next time."""
        ledger = self.context.ref(LEDGER)
        for grant_id, command in list(self._unrecorded.items()):
            try:
                ledger.ask(command, timeout_s=_LEDGER_TIMEOUT_S)
            except RuntimeFault as fault:
                self.context.log.debug("credits.not_recorded", error=str(fault))
                return
            del self._unrecorded[grant_id]

    def _described(self, now: datetime) -> Message:
        picture = describe(self._state or open_budget(now), self._rules, now)
        return BudgetDescribed(**asdict(picture), is_paused=self._is_paused)
