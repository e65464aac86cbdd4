"""Operations: how KOS is, pausing what costs credits, and one poll more where somebody needs it."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches

import msgspec

from kos.desk.arguments import count_of, quoted, span_of, tidy
from kos.desk.command import (
    ADMINS,
    STAFF,
    Command,
    CommandGroup,
    DeskContext,
    DeskReply,
)
from kos.desk.dialogue import confirm
from kos.desk.formatting import (
    TextPart,
    bold,
    button,
    in_rows,
    italic,
    page_of,
    say,
    table,
)
from kos.domain.people.conversation import KOS, PAUSE, Kept
from kos.errors import CommandNotAllowed, InvalidInput, KosError, WaitAndRetry
from kos.messages import (
    BudgetDescribed,
    FetchAnswered,
    FetchNow,
    GetBudget,
    GetKept,
    KeptListed,
    PauseChanged,
)
from kos.runtime.description import ActorDescribed, Describe, SystemDescribed
from kos.views.health import credits_sentence, health_view, page_address
from kos.views.opportunities import duration, uk_time
from kos.views.table import TableView

_ROWS = 20
_MOST_KEYS = 10
"""Sport keys that one word may poll."""
_FETCH_S = 60.0
_FETCHER = "fetcher."
SYSTEM = "@system"
SIMULATED = "SIMULATED MARKETS: no credit and no price here is real"


class Pause(msgspec.Struct, frozen=True):
    """Why nothing is polled, as it is kept."""

    by: str
    at: datetime
    reason: str = ""


# --- status ----------------------------------------------------------------------------------------


def _status(visit: DeskContext) -> DeskReply:
    """Nodes and actors, ages of prices, credits, restarts, problems."""
    system = visit.office.ask(SYSTEM, Describe(), SystemDescribed)
    view = health_view(system)
    parts: list[TextPart] = [italic(f"{SIMULATED}\n")] if visit.premises.is_simulated else []
    parts += [bold(view.summary), f"\n{_prices(system, visit.now)}", f"\n{_credits(visit)}"]
    pause = kept_pause(visit)
    if pause is not None:
        parts.append(f"\n⏸ {_paused(pause)}")
    if address := page_address(system):
        parts.append(f"\nweb page at {tidy(address, 100)}")
    for problem in view.problems[:10]:
        parts.append(f"\n⚠ {tidy(problem, 200)}")
    ages = {actor.name: _age(actor) for node in system.nodes for actor in node.actors}
    rows = tuple(
        (row.name, row.state, str(row.restarts), str(row.mailbox), ages.get(row.name, ""))
        for row in view.actors
    )
    page = page_of([("",) for _ in rows], count_of("page", visit.words.get("page") or "1"), _ROWS)
    first = (page.number - 1) * _ROWS
    actors = TableView(
        title="",
        headings=("actor", "state", "restarts", "waiting", "last word"),
        rows=rows[first : first + _ROWS],
        numbers=frozenset({2, 3, 4}),
    )
    parts += ["\n\n", table(actors)]
    refresh = () if page.count > 1 else ((button("Refresh", "/status"),),)
    return DeskReply(
        answers=(say(*parts, buttons=(*page.turners("/status"), *refresh), is_edit=visit.is_edit),)
    )


def _age(actor: ActorDescribed) -> str:
    return "" if actor.since_message_s is None else duration(actor.since_message_s)


def _prices(system: SystemDescribed, now: datetime) -> str:
    """How old the newest and the oldest sport key's prices are."""
    ages: list[tuple[float, str]] = []
    for node in system.nodes:
        for actor in node.actors:
            read_at = str(actor.pulse.get("fetched_at", ""))
            if actor.name.startswith(_FETCHER) and read_at:
                age = (now - datetime.fromisoformat(read_at)).total_seconds()
                ages.append((max(0.0, age), actor.name.removeprefix(_FETCHER)))
    if not ages:
        return "no prices yet"
    newest, oldest = min(ages), max(ages)
    return (
        f"prices of {len(ages)} sport keys, {duration(newest[0])} to {duration(oldest[0])} old"
        f" (oldest: {tidy(oldest[1], 60)})"
    )


def _credits(visit: DeskContext) -> str:
    try:
        budget = visit.office.ask("budget", GetBudget(), BudgetDescribed)
    except KosError as error:
        return f"credits: {tidy(str(error), 200)}"
    return credits_sentence(budget)


# --- pause -----------------------------------------------------------------------------------------


def kept_pause(visit: DeskContext) -> Pause | None:
    """The pause that is on; None while KOS works."""
    kept = visit.office.ask("ledger", GetKept(owner=KOS, prefix=PAUSE), KeptListed).kept
    value = next((each.value for each in kept if each.name == PAUSE), "")
    return msgspec.json.decode(value, type=Pause) if value else None


def _paused(pause: Pause) -> str:
    why = f": {tidy(pause.reason, 200)}" if pause.reason else ""
    return f"paused by {tidy(pause.by, 60)} since {uk_time(pause.at)} UK time{why}. /resume"


