"""What a person wants to hear of without asking, and when they want to be left alone."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from kos.desk.arguments import Arguments, count_of, one_of, span_of, tidy
from kos.desk.command import EVERYBODY, Command, CommandGroup, DeskContext, DeskReply
from kos.desk.filters import FILTER_HELP, KINDS, question_of
from kos.desk.formatting import Rows, TextPart, bold, button, in_rows, italic, say
from kos.desk.signals import bookmakers_known
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
from kos.domain.people.conversation import Kept, Seat
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import GetKept, KeptListed
from kos.views.alerts import rule_title
from kos.views.opportunities import KIND_NAMES, uk_time

_OFF = "off"
_HELD = "digest"
_MEASURES = tuple(each.value for each in Measure)
_WATCHED = tuple(kind for kind in KINDS if kind != "dutch")
"""What the alerts look for: pairs of a back and a lay."""
_USUAL = {
    "refund": (Measure.PROFIT, Decimal(5)),
    "qualifier": (Measure.RATING, Decimal(98)),
    "arbs": (Measure.RATING, Decimal(100)),
}
_USUAL_OF_A_FREE_BET = (Measure.RETENTION, Decimal(80))


def _alerts(visit: DeskContext) -> DeskReply:
    """The person's rules and hours."""
    return DeskReply(
        answers=(say(*_summary(visit), buttons=_removers(visit), is_edit=visit.is_edit),)
    )


def _alert(visit: DeskContext) -> DeskReply:
    """A rule more."""
    _refuse_elsewhere(visit)
    kind = one_of("kind", visit.words.first(), _WATCHED)
    rules = _rules(visit)
    if len(rules) >= MAX_RULES:
        raise InvalidInput("rules", len(rules) + 1, f"at most {MAX_RULES}; /unalert removes one")
    rule = _rule(visit, kind, min(set(range(1, MAX_RULES + 1)) - set(rules)))
    check_rule(rule)
    how = "in the next digest" if rule.is_digest else "as soon as it is seen"
    text = f"Rule {rule.rule_id}: {_title(rule)}. What passes it is told {how}, once."
    return _changed(visit, _kept(visit, f"{RULES}{rule.rule_id}", rule), text)


def _rule(visit: DeskContext, kind: str, rule_id: int) -> AlertRule:
    words = visit.words.rest()
    is_digest = _HELD in words.plain
    plain = tuple(word for word in words.plain if word != _HELD)
    named = {name: value for name, value in words.named.items() if name not in _MEASURES}
    given = [each for each in Measure if words.get(each.value)]
    if len(given) > 1:
        raise InvalidInput("measure", " and ".join(given), f"one of {', '.join(_MEASURES)}")
    measure, threshold = _USUAL.get(kind, _USUAL_OF_A_FREE_BET)
    if given:
        measure = given[0]
        threshold = _threshold(measure, words.get(measure.value))
    question = question_of(
        kind, Arguments(plain, named), bookmakers_known(visit.office, visit.memory)
    )
    return AlertRule(
        rule_id=rule_id,
        query=question.query,
        measure=measure,
        threshold=threshold,
        is_digest=is_digest,
    )


def _unalert(visit: DeskContext) -> DeskReply:
    """A rule less, or none left."""
    rules = _rules(visit)
    which = visit.words.first()
    if which == "all":
        gone = tuple(rules)
    else:
        gone = (count_of("rule", which, MAX_RULES),)
        if gone[0] not in rules:
            known = ", ".join(map(str, rules)) or "none: there are no rules"
            raise InvalidInput("rule", which, known)
    forgotten = tuple(Kept(owner=visit.user, name=f"{RULES}{number}", value="") for number in gone)
    text = f"{'Rules' if len(gone) != 1 else 'Rule'} {', '.join(map(str, gone))} removed."
    return DeskReply(answers=(say(text, is_edit=visit.is_edit),), kept=forgotten, is_turn=True)


