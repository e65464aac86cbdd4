"""Uncertain names: the matcher's evidence, and a person's decision."""

from __future__ import annotations

import secrets
from datetime import timedelta

from kos.desk.arguments import Arguments, one_of, tidy
from kos.desk.command import STAFF, Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.formatting import TextPart, bold, button, in_rows, say
from kos.desk.signals import is_reference, pair_of
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.market.quotes import EventMatch, Verdict
from kos.domain.matching.aliases import AliasVerdict, NamePair
from kos.domain.people.conversation import Action, Button
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    LEDGER,
    AliasesListed,
    CommandRecorded,
    GetAliases,
    GetMatch,
    GetUnmatched,
    MatchDescribed,
    RecordAlias,
    UnmatchedDescribed,
)

_BUTTONS_FOR = timedelta(hours=2)
_MAX_NAME = 120
_MAX_EVIDENCE = 400


def _alias(visit: DeskContext) -> DeskReply:
    """Uncertain names, one at a time, with buttons to confirm or reject."""
    visit.words.refuse_others("page")
    sport = visit.words.first().casefold() or None
    listed = visit.asker.ask("reconciler", GetUnmatched(sport=sport), UnmatchedDescribed)
    doubts = _doubts(visit, listed)
    if not doubts:
        alone = sum(match.verdict is not Verdict.DOUBT for match in listed.matches)
        text = (
            f"No names to check. {alone:,} {'event has' if alone == 1 else 'events have'} no match on "
            "the exchange."
        )
        return reply_of(text, is_edit=visit.is_edit)
    number = min(visit.page, len(doubts))
    match, pairs = doubts[number - 1]
    name = tidy(listed.names.get(match.event_id, match.event_id), _MAX_NAME)
    parts: list[TextPart] = [
        f"Uncertain match {number} of {len(doubts)}\n",
        bold(name),
        f"\n{tidy(match.sport_key, 60)}, {match.confidence:.0%} confidence",
        *_because(match),
    ]
    rows: list[tuple[Button, ...]] = []
    actions: list[Action] = []
    for pair in pairs:
        parts.append(
            f"\n\nIs “{tidy(pair.feed_name, _MAX_NAME)}” the same as"
            f" “{tidy(pair.exchange_name, _MAX_NAME)}” on the exchange?"
        )
        made = [
            _settling(visit, pair, verdict, match)
            for verdict in (AliasVerdict.CONFIRMED, AliasVerdict.REJECTED)
        ]
        actions += made
        label = tidy(pair.feed_name, 24)
        rows.append(
            (
                button(f"✓ {label}: same", made[0].action_id),
                button(f"✗ {label}: different", made[1].action_id),
            )
        )
    typed = f"/alias {Arguments(visit.words.plain[:1]).text()}".rstrip()
    turns = (("Previous", number - 1), ("Next", number + 1))
    rows += in_rows(
        button(label, f"{typed} page={page}") for label, page in turns if 1 <= page <= len(doubts)
    )
    return DeskReply(
        answers=(say(*parts, buttons=tuple(rows), is_edit=visit.is_edit),),
        actions=tuple(actions),
    )


def _doubts(
    visit: DeskContext, listed: UnmatchedDescribed
) -> list[tuple[EventMatch, list[NamePair]]]:
    """Events in doubt, surest first, each with the pairs of names that no one has settled."""
    aliases = visit.asker.ask(LEDGER, GetAliases(), AliasesListed).aliases
    settled = {
        (fact.sport, fact.feed_name, fact.exchange_name)
        for fact in aliases
        if fact.verdict is not AliasVerdict.WITHDRAWN
    }
    doubts = []
    for match in listed.matches:
        pairs = [
            pair
            for pair in listed.pairs.get(match.event_id, ())
            if pair.score < 1 and (pair.sport, pair.feed_name, pair.exchange_name) not in settled
        ]
        if match.verdict is Verdict.DOUBT and pairs:
            doubts.append((match, pairs))
    return sorted(doubts, key=lambda doubt: (-doubt[0].confidence, doubt[0].event_id))


def _because(match: EventMatch) -> list[TextPart]:
    return [f"\n- {tidy(reason, 250)}" for reason in match.reasons[:8]]


