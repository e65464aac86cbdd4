"""Problems of KOS itself, in sentences that say what to do; none when all is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from kos.domain.books.calendar import uk_time
from kos.domain.books.lines import ReminderLine
from kos.domain.market.places import place_name
from kos.domain.offers.due import ReminderKind
from kos.domain.people.incidents import Incident, Restarts
from kos.messages import LEDGER, BudgetDescribed
from kos.runtime import SystemDescribed
from kos.views.opportunities import from_now, uk_clock

NEAR_KICKOFF = timedelta(hours=1)
_LOW_SHARE = 10
"""Less than a tenth of the month's credits is little."""
_BLINK = timedelta(seconds=20)
_LASTING = timedelta(minutes=2)


def restarts_of(system: SystemDescribed) -> dict[str, Restarts]:
    """How often each node and actor has been restarted, by the name that people read."""
    return {
        name: Restarts(count, error)
        for node in system.nodes
        for name, count, error in (
            (f"process {node.name}", node.restarts, node.last_error),
            *((actor.name, actor.restarts, actor.last_error) for actor in node.actors),
        )
    }


def system_troubles(
    system: SystemDescribed, budget: BudgetDescribed | None, now: datetime
) -> dict[str, Incident]:
    """Present problems, by a key that lasts as long as the problem."""
    troubles = dict(_actors(system))
    if budget is not None:
        troubles |= dict(_credits(budget, now))
    return troubles


def restart_troubles(restarted: Mapping[str, str]) -> dict[str, Incident]:
    """Recent restarts, each by name with its reason: reported immediately."""
    return {
        f"restart/{name}": Incident(text=f"{name} failed and was restarted: {reason}")
        for name, reason in restarted.items()
    }


def due_troubles(
    reminders: tuple[ReminderLine, ...], now: datetime, *, with_names: bool
) -> dict[str, Incident]:
    """Bets that are not hedged shortly before the start: money at risk.

    Args:
        reminders: Of the person's scope.
        now: The time.
        with_names: Name the participant, for those who see several.
    """
    return {
        f"unhedged/{reminder.participant}/{reminder.instance}/{reminder.what}": Incident(
            text=(
                f"{reminder.participant + ': ' if with_names else ''}{_at_place(reminder)}. It starts at "
                f"{uk_clock(reminder.due_at)} (UK time). Lay it now, or record the lay: "
                f"/offer {reminder.instance}"
            )
        )
        for reminder in reminders
        if reminder.kind == ReminderKind.UNHEDGED
        and timedelta(0) < reminder.due_at - now <= NEAR_KICKOFF
    }


def _at_place(reminder: ReminderLine) -> str:
    """``bet q1 at Coral is not hedged``."""
    bet, verb, state = reminder.what.partition(" is ")
    return f"{bet} at {place_name(reminder.bookmaker)}{verb}{state}"


def _actors(system: SystemDescribed) -> Iterator[tuple[str, Incident]]:
    for node in system.nodes:
        if node.state not in ("running", "stopping", "stopped"):
            text = f"process {node.name} is {node.state}: {node.last_error}".rstrip(": ")
            yield f"node/{node.name}", Incident(text=text, patience=_BLINK)
            continue
        for actor in node.actors:
            if actor.state == "parked":
                text = f"{actor.name} has failed repeatedly and is on hold: {actor.last_error}"
                text = f"{text.rstrip(': ')}. KOS will try it again"
                yield f"parked/{actor.name}", Incident(text=text)
            elif (problem := str(actor.pulse.get("problem", ""))) and actor.name != "bot":
                text = f"{actor.name}: {problem}"
                yield f"problem/{actor.name}", Incident(text=text, patience=_LASTING)
            if (failed := actor.pulse.get("failed_commits")) and actor.name == LEDGER:
                text = (
                    f"The ledger has failed to save {_times(failed)} since it started. "
                    "Check the disk (kos doctor), then the log"
                )
                yield "commits", Incident(text=text)


def _credits(budget: BudgetDescribed, now: datetime) -> Iterator[tuple[str, Incident]]:
    until = from_now(budget.resets_at, now)
    if budget.remaining <= 0:
        text = (
            f"No credits left. Prices will go stale until the reset {until}. "
            "Use a larger plan or poll fewer sports"
        )
        yield "credits/none", Incident(text=text)
    elif budget.remaining * _LOW_SHARE < budget.allowance and budget.lasts_until is not None:
        text = (
            f"{budget.remaining:,} of {budget.allowance:,} credits left. At today's rate they will "
            f"run out on {uk_time(budget.lasts_until)}; they reset {until}"
        )
        yield "credits/low", Incident(text=text)


def _times(count: object) -> str:
    return "once" if count == 1 else f"{count} times"