def _quiet(visit: DeskContext) -> DeskReply:
    """Hours in which nothing is told."""
    text = visit.words.first()
    start, dash, end = text.partition("-")
    if text != _OFF and not dash:
        raise InvalidInput("hours", text, "hours such as 22:30-07:00, or off")
    hours = ("", "") if text == _OFF else (start.strip(), end.strip())
    changed = msgspec.structs.replace(
        _preferences(visit), quiet_from=hours[0], quiet_until=hours[1]
    )
    word = (
        "There are no quiet hours."
        if text == _OFF
        else (
            f"Quiet from {hours[0]} to {hours[1]}, UK time. What still stands then is told at the "
            "end. A bet that is not hedged near kickoff is told at any hour."
        )
    )
    return _with_preferences(visit, changed, word)


def _mute(visit: DeskContext) -> DeskReply:
    """Silence for a time."""
    text = visit.words.first() or "1h"
    until = None if text == _OFF else visit.now + span_of("time", text)
    changed = msgspec.structs.replace(_preferences(visit), muted_until=until)
    word = (
        "Alerts speak again."
        if until is None
        else (
            f"No alerts before {uk_time(until)}. A bet that is not hedged near kickoff is told all "
            "the same. /mute off ends it."
        )
    )
    return _with_preferences(visit, changed, word)


def _digest(visit: DeskContext) -> DeskReply:
    """How often what is held is told."""
    minutes = count_of("minutes", visit.words.first(), 24 * 60)
    changed = msgspec.structs.replace(_preferences(visit), digest_minutes=minutes)
    return _with_preferences(
        visit, changed, f"A digest every {minutes} minutes, when there is any."
    )


def _system_alerts(visit: DeskContext) -> DeskReply:
    """Whether KOS tells of its own troubles."""
    wanted = one_of("alerts of KOS's own troubles", visit.words.first(), ("on", _OFF)) == "on"
    changed = msgspec.structs.replace(_preferences(visit), wants_system=wanted)
    word = (
        "You are told of KOS's own troubles."
        if wanted
        else ("KOS keeps its own troubles to itself; /status shows them.")
    )
    return _with_preferences(visit, changed, word)


# --- what is kept -----------------------------------------------------------------------------------


def _rules(visit: DeskContext) -> dict[int, AlertRule]:
    kept = visit.office.ask("ledger", GetKept(owner=visit.user, prefix=RULES), KeptListed).kept
    rules = (msgspec.json.decode(each.value, type=AlertRule) for each in kept)
    return {rule.rule_id: rule for rule in sorted(rules, key=lambda rule: rule.rule_id)}


def _preferences(visit: DeskContext) -> Preferences:
    kept = visit.office.ask(
        "ledger", GetKept(owner=visit.user, prefix=PREFERENCES), KeptListed
    ).kept
    return msgspec.json.decode(kept[0].value, type=Preferences) if kept else Preferences()


def _kept(visit: DeskContext, name: str, value: AlertRule | Preferences) -> Kept:
    return Kept(owner=visit.user, name=name, value=msgspec.json.encode(value).decode())


def _with_preferences(visit: DeskContext, changed: Preferences, word: str) -> DeskReply:
    check_preferences(changed)
    return _changed(visit, _kept(visit, PREFERENCES, changed), word)


def _changed(visit: DeskContext, kept: Kept, word: str) -> DeskReply:
    _refuse_elsewhere(visit)
    return DeskReply(
        answers=(say(word, buttons=((button("all my alerts", "/alerts"),),)),),
        kept=(kept,),
        is_turn=True,
    )


def _refuse_elsewhere(visit: DeskContext) -> None:
    if not visit.user.startswith("telegram:"):
        raise CommandNotAllowed("alerts are sent on Telegram: say this to the bot there")


# --- in words ---------------------------------------------------------------------------------------


