"""Help, made from the table of commands."""

from __future__ import annotations

from rapidfuzz import fuzz, process

from kos.desk.arguments import tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.formatting import TextPart, bold, button, code, in_rows, say
from kos.desk.roles import role_of
from kos.domain.people.conversation import Answer

_FIRST = ("qualifier", "snr", "due", "offers", "balance", "status")


def _help(visit: DeskContext) -> DeskReply:
    wanted = visit.words.first().lstrip("/").casefold()
    own = [
        command
        for command in visit.premises.commands
        if visit.person.seat in command.seats and not command.is_hidden
    ]
    if wanted:
        return DeskReply(answers=(_about(wanted, own),))
    parts: list[TextPart] = ["Commands you can use\n"]
    for subject in Subject:
        of_it = [command for command in own if command.subject is subject]
        if of_it:
            parts += ["\n", bold(subject.value), "\n"]
            width = max(len(command.name) for command in of_it)
            parts.append(
                "".join(f"/{command.name:<{width}}  {command.summary}\n" for command in of_it)
            )
    parts.append("\nSend /help COMMAND for details.")
    return reply_of(*parts)


def _about(wanted: str, own: list[Command]) -> Answer:
    names = {command.name: command for command in own}
    command = names.get(wanted) or names.get(wanted.partition("_")[0])
    if command is None:
        near = process.extractOne(wanted, names.keys(), scorer=fuzz.ratio, score_cutoff=60.0)
        hint = f" Did you mean /help {near[0]}?" if near else " Send /help for the full list."
        return say(f"Unknown command: /{tidy(wanted, 40)}.{hint}")
    parts: list[TextPart] = [
        code(command.usage),
        f"\n{command.summary}.",
    ]
    if command.details:
        parts.append(f"\n\n{command.details}")
    if command.examples:
        parts.append("\n\nExamples:")
        for example in command.examples:
            parts += ["\n", code(example)]
    roles = sorted(f"{seat.value}s" for seat in command.seats)
    parts.append(
        f"\n\nAvailable to {', '.join(roles[:-1])}{' and ' * (len(roles) > 1)}{roles[-1]}."
    )
    return say(*parts)


def _start(visit: DeskContext) -> DeskReply:
    own = {
        command.name for command in visit.premises.commands if visit.person.seat in command.seats
    }
    buttons = in_rows(button(f"/{name}", f"/{name}") for name in _FIRST if name in own)
    simulated = " The markets are simulated: these are not real prices."
    return reply_of(
        f"Hello {visit.person.name}. You are {role_of(visit.person.seat)}."
        f"{simulated if visit.premises.is_simulated else ''}"
        " KOS finds, prices and tracks matched bets. You place them yourself. Send /help for the commands.",
        buttons=buttons,
    )


def _version(visit: DeskContext) -> DeskReply:
    return reply_of(f"KOS {visit.premises.version}")


COMMANDS = (
    Command(
        "help",
        _help,
        "List the commands, or explain one",
        Subject.HELP,
        "[COMMAND]",
        examples=("/help", "/help qualifier"),
    ),
    Command(
        "start",
        _start,
        "Say hello",
        Subject.HELP,
        "[CODE]",
        details="Add an invitation code to get access.",
    ),
    Command("version", _version, "Show the KOS version", Subject.HELP),
)
