"""The monthly credit budget: who may fetch next, and when.

The feed sells a number of credits for a calendar month, reset on the first, 00:00 UTC. What is
left over the reserve is spread evenly over what is left of the month, and within that spread by
nearness of kickoff. Nothing is decided from a plan made once: each decision divides what is left
by the time left, so that a jump of the counters, a failure or a restart mends itself.

What counts as spent is the highest of what the server says and what we know of, plus the calls
under way, plus calls that may have been charged. Those last ones are
forgotten when a later word of the server covers them. So a lost answer, a crash or another
program on the same key can make KOS slower, but cannot make it overspend.

All functions are pure: state in, state out, ``now`` an argument. The actor around them keeps one
:class:`BudgetState` and turns decisions into messages.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

_DISORDER: Final = timedelta(seconds=120)
"""Answers may overtake each other by less than this."""
_GRANT_LIFE: Final = timedelta(seconds=300)
"""A grant no one reports on for so long: the call may have been made, no one will say."""
_RESET_DOUBT: Final = timedelta(hours=14)
"""The zone of the server's reset is not documented, and clocks differ."""
_SILENCE: Final = timedelta(minutes=30)
"""A key that did not ask for so long has no fetcher any more."""
_TYPICAL_OVER: Final = timedelta(days=1)
_RECHECK_S: Final = 600.0
_WARM_UP: Final = timedelta(seconds=1.5 * _RECHECK_S)
_LEAST_WAIT_S: Final = 0.05
_GRANTS_PER_SECOND: Final = 20
"""The feed allows 30 calls a second."""
_NEAR_HOURS: Final = 2.0
_FAR_WEIGHT: Final = 0.04
_SWING: Final = 4.0
"""How far the pace may leave the even one, up and down, as kickoffs crowd and thin out."""
_SHRINK_HOURS: Final = 6.0
_LOG_HOURS: Final = 24


