"""Your alerts, quiet hours and muting."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from kos.desk.arguments import Arguments, one_of, tidy
from kos.desk.command import ADMINS, Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.filters import FILTER_HELP, KINDS, question_of
from kos.desk.formatting import TextPart, bold, button, in_rows, italic, say
from kos.desk.signals import names_seen
from kos.domain.books.calendar import read_clock, read_duration, uk_time
from kos.domain.money import MOST_POUNDS, number_in, read_count, read_pounds
from kos.domain.people.alerts import (
    MAX_RULES,
    PREFERENCES,
    RULES,
    AlertRule,
    Measure,
    Preferences,
    check_preferences,
    check_rule,
)
from kos.domain.people.conversation import TELEGRAM, Kept, Seat
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import LEDGER, GetKept, KeptListed
from kos.views.alerts import rule_title
from kos.views.opportunities import KIND_NAMES, pounds

_OFF = "off"
_HELD = "digest"
_MEASURES = tuple(measure.value for measure in Measure)
_WATCHED = tuple(kind for kind in KINDS if kind != "dutch")
"""The kinds that alerts can look for."""
_USUAL = {
    "refund": (Measure.PROFIT, Decimal(5)),
    "qualifier": (Measure.RATING, Decimal(98)),
    "arbs": (Measure.RATING, Decimal(100)),
}
_USUAL_OF_A_FREE_BET = (Measure.RETENTION, Decimal(80))


def _alerts(visit: DeskContext) -> DeskReply:
    """The person's alerts and quiet hours."""
    rules = _rules(visit)
    removers = in_rows((button(f"Remove {n}", f"/unalert {n}") for n in rules), 3)
    return reply_of(*_summary(visit, rules), buttons=removers, is_edit=visit.is_edit)


def _alert(visit: DeskContext) -> DeskReply:
    """Add an alert."""
    _refuse_elsewhere(visit)
    kind = one_of("kind", visit.words.first(), _WATCHED)
    rules = _rules(visit)
    if len(rules) >= MAX_RULES:
        raise CommandNotAllowed(f"You already have {MAX_RULES} alerts. Remove one with /unalert.")
    rule = _rule(visit, kind, min(set(range(1, MAX_RULES + 1)) - set(rules)))
    check_rule(rule)
    if rule in (msgspec.structs.replace(own, rule_id=rule.rule_id) for own in rules.values()):
        raise CommandNotAllowed("You already have this alert.")
    how = ", in the next digest" if rule.is_digest else ""
    text = (
        f"Alert {rule.rule_id}: {_title(rule)}. "
        f"You will get one message for each opportunity that qualifies{how}."
    )
    return _changed(visit, visit.keep(f"{RULES}{rule.rule_id}", rule), text)


def _rule(visit: DeskContext, kind: str, rule_id: int) -> AlertRule:
    words = visit.words.rest()
    is_digest = _HELD in words.plain
    plain = tuple(word for word in words.plain if word != _HELD)
    named = {name: value for name, value in words.named.items() if name not in _MEASURES}
    measures = [choice for choice in Measure if words.get(choice.value)]
    if len(measures) > 1:
        raise InvalidInput("measure", " and ".join(measures), f"one of {', '.join(_MEASURES)}")
    measure, threshold = _USUAL.get(kind, _USUAL_OF_A_FREE_BET)
    if measures:
        measure = measures[0]
        threshold = _threshold(measure, words.get(measure.value))
    question = question_of(
        kind, Arguments(plain, named), names_seen(visit.asker, visit.memory, visit.now)
    )
    return AlertRule(
        rule_id=rule_id,
        query=question.query,
        measure=measure,
        threshold=threshold,
        is_digest=is_digest,
    )


def _unalert(visit: DeskContext) -> DeskReply:
    """Remove one alert, or all."""
    rules = _rules(visit)
    which = visit.words.first()
    gone = tuple(rules) if which == "all" else (read_count("alert", which, most=MAX_RULES),)
    if not rules:
        raise CommandNotAllowed("You have no alerts to remove.")
    if not set(gone) <= set(rules):
        raise InvalidInput("alert", which, f"one of your alerts: {', '.join(map(str, rules))}")
    forgotten = tuple(Kept(owner=visit.user, name=f"{RULES}{number}", value="") for number in gone)
    text = f"{'Alerts' if len(gone) != 1 else 'Alert'} {', '.join(map(str, gone))} removed."
    return DeskReply(answers=(say(text, is_edit=visit.is_edit),), kept=forgotten, is_turn=True)


def _quiet(visit: DeskContext) -> DeskReply:
    """Set quiet hours."""
    text = visit.words.first()
    start, dash, end = text.partition("-")
    if text == _OFF:
        start, end, word = "", "", "Quiet hours are off."
    elif not dash:
        raise InvalidInput("hours", text, "hours such as 22:30-07:00, or off")
    else:
        start, end = (f"{read_clock('hours', clock):%H:%M}" for clock in (start, end))
        word = (
            f"Quiet from {start} to {end}, UK time. Alerts still valid then are sent "
            "afterwards. Unhedged bets close to the start are always sent."
        )
    changed = msgspec.structs.replace(_preferences(visit), quiet_from=start, quiet_until=end)
    return _with_preferences(visit, changed, word)


def _mute(visit: DeskContext) -> DeskReply:
    """Mute alerts for a while."""
    text = visit.words.first() or "1h"
    until, word = None, "Alerts are back on."
    if text != _OFF:
        until = visit.now + read_duration("time", text)
        word = (
            f"Alerts are muted until {uk_time(until)}, UK time. Unhedged bets close to the start are "
            "still sent. Send /mute off to unmute."
        )
    changed = msgspec.structs.replace(_preferences(visit), muted_until=until)
    return _with_preferences(visit, changed, word)


