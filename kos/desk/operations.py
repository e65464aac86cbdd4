"""Operations: status, pausing everything that costs credits, and one extra poll on request."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.desk.arguments import quoted, tidy
from kos.desk.command import ADMINS, STAFF, Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.dialogue import confirm
from kos.desk.formatting import TextPart, bold, button, in_rows, italic, page_of, say, table
from kos.domain.books.calendar import read_duration, uk_time
from kos.domain.market.sports import sport_title
from kos.domain.opportunities.known_names import KnownSports
from kos.domain.people.conversation import KOS, PAUSE, Kept
from kos.errors import CommandNotAllowed, InvalidInput, KosError
from kos.messages import (
    FETCHER,
    BudgetDescribed,
    FetchAnswered,
    FetchNow,
    GetBudget,
    PauseChanged,
)
from kos.runtime import SYSTEM, Describe, SystemDescribed
from kos.service.health import state_words
from kos.views.health import (
    counted_restarts,
    credits_sentence,
    health_view,
    page_address,
    restart_count,
)
from kos.views.opportunities import duration, uk_clock, uk_day
from kos.views.simulated import SIMULATED
from kos.views.table import TableView

_ROWS = 20
_MOST_KEYS = 10
"""The maximum number of sport keys that one command polls."""
_FETCH_S = 60.0


class Pause(msgspec.Struct, frozen=True):
    """Why polling is paused, as stored."""

    by: str
    at: datetime
    reason: str = ""


# --- status ----------------------------------------------------------------------------------------


def _status(visit: DeskContext) -> DeskReply:
    """Nodes and actors, price ages, credits, restarts and problems."""
    system = visit.asker.ask(SYSTEM, Describe(), SystemDescribed)
    view = health_view(system)
    parts: list[TextPart] = [italic(f"{SIMULATED}\n")] if visit.premises.is_simulated else []
    running = sum(node.state == "running" for node in system.nodes)
    restarts = counted_restarts(restart_count(system))
    parts += [
        bold(
            f"Running: {running} of {len(system.nodes)} nodes, {restarts}, "
            f"up {duration(system.uptime_s)}"
        ),
        f"\n{_prices(system, visit.now, view.fetchers)}",
        f"\n{_credits(visit)}",
    ]
    if address := page_address(system):
        parts.append(f"\nWeb: {tidy(address, 100)}")
    pause = kept_pause(visit)
    if pause is not None:
        parts.append(f"\n⏸ {_paused(pause, visit.now)}")
    for problem in view.problems[:10]:
        parts.append(f"\n⚠ {tidy(problem[:1].upper() + problem[1:], 200)}")
    ages = {
        actor.name: duration(actor.since_message_s)
        for node in system.nodes
        for actor in node.actors
        if actor.since_message_s is not None
    }
    rows = tuple(
        (
            row.name,
            state_words(row.state),
            str(row.restarts),
            str(row.mailbox),
            ages.get(row.name, ""),
        )
        for row in view.actors
    )
    page = page_of([("",) for _ in rows], visit.page, _ROWS)
    first = (page.number - 1) * _ROWS
    actors = TableView(
        title="",
        headings=("actor", "state", "restarts", "waiting", "last seen"),
        rows=rows[first : first + _ROWS],
        numbers=frozenset({2, 3, 4}),
    )
    parts += ["\n\n", table(actors)]
    refresh = () if page.count > 1 else ((button("Refresh", "/status"),),)
    return reply_of(*parts, buttons=(*page.turners("/status"), *refresh), is_edit=visit.is_edit)


def _prices(system: SystemDescribed, now: datetime, competitions: int) -> str:
    """The ages of the latest and the oldest prices."""
    ages: list[tuple[float, str]] = []
    for node in system.nodes:
        for actor in node.actors:
            read_at = str(actor.pulse.get("fetched_at", ""))
            if actor.name.startswith(FETCHER) and read_at:
                age = (now - datetime.fromisoformat(read_at)).total_seconds()
                ages.append((max(0.0, age), actor.name.removeprefix(FETCHER)))
    if not ages:
        return "No prices yet"
    newest, oldest = min(ages), max(ages)
    return (
        f"Prices for {len(ages)} of {competitions} competitions, {duration(newest[0])} to {duration(oldest[0])} old"
        f" (oldest: {tidy(sport_title(oldest[1]), 60)})"
    )


def _credits(visit: DeskContext) -> str:
    try:
        budget = visit.asker.ask("budget", GetBudget(), BudgetDescribed)
    except KosError as error:
        return f"Credits: {tidy(str(error), 200)}"
    return f"Credits: {credits_sentence(budget, unit='')}"


# --- pause -----------------------------------------------------------------------------------------


def kept_pause(visit: DeskContext) -> Pause | None:
    """The current pause; None if there is none."""
    value = visit.kept_value(PAUSE, owner=KOS)
    return msgspec.json.decode(value, type=Pause) if value else None


def _paused(pause: Pause, now: datetime) -> str:
    why = f": {tidy(pause.reason, 200)}" if pause.reason else ""
    day = uk_day(pause.at, now)
    at = f"at {uk_clock(pause.at)}" if day.startswith("today") else f"on {uk_time(pause.at)}"
    return f"Paused by {tidy(pause.by, 60)} {at} (UK time){why}. Send /resume to restart."


def _pause(visit: DeskContext) -> DeskReply:
    """Pause polling and alerts, until /resume or for a time."""
    visit.words.refuse_others("reason")
    until = None
    reason = visit.words.get("reason")
    for word in visit.words.plain:
        if until is None and word[:1].isdecimal():
            until = visit.now + read_duration("for", word)
        else:
            reason = f"{reason} {word}".strip()
    before = kept_pause(visit)
    if before is not None:
        raise CommandNotAllowed(_paused(before, visit.now))
    pause = Pause(by=visit.person.name, at=visit.now, reason=tidy(reason, 200))
    ends = f" until {uk_time(until)} UK time" if until else " until /resume"
    return DeskReply(
        answers=(
            say(
                bold(f"Paused{ends}."),
                " Polling and opportunity alerts have stopped and no credits are being used."
                " Prices on screen will go stale. A restart does not end the pause.",
            ),
        ),
        kept=(visit.keep(PAUSE, pause, until, owner=KOS),),
        tells=(("budget", PauseChanged()),),
        is_turn=True,
    )


def _resume(visit: DeskContext) -> DeskReply:
    """Resume polling and alerts."""
    visit.words.refuse_others()
    if kept_pause(visit) is None:
        raise CommandNotAllowed("KOS is not paused.")
    return DeskReply(
        answers=(say(bold("Resumed."), " Polling restarts within 30 seconds."),),
        kept=(Kept(owner=KOS, name=PAUSE, value=""),),
        tells=(("budget", PauseChanged()),),
        is_turn=True,
    )


# --- recheck ---------------------------------------------------------------------------------------


def _recheck(visit: DeskContext) -> DeskReply:
    """Poll sport keys now; shows the cost first, to be confirmed."""
    visit.words.refuse_others()
    wanted = visit.words.plain
    if visit.action is not None:
        return _rechecked(visit, wanted)
    system = visit.asker.ask(SYSTEM, Describe(), SystemDescribed)
    polled = sorted(
        actor.name.removeprefix(FETCHER)
        for node in system.nodes
        for actor in node.actors
        if actor.name.startswith(FETCHER)
    )
    if not polled:
        raise CommandNotAllowed("No competitions are being polled yet.")
    names = KnownSports({key: sport_title(key) for key in polled}, has_all=True)
    starts = tuple(names.key_of(word) for word in wanted)
    keys = [key for key in polled if key.startswith(starts)] if starts else []
    if not keys and wanted:
        expected = f"a sport that is polled, such as {', '.join(polled[:5])}"
        raise InvalidInput("sport", tidy(" ".join(wanted), 60), expected)
    if not wanted or len(keys) > _MOST_KEYS:
        return _which_sport(keys or polled)
    budget = visit.asker.ask("budget", GetBudget(), BudgetDescribed)
    cost = visit.premises.recheck_credits * len(keys)
    return confirm(
        visit,
        bold(f"Refresh {', '.join(keys)} now?"),
        f"\nThis will use up to {_credits_of(cost)}. You have {budget.remaining:,} left"
        f" ({budget.reserve:,} in reserve).",
        command=f"/recheck {' '.join(keys)}",
        label=f"Use {_credits_of(cost)}",
    )


def _credits_of(count: int) -> str:
    return f"{count} credit" if count == 1 else f"{count:,} credits"


def _which_sport(keys: list[str]) -> DeskReply:
    heads = dict.fromkeys(key.partition("_")[0] for key in keys)
    offered = keys if len(keys) <= 2 * _ROWS else list(heads)
    buttons = in_rows(button(key, f"/recheck {quoted(key)}") for key in offered[: 2 * _ROWS])
    return reply_of("Which sport? No credits have been used yet.", buttons=buttons)


def _rechecked(visit: DeskContext, keys: tuple[str, ...]) -> DeskReply:
    lines: list[TextPart] = []
    for key in keys[:_MOST_KEYS]:
        question = FetchNow(reason=f"requested by {visit.user}")
        try:
            fetched = visit.asker.ask(f"{FETCHER}{key}", question, FetchAnswered, _FETCH_S)
        except KosError as error:
            lines.append(f"\n⚠ {key}: {tidy(str(error), 200)}")
        else:
            mark = "✓" if fetched.is_done else "⚠"
            lines.append(f"\n{mark} {key}: {tidy(fetched.detail, 200)}")
    return reply_of(bold("Refreshed"), *lines, f"\n\n{_credits(visit)}")


COMMANDS = (
    Command(
        "status",
        _status,
        "System status: actors, price ages, credits, restarts",
        Subject.OPERATIONS,
        seats=STAFF,
    ),
    Command(
        "pause",
        _pause,
        "Pause polling and alerts",
        Subject.OPERATIONS,
        "[2h] [reason]",
        seats=ADMINS,
        details="Lasts until /resume or the time you give, even if KOS restarts.",
        examples=("/pause", "/pause 8h night"),
        is_turn=True,
    ),
    Command(
        "resume",
        _resume,
        "Resume polling and alerts",
        Subject.OPERATIONS,
        seats=ADMINS,
        is_turn=True,
    ),
    Command(
        "recheck",
        _recheck,
        "Refresh one sport now (shows the cost first)",
        Subject.OPERATIONS,
        "SPORT",
        seats=ADMINS,
        examples=("/recheck soccer_epl",),
        is_turn=True,
        is_slow=True,
        is_once=True,
    ),
)