class BudgetRules(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings."""

    allowance: int | None
    """Monthly credits of the key, including other programs; None: unlimited (sandbox)."""
    reserve: int = 0
    """Credits of the allowance kept for on-demand checks."""
    floor_s: float = 60.0
    """Never poll a key more often: the feed itself reads no faster. Reached six hours before the
    kickoff; from there it shrinks evenly to ``live_floor_s`` at the kickoff."""
    live_floor_s: float = 40.0
    ceiling_s: float = 6 * 3600.0
    """Poll every key at least so often, as long as the credits allow that for all."""


class KeyPace(msgspec.Struct, frozen=True):
    """What the budget knows of one sport key."""

    cost: int
    asked_at: datetime
    polled_at: datetime | None = None
    """When it was last granted a call."""
    next_kickoff: datetime | None = None
    failures: int = 0
    """Failed calls in a row."""


class Grant(msgspec.Struct, frozen=True):
    """A call that was granted and not yet reported back."""

    sport_key: str
    cost: int
    granted_at: datetime
    is_on_demand: bool


class Unsure(msgspec.Struct, frozen=True):
    """Credits that may have been charged; no one said."""

    cost: int
    at: datetime
    grant_id: str = ""
    is_on_demand: bool = False


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """All that decisions depend on. Made by :func:`open_budget`."""

    life: str
    """Tells the grants of this life from those of a former one."""
    month: datetime
    """Start of the month that is being counted."""
    serial: int = 0
    spent: int = 0
    """Credits of this month known by our own calls."""
    on_demand_spent: int = 0
    server_used: int | None = None
    """Credits of this month by the server's counters; None before its first word."""
    server_was: int = 0
    """What ``server_used`` was two minutes ago or more: a lower reading is no straggler."""
    server_mark: int = 0
    """The next ``server_was``."""
    server_mark_at: datetime | None = None
    plan: int | None = None
    """The server's used plus remaining."""
    is_last_months: bool = False
    """The server has not spoken since our month began."""
    grants: dict[str, Grant] = {}
    unsure: tuple[Unsure, ...] = ()
    keys: dict[str, KeyPace] = {}
    typical_weight: float | None = None
    typical_at: datetime | None = None
    log: dict[datetime, int] = {}
    """Credits by hour, for the forecast."""
    opened_at: datetime
    polls_on: datetime | None = None
    polls: int = 0
    second: int = 0
    grants_in_second: int = 0


class Granted(msgspec.Struct, frozen=True):
    """Leave for one call."""

    grant_id: str
    cost: int


class CallRefused(msgspec.Struct, frozen=True):
    """No call now."""

    reason: str
    retry_after_s: float


class BudgetPicture(msgspec.Struct, frozen=True, kw_only=True):
    """How the credits stand, as an operator is told."""

    allowance: int
    """0 where it is unlimited."""
    used: int
    remaining: int
    reserve: int
    """What is left of it."""
    lasts_until: datetime | None
    resets_at: datetime
    polls_today: int
    interval_s: dict[str, float]


# --- lives and months --------------------------------------------------------------------------


def month_of(now: datetime) -> datetime:
    """Start of the calendar month, UTC."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """Start of the month after the one that starts at ``month``."""
    return (month + timedelta(days=32)).replace(day=1)


def open_budget(
    now: datetime,
    *,
    spent: int = 0,
    polls: Mapping[str, datetime] | None = None,
    unsure: int = 0,
) -> BudgetState:
    """The budget at the start of a life.

    Args:
        now: UTC.
        spent: Credits of this calendar month by the ledger, calls of doubtful cost in full.
        polls: When each sport key was last polled, by the ledger, so that a restart does not
            poll all of them at once.
        unsure: Credits that may have been under way when the last life ended: at most one
            call for each sport key.
    """
    return BudgetState(
        life=f"{int(now.timestamp() * 1000):x}",
        month=month_of(now),
        spent=spent,
        unsure=(Unsure(unsure, now),) if unsure else (),
        keys={key: KeyPace(1, now, at) for key, at in (polls or {}).items()},
        opened_at=now,
    )


def _at(state: BudgetState, now: datetime) -> BudgetState:
    """The state brought to ``now``: month turned, old grants doubted, silent keys forgotten."""
    month = month_of(now)
    if month > state.month:
        state = replace(
            state,
            month=month,
            spent=0,
            on_demand_spent=0,
            unsure=tuple(doubt for doubt in state.unsure if now - doubt.at < _DISORDER),
            server_was=state.server_used or 0,
            is_last_months=state.server_used is not None,
        )
    if state.is_last_months and now - state.month > _RESET_DOUBT:
        state = replace(state, server_used=None, is_last_months=False)
    late = [key for key, grant in state.grants.items() if now - grant.granted_at > _GRANT_LIFE]
    for grant_id in late:
        state = _doubt(state, now, grant_id)
    if any(now - pace.asked_at > _SILENCE for pace in state.keys.values()):
        keys = {k: pace for k, pace in state.keys.items() if now - pace.asked_at <= _SILENCE}
        state = replace(state, keys=keys)
    return state


def _doubt(state: BudgetState, now: datetime, grant_id: str) -> BudgetState:
    """A grant whose cost will not be reported."""
    grant = state.grants[grant_id]
    return replace(
        state,
        grants={key: other for key, other in state.grants.items() if key != grant_id},
        unsure=(*state.unsure, Unsure(grant.cost, now, grant_id, grant.is_on_demand)),
        on_demand_spent=state.on_demand_spent + grant.cost * grant.is_on_demand,
    )


# --- what is left ------------------------------------------------------------------------------


def _used(state: BudgetState) -> int:
    return max(state.spent, state.server_used or 0)


def _left(state: BudgetState, rules: BudgetRules) -> float:
    """Credits that may still be granted, the reserve included; may be negative."""
    if rules.allowance is None:
        return math.inf
    bound: float = rules.allowance - _used(state)
    if state.plan is not None and state.server_used is not None:
        bound = min(bound, state.plan - state.server_used)
    under_way = sum(grant.cost for grant in state.grants.values())
    return bound - under_way - sum(doubt.cost for doubt in state.unsure)


def _reserve_left(state: BudgetState, rules: BudgetRules) -> int:
    under_way = sum(grant.cost for grant in state.grants.values() if grant.is_on_demand)
    return max(0, rules.reserve - state.on_demand_spent - under_way)


def _ordinary_left(state: BudgetState, rules: BudgetRules) -> float:
    return _left(state, rules) - _reserve_left(state, rules)


# --- the pace ----------------------------------------------------------------------------------


def _hours_to(kickoff: datetime | None, now: datetime) -> float:
    return math.inf if kickoff is None else max(0.0, (kickoff - now).total_seconds() / 3600)


def _weight(pace: KeyPace, now: datetime) -> float:
    """1 at the kickoff, a half two hours before, a twenty-fifth from two days on."""
    return max(_FAR_WEIGHT, 1 / (1 + _hours_to(pace.next_kickoff, now) / _NEAR_HOURS))


def _floor(pace: KeyPace, rules: BudgetRules, now: datetime) -> float:
    near = min(1.0, _hours_to(pace.next_kickoff, now) / _SHRINK_HOURS)
    live = min(rules.live_floor_s, rules.floor_s)
    return live + (rules.floor_s - live) * near


def intervals(state: BudgetState, rules: BudgetRules, now: datetime) -> dict[str, float]:
    """Seconds between two polls, by sport key, at today's pace.

    The intervals are in inverse proportion to the weights, between floor and ceiling, and
    together spend the pace: what is left over the reserve, divided by what is left of the month,
    times how crowded kickoffs are just now against the last day (within a factor of four). Where
    the pace cannot keep all keys under the ceiling, the ceiling gives way.
    """
    state = _at(state, now)
    time_left_s = max(1.0, (next_month(state.month) - now).total_seconds())
    ordinary = _ordinary_left(state, rules)
    if math.isinf(ordinary):
        return {key: _floor(pace, rules, now) for key, pace in state.keys.items()}
    if ordinary <= 0:
        return dict.fromkeys(state.keys, time_left_s)
    rows = [
        (float(max(1, pace.cost)), _weight(pace, now), _floor(pace, rules, now))
        for pace in state.keys.values()
    ]
    total = sum(weight for _, weight, _ in rows)
    crowded = total / (state.typical_weight or total) if total else 1.0
    pace_per_s = ordinary / time_left_s * min(_SWING, max(1 / _SWING, crowded))
    return dict(zip(state.keys, _spread(rows, pace_per_s, rules.ceiling_s), strict=True))


def _spread(
    rows: list[tuple[float, float, float]], pace_per_s: float, ceiling_s: float
) -> list[float]:
    """Intervals in inverse proportion to the weights that together spend the pace, if they can.

    Args:
        rows: Cost, weight and least interval of each key.
        pace_per_s: Credits a second to spend.
        ceiling_s: Longest interval; it gives way if the pace cannot keep it.
    """
    if sum(cost / max(ceiling_s, floor) for cost, _, floor in rows) > pace_per_s:
        ceiling_s = math.inf

    def spends(level: float) -> float:
        return sum(
            cost / max(floor, min(ceiling_s, level / weight)) for cost, weight, floor in rows
        )

    low = 0.0
    high = sum(cost * weight for cost, weight, _ in rows) / pace_per_s
    if spends(low) > pace_per_s:
        while spends(high) > pace_per_s:
            high *= 2
        for _ in range(30):
            middle = (low + high) / 2
            if spends(middle) > pace_per_s:
                low = middle
            else:
                high = middle
    else:
        high = low
    return [max(floor, min(ceiling_s, high / weight)) for _, weight, floor in rows]


def _with_typical_weight(state: BudgetState, now: datetime) -> BudgetState:
    """Follow the sum of weights slowly: the yardstick for crowded hours.

    Not before every fetcher had the time to ask in this life, or the yardstick would be short.
    """
    if now - state.opened_at < _WARM_UP:
        return state
    total = sum(_weight(pace, now) for pace in state.keys.values())
    if state.typical_weight is None or state.typical_at is None:
        return replace(state, typical_weight=total, typical_at=now)
    share = max(0.0, min(1.0, (now - state.typical_at) / _TYPICAL_OVER))
    typical = state.typical_weight + (total - state.typical_weight) * share
    return replace(state, typical_weight=typical, typical_at=max(now, state.typical_at))


# --- asking ------------------------------------------------------------------------------------


def request(
    state: BudgetState,
    rules: BudgetRules,
    now: datetime,
    *,
    sport_key: str,
    cost: int,
    next_kickoff: datetime | None = None,
    is_on_demand: bool = False,
) -> tuple[BudgetState, Granted | CallRefused]:
    """Decide on one call.

    Args:
        state: As the last call of this module left it.
        rules: The settings.
        now: UTC.
        sport_key: Who asks. A key asks for one call at a time: if it asks again, its last grant
            was lost, and counts as perhaps charged.
        cost: What the call costs at most.
        next_kickoff: The key's earliest kickoff not yet passed, if it knows one.
        is_on_demand: A person asked: no pace, and the reserve may be used.

    Returns:
        The new state, and leave for the call or a refusal with its reason.
    """
    cost = max(0, cost)
    state = _at(state, now)
    for grant_id in [k for k, grant in state.grants.items() if grant.sport_key == sport_key]:
        state = _doubt(state, now, grant_id)
    pace = state.keys.get(sport_key) or KeyPace(cost, now)
    pace = replace(pace, cost=cost, asked_at=now, next_kickoff=next_kickoff)
    state = _with_typical_weight(replace(state, keys={**state.keys, sport_key: pace}), now)
    refusal = _refusal(state, rules, now, sport_key, cost, is_on_demand=is_on_demand)
    if refusal is not None:
        return state, refusal
    return _grant(state, now, sport_key, cost, is_on_demand=is_on_demand)


def _refusal(
    state: BudgetState,
    rules: BudgetRules,
    now: datetime,
    sport_key: str,
    cost: int,
    *,
    is_on_demand: bool,
) -> CallRefused | None:
    pace = state.keys[sport_key]
    left = _left(state, rules) if is_on_demand else _ordinary_left(state, rules)
    if cost > 0 and cost > left:
        until_reset_s = (next_month(state.month) - now).total_seconds()
        what = "all credits" if is_on_demand else "all credits except the reserve"
        return CallRefused(f"{what} for the month are used up", _wait(until_reset_s))
    if pace.polled_at is not None and cost > 0:
        floor_s = _floor(pace, rules, now)
        if is_on_demand:
            interval_s = floor_s
        else:
            interval_s = intervals(state, rules, now)[sport_key]
            if pace.failures:
                interval_s = min(interval_s, floor_s * 2 ** min(pace.failures, 20))
        waited_s = max(0.0, (now - pace.polled_at).total_seconds())
        if waited_s < interval_s:
            return CallRefused("not due yet", _wait(interval_s - waited_s))
    if state.second == int(now.timestamp()) and state.grants_in_second >= _GRANTS_PER_SECOND:
        spread_s = zlib.crc32(sport_key.encode("utf-8", "replace")) % 2000 / 1000
        return CallRefused("too many calls in one second", 1.0 + spread_s)
    return None


def _wait(seconds: float) -> float:
    """Not at once, and not so long that a change of the world goes unseen."""
    return min(_RECHECK_S, max(_LEAST_WAIT_S, seconds))


def _grant(
    state: BudgetState, now: datetime, sport_key: str, cost: int, *, is_on_demand: bool
) -> tuple[BudgetState, Granted]:
    grant_id = f"{state.life}-{state.serial + 1}"
    second = int(now.timestamp())
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    state = replace(
        state,
        serial=state.serial + 1,
        grants={**state.grants, grant_id: Grant(sport_key, cost, now, is_on_demand)},
        keys={**state.keys, sport_key: replace(state.keys[sport_key], polled_at=now)},
        second=second,
        grants_in_second=state.grants_in_second + 1 if second == state.second else 1,
        polls_on=day,
        polls=state.polls + 1 if day == state.polls_on else 1,
    )
    return state, Granted(grant_id, cost)


# --- hearing -----------------------------------------------------------------------------------


def settle(
    state: BudgetState,
    rules: BudgetRules,
    now: datetime,
    *,
    grant_id: str,
    sport_key: str,
    cost: int | None,
    used: int | None = None,
    remaining: int | None = None,
    is_failed: bool = False,
) -> BudgetState:
    """A granted call came back.

    Args:
        state: As the last call of this module left it.
        rules: The settings.
        now: UTC.
        grant_id: Of the grant; one of a former life, or settled before, counts only by what the
            server said.
        sport_key: Whose call it was.
        cost: What the server counted for it; None: it did not say, then the grant's cost, or,
            of a failed call, perhaps.
        used: The server's counter, if the answer had it.
        remaining: Likewise.
        is_failed: No answer came that says what was done.
    """
    state = _at(state, now)
    before = state
    if cost is None and is_failed:
        if grant_id in state.grants:
            state = _doubt(state, now, grant_id)
    else:
        has_counters = used is not None or remaining is not None
        state = _charge(state, now, grant_id, cost, is_covered=has_counters)
    pace = state.keys.get(sport_key)
    if pace is not None:
        pace = replace(pace, failures=pace.failures + 1 if is_failed else 0)
        state = replace(state, keys={**state.keys, sport_key: pace})
    state = _hear(state, rules, now, used, remaining)
    return _logged(state, now, before)


def _charge(
    state: BudgetState, now: datetime, grant_id: str, cost: int | None, *, is_covered: bool
) -> BudgetState:
    """Book what a call cost; None: as much as was granted.

    ``is_covered``: the server's counters came with it. Otherwise the cost is doubted besides,
    until they come, for the server's last word does not hold it.
    """
    grant = state.grants.get(grant_id)
    doubt = next((doubt for doubt in state.unsure if doubt.grant_id == grant_id), None)
    if grant is not None:
        is_on_demand, granted, booked = grant.is_on_demand, grant.cost, 0
    elif doubt is not None:
        is_on_demand, granted, booked = doubt.is_on_demand, doubt.cost, doubt.cost
    elif grant_id.startswith(f"{state.life}-"):
        return state  # reported before, or covered by the server's word since
    else:
        is_on_demand, granted, booked = False, 0, 0
    charged = granted if cost is None else max(0, cost)
    unsure = tuple(other for other in state.unsure if other is not doubt)
    if not is_covered and state.server_used is not None and charged:
        unsure = (*unsure, Unsure(charged, now))
    return replace(
        state,
        grants={key: other for key, other in state.grants.items() if key != grant_id},
        unsure=unsure,
        spent=state.spent + charged,
        on_demand_spent=state.on_demand_spent + (charged - booked) * is_on_demand,
    )


def read_counters(
    state: BudgetState,
    rules: BudgetRules,
    now: datetime,
    *,
    used: int | None,
    remaining: int | None,
) -> BudgetState:
    """The server's counters came with a free call; either may be unknown."""
    state = _at(state, now)
    before = state
    return _logged(_hear(state, rules, now, used, remaining), now, before)


def _hear(
    state: BudgetState,
    rules: BudgetRules,
    now: datetime,
    used: int | None,
    remaining: int | None,
) -> BudgetState:
    """Take the server's word for what is spent.

    Answers overtake each other, so the highest word counts, unless a word is lower than what
    was known two minutes ago: then the server itself went back (a reset, a correction).
    """
    if used is None and remaining is not None:
        plan = state.plan if state.plan is not None else rules.allowance
        used = None if plan is None else max(0, plan - remaining)
    elif used is not None and remaining is not None:
        state = replace(state, plan=used + remaining)
    if used is None:
        return state
    if used < state.server_was:
        state = replace(state, server_used=used, server_was=0, server_mark=used, server_mark_at=now)
    else:
        state = replace(state, server_used=max(used, state.server_used or 0))
        if state.server_mark_at is None or now - state.server_mark_at >= _DISORDER:
            state = replace(
                state,
                server_was=state.server_mark,
                server_mark=state.server_used or 0,
                server_mark_at=now,
            )
    return replace(
        state,
        is_last_months=False,
        unsure=tuple(doubt for doubt in state.unsure if now - doubt.at < _DISORDER),
    )


def forget_keys(state: BudgetState, active: frozenset[str]) -> BudgetState:
    """Only these sport keys are polled from now on."""
    keys = {key: pace for key, pace in state.keys.items() if key in active}
    return replace(state, keys=keys)


# --- telling -----------------------------------------------------------------------------------


def _logged(state: BudgetState, now: datetime, before: BudgetState) -> BudgetState:
    """Remember by the hour how much went, for the forecast."""
    if before.server_used is None and state.server_used is not None:
        credits_spent = state.spent - before.spent  # its first word is about the past
    else:
        credits_spent = _used(state) - _used(before)
    if credits_spent <= 0:
        return state
    hour = now.replace(minute=0, second=0, microsecond=0)
    since = hour - timedelta(hours=_LOG_HOURS)
    log = {at: spent for at, spent in state.log.items() if since < at <= hour}
    log[hour] = log.get(hour, 0) + credits_spent
    return replace(state, log=log)


def describe(state: BudgetState, rules: BudgetRules, now: datetime) -> BudgetPicture:
    """How the credits stand."""
    state = _at(state, now)
    resets_at = next_month(state.month)
    left = _left(state, rules)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return BudgetPicture(
        allowance=rules.allowance or 0,
        used=_used(state),
        remaining=0 if math.isinf(left) else max(0, int(left)),
        reserve=_reserve_left(state, rules),
        lasts_until=_lasts_until(state, now, left, resets_at),
        resets_at=resets_at,
        polls_today=state.polls if state.polls_on == today else 0,
        interval_s=intervals(state, rules, now),
    )


def _lasts_until(
    state: BudgetState, now: datetime, left: float, resets_at: datetime
) -> datetime | None:
    """When the credits run out if they go on as in the last day; None: not before the reset."""
    if left <= 0:
        return now
    since = max(state.opened_at, now - timedelta(hours=_LOG_HOURS))
    spent = sum(spent for at, spent in state.log.items() if at > now - timedelta(hours=_LOG_HOURS))
    watched_s = max(3600.0, (now - since).total_seconds())
    if spent == 0 or math.isinf(left):
        return None
    seconds = left / (spent / watched_s)
    return now + timedelta(seconds=seconds) if seconds < (resets_at - now).total_seconds() else None


class SportCreditsSpent(msgspec.Struct, frozen=True):
    """The cost of one sport key in the period."""

    sport_key: str
    credits: int
    polls: int
    last_spent_at: datetime