def _digest(visit: DeskContext) -> DeskReply:
    """How often held alerts are sent."""
    minutes = read_count("minutes", visit.words.first(), most=24 * 60)
    changed = msgspec.structs.replace(_preferences(visit), digest_minutes=minutes)
    return _with_preferences(
        visit, changed, f"Digest every {minutes} minutes, if there is anything to send."
    )


def _system_alerts(visit: DeskContext) -> DeskReply:
    """Turn KOS system alerts on or off."""
    wanted = one_of("system alerts", visit.words.first(), ("on", _OFF)) == "on"
    changed = msgspec.structs.replace(_preferences(visit), wants_system=wanted)
    word = "System alerts on." if wanted else ("System alerts off. /status still shows problems.")
    return _with_preferences(visit, changed, word)


# --- storage -----------------------------------------------------------------------------------


def _rules(visit: DeskContext) -> dict[int, AlertRule]:
    kept = visit.asker.ask(LEDGER, GetKept(owner=visit.user, prefix=RULES), KeptListed).kept
    rules = (msgspec.json.decode(entry.value, type=AlertRule) for entry in kept)
    return {rule.rule_id: rule for rule in sorted(rules, key=lambda rule: rule.rule_id)}


def _preferences(visit: DeskContext) -> Preferences:
    value = visit.kept_value(PREFERENCES)
    return msgspec.json.decode(value, type=Preferences) if value else Preferences()


def _with_preferences(visit: DeskContext, changed: Preferences, word: str) -> DeskReply:
    check_preferences(changed)
    return _changed(visit, visit.keep(PREFERENCES, changed), word)


def _changed(visit: DeskContext, kept: Kept, word: str) -> DeskReply:
    _refuse_elsewhere(visit)
    return DeskReply(
        answers=(say(word, buttons=((button("All my alerts", "/alerts"),),)),),
        kept=(kept,),
        is_turn=True,
    )


def _refuse_elsewhere(visit: DeskContext) -> None:
    if not visit.user.startswith(TELEGRAM):
        raise CommandNotAllowed("Alerts are sent on Telegram. Send this command to the bot there.")


# --- in words ---------------------------------------------------------------------------------------


def _summary(visit: DeskContext, rules: dict[int, AlertRule]) -> tuple[TextPart, ...]:
    preferences = _preferences(visit)
    parts: list[TextPart] = [bold("Your alerts"), "\n"]
    for rule in rules.values():
        digest = " (digest)" if rule.is_digest else ""
        parts += [bold(f"\n{rule.rule_id} "), f"{_title(rule)}{digest}"]
    if not rules:
        parts += ["\nYou have no alerts. Example: ", italic("/alert qualifier coral rating=98")]
    hours = (
        f"{preferences.quiet_from} to {preferences.quiet_until}"
        if preferences.quiet_from
        else "off"
    )
    parts.append(f"\n\nQuiet hours: {hours}. Digest: every {preferences.digest_minutes} min.")
    if preferences.muted_until is not None and preferences.muted_until > visit.now:
        parts.append(f" Muted until {uk_time(preferences.muted_until)}.")
    if visit.person.seat is Seat.ADMIN:
        parts.append(f" System alerts: {'on' if preferences.wants_system else 'off'}.")
    return tuple(parts)


def _title(rule: AlertRule) -> str:
    query = rule.query
    title = rule_title(KIND_NAMES[query.kind], rule.measure, rule.threshold, query.bookmaker)
    return f"{title}, {pounds(query.stake)} stake"


def _threshold(measure: Measure, text: str) -> Decimal:
    field = measure.value
    if measure is Measure.PROFIT:
        return read_pounds(field, text, least=-MOST_POUNDS)
    allowed = {
        Measure.SCORE: "a number such as 0.3",
        Measure.RETENTION: "a percentage such as 80",
        Measure.RATING: "a percentage such as 98.5",
    }[measure]
    value = number_in(text if measure is Measure.SCORE else text.removesuffix("%"))
    if value is None:
        raise InvalidInput(field, tidy(text, 40), allowed)
    return value


COMMANDS = (
    Command("alerts", _alerts, "Your alerts and quiet hours", Subject.ALERTS),
    Command(
        "alert",
        _alert,
        "Set up an alert",
        Subject.ALERTS,
        "KIND [BOOKMAKER] [filters] [rating=98 | profit=5 | retention=80 | score=0.3] [digest]",
        details=f"KIND is {', '.join(_WATCHED[:-1])} or {_WATCHED[-1]}. You get one message per "
        "opportunity, and it is updated when the opportunity goes. Add digest to receive it in "
        f"the next digest instead.\n\n{FILTER_HELP}",
        examples=("/alert qualifier coral rating=98 stake=25", "/alert snr retention=80 digest"),
        is_turn=True,
    ),
    Command(
        "unalert",
        _unalert,
        "Remove one of your alerts",
        Subject.ALERTS,
        "NUMBER | all",
        is_turn=True,
    ),
    Command("quiet", _quiet, "Set quiet hours", Subject.ALERTS, "22:30-07:00 | off", is_turn=True),
    Command("mute", _mute, "Mute alerts for a while", Subject.ALERTS, "[2h] | off", is_turn=True),
    Command(
        "digest", _digest, "How often held alerts are sent", Subject.ALERTS, "MINUTES", is_turn=True
    ),
    Command(
        "system_alerts",
        _system_alerts,
        "Turn KOS system alerts on or off",
        Subject.ALERTS,
        "on | off",
        seats=ADMINS,
        is_turn=True,
    ),
)