def _summary(visit: DeskContext) -> tuple[TextPart, ...]:
    rules, preferences = _rules(visit), _preferences(visit)
    parts: list[TextPart] = [bold("Your alerts"), "\n"]
    for rule in rules.values():
        digest = " (digest)" if rule.is_digest else ""
        parts += [bold(f"\n{rule.rule_id} "), f"{_title(rule)}{digest}"]
    if not rules:
        parts += ["\nNo rules. For example ", italic("/alert qualifier coral rating=98"), "."]
    hours = (
        f"{preferences.quiet_from} to {preferences.quiet_until}"
        if preferences.quiet_from
        else "none"
    )
    parts.append(f"\n\nQuiet hours: {hours}. Digest: every {preferences.digest_minutes} min.")
    if preferences.muted_until is not None and preferences.muted_until > visit.now:
        parts.append(f" Muted until {uk_time(preferences.muted_until)}.")
    if visit.person.seat is Seat.ADMIN:
        wanted = "told" if preferences.wants_system else "not told"
        parts.append(f" KOS's own troubles: {wanted}.")
    return tuple(parts)


def _removers(visit: DeskContext) -> Rows:
    return in_rows(
        (button(f"remove {number}", f"/unalert {number}") for number in _rules(visit)), 3
    )


def _title(rule: AlertRule) -> str:
    query = rule.query
    title = rule_title(KIND_NAMES[query.kind], rule.measure, rule.threshold, query.bookmaker)
    return f"{title}, stake £{query.stake}"


def _threshold(measure: Measure, text: str) -> Decimal:
    allowed = {
        Measure.SCORE: "a number such as 0.3",
        Measure.PROFIT: "pounds such as 5 or -0.50",
        Measure.RETENTION: "percent such as 80",
        Measure.RATING: "percent such as 98.5",
    }[measure]
    typed = text.strip().removesuffix("%").replace("£", "")
    if len(typed) > 16 or not typed.isascii():  # noqa: PLR2004 - no threshold needs more
        raise InvalidInput(measure.value, tidy(text, 40), allowed)
    try:
        value = Decimal(typed)
    except InvalidOperation:
        raise InvalidInput(measure.value, tidy(text, 40), allowed) from None
    if not value.is_finite():
        raise InvalidInput(measure.value, text, allowed)
    return value


COMMANDS = (
    Command(
        name="alerts",
        run=_alerts,
        summary="What KOS tells you of without being asked",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
    ),
    Command(
        name="alert",
        run=_alert,
        summary="Be told when something good is seen",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
        arguments="KIND [BOOKMAKER] [filters] [rating=98 | profit=5 | retention=80 | score=0.3] [digest]",
        details=(
            f"KIND is one of {', '.join(_WATCHED)}. Each opportunity speaks once, and its message says "
            f"when it is gone. With the word digest it waits for the next digest. {FILTER_HELP}"
        ),
        examples=("/alert qualifier coral rating=98 stake=25", "/alert snr retention=80 digest"),
        is_turn=True,
    ),
    Command(
        name="unalert",
        run=_unalert,
        summary="Remove one of your alerts",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
        arguments="NUMBER | all",
        is_turn=True,
    ),
    Command(
        name="quiet",
        run=_quiet,
        summary="Hours in which alerts wait",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
        arguments="22:30-07:00 | off",
        is_turn=True,
    ),
    Command(
        name="mute",
        run=_mute,
        summary="No alerts for a time",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
        arguments="[2h] | off",
        is_turn=True,
    ),
    Command(
        name="digest",
        run=_digest,
        summary="How often what is held is told",
        subject=CommandGroup.ALERTS,
        seats=EVERYBODY,
        arguments="MINUTES",
        is_turn=True,
    ),
    Command(
        name="system_alerts",
        run=_system_alerts,
        summary="Whether you are told of KOS's own troubles",
        subject=CommandGroup.ALERTS,
        seats=frozenset({Seat.ADMIN}),
        arguments="on | off",
        is_turn=True,
    ),
)