def _settling(
    visit: DeskContext, pair: NamePair, verdict: AliasVerdict, match: EventMatch | None = None
) -> Action:
    evidence = "; ".join(match.reasons) if match else "undone at the desk"
    words = Arguments(
        (verdict.value,),
        {
            "sport": pair.sport,
            "feed": pair.feed_name,
            "exchange": pair.exchange_name,
            "evidence": tidy(evidence, _MAX_EVIDENCE),
        },
    )
    return Action(
        action_id=secrets.token_urlsafe(12),
        user=visit.user,
        command=f"/settle {words.text()}",
        expires_at=visit.now + _BUTTONS_FOR,
    )


def _settle(visit: DeskContext) -> DeskReply:
    """Record a person's decision about two names, from its button."""
    if visit.action is None:
        raise CommandNotAllowed("Use the buttons of /alias to confirm or reject names.")
    words = visit.words
    verdict = AliasVerdict(
        one_of("verdict", words.first(), [verdict.value for verdict in AliasVerdict])
    )
    pair = NamePair(words.get("sport"), words.get("feed"), words.get("exchange"), 0.0, "")
    visit.asker.do(
        RecordAlias(
            command_id=visit.fact_id(),
            by=visit.user,
            occurred_at=visit.now,
            sport=pair.sport,
            feed_name=pair.feed_name,
            exchange_name=pair.exchange_name,
            verdict=verdict,
            evidence=words.get("evidence"),
        ),
        CommandRecorded,
    )
    feed, exchange = tidy(pair.feed_name, _MAX_NAME), tidy(pair.exchange_name, _MAX_NAME)
    headline = {
        AliasVerdict.CONFIRMED: f"✓ {feed} is the same as {exchange}",
        AliasVerdict.REJECTED: f"✗ {feed} is not {exchange}",
        AliasVerdict.WITHDRAWN: f"Undone: {feed} and {exchange} can be decided again",
    }[verdict]
    buttons: list[Button] = [button("Next", "/alias")]
    actions: tuple[Action, ...] = ()
    if verdict is not AliasVerdict.WITHDRAWN:
        actions = (_settling(visit, pair, AliasVerdict.WITHDRAWN),)
        buttons.append(button("Undo", actions[0].action_id))
    return DeskReply(
        answers=(
            say(
                bold(headline),
                f" ({tidy(pair.sport, 40)}). It takes effect within 15 seconds.",
                buttons=(tuple(buttons),),
                is_edit=bool(visit.said.message_id),
            ),
        ),
        actions=actions,
        notice="recorded",
    )


def _why(visit: DeskContext) -> DeskReply:
    """Why an event was or was not matched to an exchange market."""
    visit.words.refuse_others()
    wanted = " ".join(visit.words.plain)
    if not wanted:
        raise InvalidInput("event", "", "part of its name, e.g. /why Leeds v York")
    question = GetMatch(text=tidy(wanted, _MAX_NAME))
    if is_reference(wanted):
        pair = pair_of(visit, wanted)
        if pair.exchange != OWN_EXCHANGE:
            text = (
                f"Both prices for {tidy(pair.home, 60)} v {tidy(pair.away, 60)} come from the"
                " same feed under the same name, so no names were matched."
            )
            return reply_of(text)
        question = GetMatch(event_id=pair.event_id)
    answer = visit.asker.ask("reconciler", question, MatchDescribed)
    if answer.match is None:
        raise CommandNotAllowed("No event found. Try other words from its name.")
    match = answer.match
    parts: list[TextPart] = [
        bold(tidy(answer.name, _MAX_NAME)),
        f"\n{tidy(match.sport_key, 60)}: {match.verdict.value}, {match.confidence:.0%} confidence",
    ]
    if answer.exchange_name:
        parts.append(f"\nExchange: {tidy(answer.exchange_name, _MAX_NAME)}")
    if match.is_swapped:
        parts.append("\nThe exchange lists the teams in the other order.")
    parts += _because(match)
    for outcome in match.outcomes[:6]:
        parts.append(f"\n{tidy(outcome.outcome, 60)} is {tidy(outcome.runner, 60)} on the exchange")
    return reply_of(*parts)


COMMANDS = (
    Command(
        "alias",
        _alias,
        "Review uncertain team and player names",
        Subject.OPERATIONS,
        "[SPORT]",
        seats=STAFF,
    ),
    Command(
        "why",
        _why,
        "Why an event was or was not matched",
        Subject.SIGNALS,
        "EVENT",
        examples=("/why Leeds v York",),
    ),
    Command(
        "settle",
        _settle,
        "Confirm or reject a pair of names",
        Subject.OPERATIONS,
        seats=STAFF,
        is_turn=True,
        is_hidden=True,
    ),
)