def _pause(visit: DeskContext) -> DeskReply:
    """No poll and no alert until somebody says resume, or for a time."""
    visit.words.refuse_others("reason")
    until = None
    reason = visit.words.get("reason")
    for word in visit.words.plain:
        if until is None and word[:1].isdecimal():
            until = visit.now + span_of("for", word)
        else:
            reason = f"{reason} {word}".strip()
    before = kept_pause(visit)
    if before is not None:
        raise CommandNotAllowed(f"KOS is {_paused(before)}")
    pause = Pause(by=visit.person.name, at=visit.now, reason=tidy(reason, 200))
    ends = f" until {uk_time(until)} UK time" if until else " until /resume"
    return DeskReply(
        answers=(
            say(
                bold(f"Paused{ends}."),
                " Nothing is polled, so no credits are spent, and no opportunity is announced;"
                " prices on screen age and go stale. This holds over a restart.",
            ),
        ),
        kept=(
            Kept(
                owner=KOS,
                name=PAUSE,
                value=msgspec.json.encode(pause).decode(),
                expires_at=until,
            ),
        ),
        tells=(("budget", PauseChanged()),),
        is_turn=True,
    )


def _resume(visit: DeskContext) -> DeskReply:
    """Poll and announce again."""
    visit.words.refuse_others()
    if kept_pause(visit) is None:
        raise CommandNotAllowed("KOS is not paused")
    return DeskReply(
        answers=(say(bold("Resumed."), " Polling goes on within half a minute."),),
        kept=(Kept(owner=KOS, name=PAUSE, value=""),),
        tells=(("budget", PauseChanged()),),
        is_turn=True,
    )


# --- recheck ---------------------------------------------------------------------------------------


def _recheck(visit: DeskContext) -> DeskReply:
    """Poll sport keys at once; the cost is said first and has to be confirmed."""
    visit.words.refuse_others()
    wanted = tuple(word.casefold() for word in visit.words.plain)
    if visit.action is not None:
        return _rechecked(visit, wanted)
    system = visit.office.ask(SYSTEM, Describe(), SystemDescribed)
    known = sorted(
        actor.name.removeprefix(_FETCHER)
        for node in system.nodes
        for actor in node.actors
        if actor.name.startswith(_FETCHER)
    )
    if not known:
        raise WaitAndRetry("feeds", "no sport key is polled yet")
    keys = [key for key in known if any(key.startswith(each) for each in wanted)]
    if not keys and wanted:
        alike = get_close_matches(wanted[0], known, n=5, cutoff=0.4) or known[:5]
        expected = f"a sport key or its beginning, such as {', '.join(alike)}"
        raise InvalidInput("sport", tidy(" ".join(wanted), 60), expected)
    if not wanted or len(keys) > _MOST_KEYS:
        return _which_sport(keys or known)
    budget = visit.office.ask("budget", GetBudget(), BudgetDescribed)
    cost = visit.premises.recheck_credits * len(keys)
    return confirm(
        visit,
        bold(f"Poll {', '.join(keys)} now"),
        f"\nThis spends up to {_credits_of(cost)}: {budget.remaining:,} are left"
        f" ({budget.reserve:,} in reserve).",
        command=f"/recheck {' '.join(keys)}",
        label=f"Spend {_credits_of(cost)}",
    )


def _credits_of(count: int) -> str:
    return f"{count} credit" if count == 1 else f"{count} credits"


def _which_sport(keys: list[str]) -> DeskReply:
    heads = dict.fromkeys(key.partition("_")[0] for key in keys)
    offered = keys if len(keys) <= 2 * _ROWS else list(heads)
    buttons = in_rows(button(key, f"/recheck {quoted(key)}") for key in offered[: 2 * _ROWS])
    return DeskReply(answers=(say("Which sport? Nothing is spent yet.", buttons=buttons),))


def _rechecked(visit: DeskContext, keys: tuple[str, ...]) -> DeskReply:
    lines: list[TextPart] = []
    for key in keys[:_MOST_KEYS]:
        question = FetchNow(reason=f"asked for by {visit.user}")
        try:
            told = visit.office.ask(f"{_FETCHER}{key}", question, FetchAnswered, _FETCH_S)
        except KosError as error:
            lines.append(f"\n⚠ {key}: {tidy(str(error), 200)}")
        else:
            mark = "✓" if told.is_done else "⚠"
            lines.append(f"\n{mark} {key}: {tidy(told.detail, 200)}")
    return DeskReply(answers=(say(bold("Polled"), *lines, f"\n\n{_credits(visit)}"),))


COMMANDS = (
    Command(
        name="status",
        run=_status,
        summary="How KOS is: actors, ages, credits, restarts",
        subject=CommandGroup.OPERATIONS,
        seats=STAFF,
    ),
    Command(
        name="pause",
        run=_pause,
        summary="Spend no credits and announce nothing for now",
        subject=CommandGroup.OPERATIONS,
        seats=ADMINS,
        arguments="[2h] [reason]",
        details="It holds over a restart, until /resume or for the time given.",
        examples=("/pause", "/pause 8h night"),
        is_turn=True,
    ),
    Command(
        name="resume",
        run=_resume,
        summary="End the pause",
        subject=CommandGroup.OPERATIONS,
        seats=ADMINS,
        is_turn=True,
    ),
    Command(
        name="recheck",
        run=_recheck,
        summary="Poll a sport now; says first what it costs",
        subject=CommandGroup.OPERATIONS,
        seats=ADMINS,
        arguments="SPORT",
        examples=("/recheck soccer_epl",),
        is_turn=True,
        is_slow=True,
        is_once=True,
    ),
)
