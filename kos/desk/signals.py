"""Opportunities: the best from the scorer's memory, filtered, paged, and each explained."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from kos.asking import Asker
from kos.desk.arguments import Arguments, quoted, read, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.filters import FILTER_HELP, LAID, Query, Question, question_of
from kos.desk.formatting import Page, TextPart, bold, button, in_rows, italic, link, page_of, say
from kos.domain.market.places import PLACE_NAMES
from kos.domain.money import read_pounds
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    Opportunity,
    OpportunityQuery,
    SignalKeys,
)
from kos.domain.people.conversation import MAX_DATA, Button, Kept
from kos.errors import CommandNotAllowed, KosError
from kos.messages import (
    DutchesRanked,
    GetOpportunities,
    GetOpportunity,
    GetSignalKeys,
    OpportunitiesRanked,
    OpportunityDescribed,
    SignalKeysListed,
)
from kos.views.detail import opportunity_detail_view
from kos.views.dutches import DutchesView
from kos.views.opportunities import (
    OpportunitiesView,
    OpportunityRow,
    brief_percent,
    duration,
    opportunities_view,
    pounds,
    refund_words,
    uk_clock,
    without_prices,
)
from kos.views.simulated import SIMULATED

_PAGE = 4
_KEYS_FOR = timedelta(seconds=60)
_VIEW_FOR = timedelta(hours=24)

_LETTERS = {
    "q": BetKind.QUALIFYING,
    "n": BetKind.FREE_BET_SNR,
    "s": BetKind.FREE_BET_SR,
    "r": BetKind.REFUND,
}
_LETTER_OF = {kind: letter for letter, kind in _LETTERS.items()}
_REFERENCE = re.compile(
    r"([qnsr])\.(\d{1,6}(?:p\d{1,2})?)\.([0-9a-f]{16})(?:\.(\d{1,6}(?:p\d{1,2})?)(c?))?", re.ASCII
)
_FAMILY_SUMMARY = {
    "qualifier": "Qualifying bets at {}",
    "snr": "Free bets (stake not returned) at {}",
    "sr": "Free bets (stake returned) at {}",
    "refund": "Bets refunded if they lose at {}",
    "dutch": "Dutching with a leg at {}",
}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def _arbs(visit: DeskContext) -> DeskReply:
    """Arbs, by rating."""
    question = question_of("arbs", visit.words, names_seen(visit.asker, visit.memory, visit.now))
    return _listed(visit, question)


def _ranked(visit: DeskContext) -> DeskReply:
    """The best opportunities of a kind at one bookmaker, or at all of them."""
    seen = names_seen(visit.asker, visit.memory, visit.now)
    if not visit.words.plain and not visit.words.get("bookmaker"):
        return _which(visit, visit.name, titles_of(seen))
    return _listed(visit, question_of(visit.name, visit.words, seen))


# --- who is in the data


def names_seen(asker: Asker, memory: dict[str, Any], now: datetime) -> SignalKeys:
    """The names in the data, as of the last minute."""
    seen: SignalKeys | None = memory.get("seen")
    if seen is None or not seen.bookmakers or now - seen.as_of >= _KEYS_FOR:
        seen = asker.ask("scorer", GetSignalKeys(), SignalKeysListed).keys
        memory["seen"] = seen
    return seen


def titles_of(seen: SignalKeys) -> dict[str, str]:
    """The bookmakers in the data, key to name."""
    return {place.key: PLACE_NAMES.get(place.key, place.title) for place in seen.bookmakers}


def families(
    asker: Asker, memory: dict[str, Any], now: datetime, commands: Iterable[Command]
) -> Iterator[tuple[str, str]]:
    """Names and summaries of the commands that each bookmaker in the data has."""
    try:
        titles = titles_of(names_seen(asker, memory, now))
    except KosError:
        titles = {}
    names = [
        of_family.name
        for of_family in commands
        if of_family.is_family and of_family.name in _FAMILY_SUMMARY
    ]
    for name in names:
        if name != "dutch":
            yield f"{name}_{LAID}", _FAMILY_SUMMARY[name].format("all bookmakers")
    # A menu has room for a hundred: the most used come first.
    for name in names:
        for key, title in titles.items():
            command = f"{name}_{key}"
            if _COMMAND.fullmatch(command):
                yield command, tidy(_FAMILY_SUMMARY[name].format(title), 256)


# --- what is shown ---------------------------------------------------------------------------------


def _which(visit: DeskContext, name: str, bookmakers: dict[str, str]) -> DeskReply:
    """Buttons for each bookmaker in the data."""
    buttons = [button("All bookmakers", f"/{name}_{LAID}")]
    buttons += [
        button(title, f"/{name} {quoted(key)}")
        for key, title in bookmakers.items()
        if len(f"/{name} {quoted(key)}".encode()) <= MAX_DATA
    ]
    text = "Which bookmaker?" if bookmakers else "No prices yet. Which bookmaker?"
    return reply_of(text, buttons=in_rows(buttons[:60]), is_edit=visit.is_edit)


def _listed(visit: DeskContext, question: Question[OpportunityQuery]) -> DeskReply:
    query = msgspec.structs.replace(question.query, limit=reach(question, _PAGE))
    ranked = visit.asker.ask("scorer", GetOpportunities(query=query), OpportunitiesRanked)
    opportunities = ranked.answer.opportunities
    view = opportunities_view(ranked.answer, query)
    pairs = list(zip(opportunities, view.rows, strict=True))
    return ranked_list(
        visit,
        question,
        ranked,
        view,
        [_block(number, opportunity, row) for number, (opportunity, row) in enumerate(pairs, 1)],
        size=_PAGE,
        assumed=_assumed(opportunities[0]) if opportunities else "",
        details=[
            button(str(number), f"/show {reference(opportunity, question.query)}")
            for number, opportunity in enumerate(opportunities, 1)
        ],
    )


def ranked_list(
    visit: DeskContext,
    question: Question[OpportunityQuery] | Question[DutchQuery],
    ranked: OpportunitiesRanked | DutchesRanked,
    view: OpportunitiesView | DutchesView,
    blocks: Sequence[tuple[TextPart, ...]],
    *,
    size: int,
    assumed: str = "",
    details: Sequence[Button] = (),
) -> DeskReply:
    """The page asked for of what the scorer ranked, or the last one.

    Args:
        visit: The visit of the person.
        question: What was asked.
        ranked: The best, up to the end of the page.
        view: The same, as shown.
        blocks: The entries.
        size: Entries of a page.
        assumed: The valuation behind the numbers.
        details: A button for each entry.
    """
    eligible = ranked.answer.considered - sum(ranked.answer.rejected.values())
    page = page_of(blocks, question.page, size)
    turnable = max(len(blocks), min(question.query.limit, eligible))
    page = Page(page.blocks, page.number, max(page.number, -(-turnable // size)))
    shown = details[(page.number - 1) * size : page.number * size]
    command, kept = _short_command(visit, question.command())
    answer = say(
        *_head_of(view.title, ranked, assumed),
        *(page.parts() if blocks else _nothing(visit, question.query, view.left_out)),
        f"\n\n{view.summary}.",
        buttons=(*in_rows(shown, size), *page.turners(command)),
        is_edit=visit.is_edit,
    )
    return DeskReply(answers=(answer,), kept=kept)


def _assumed(opportunity: Opportunity) -> str:
    """The valuation of a free bet still to come, or of a refund; empty where there is neither."""
    if opportunity.refund is not None:
        return f"Refund {refund_words(opportunity.refund, opportunity.refund_worth)}."
    is_own = opportunity.kind is BetKind.QUALIFYING and not opportunity.tier
    return f"Free bet valued at {brief_percent(opportunity.retention)}." if is_own else ""


def reach(question: Question[Query], size: int) -> int:
    """How many of the best the page needs: the fewer, the quicker."""
    return min(question.query.limit, question.page * size)


def _head_of(
    title: str, ranked: OpportunitiesRanked | DutchesRanked, assumed: str
) -> tuple[TextPart, ...]:
    """The head of every list: whether the prices are real, the title, and the age of the prices."""
    as_of = ranked.answer.as_of
    at = f"At {uk_clock(as_of)} UK time."
    if ranked.last_quotes_at is None:
        at += " No bookmaker prices yet."
    else:
        age_s = (as_of - ranked.last_quotes_at).total_seconds()
        at += f" Latest bookmaker price: {f'{duration(age_s)} ago' if age_s >= 1 else 'just now'}."
    simulated: tuple[TextPart, ...] = (italic(f"{SIMULATED}\n"),) if ranked.is_simulated else ()
    return (*simulated, bold(title), f"\n{at} {assumed}".rstrip(), "\n\n")


def _made(profit: Decimal) -> str:
    """``Profit £0.19``, ``Loss £0.63``."""
    return f"{'Profit' if profit >= 0 else 'Loss'} {pounds(abs(profit))}"


def _block(number: int, opportunity: Opportunity, row: OpportunityRow) -> tuple[TextPart, ...]:
    """One opportunity in four lines."""
    kept = f" · retention {row.retention}" if row.retention else ""
    mark = " ⚠" if row.warnings else ""
    size = (
        "liquidity unknown" if opportunity.lay_available is None else f"{row.available} available"
    )
    return (
        f"{number}. ",
        bold(f"{tidy(row.event, 80)}"),
        (
            f" · {row.kickoff} (in {row.starts_in})\n"
            f"Back {tidy(row.selection, 60)} {row.back_odds} at {tidy(row.bookmaker, 30)}, "
            f"lay {row.lay_odds} at {tidy(row.exchange, 30)} ({size}){mark}\n"
            f"{_made(opportunity.profit)} · rating {row.rating}{kept}\n"
            f"Lay {row.lay_stake}, liability {row.liability} · "
            f"back price {row.back_age} old, lay price {row.lay_age} old"
        ),
    )


def _nothing(
    visit: DeskContext, query: BetQuery, left_out: tuple[str, ...]
) -> tuple[TextPart, ...]:
    """The text of an empty list: why everything was excluded, or which names have no prices."""
    if not left_out:
        seen = names_seen(visit.asker, visit.memory, visit.now)
        hints = without_prices(query.bookmaker, query.sport, seen)
        return (" ".join(("No opportunities match.", *(tidy(hint, 300) for hint in hints))),)
    why = ", ".join(tidy(line, 100) for line in left_out[:8])
    return (f"No opportunities match. Excluded: {why}. Try fewer filters.",)


def _short_command(visit: DeskContext, command: str) -> tuple[str, tuple[Kept, ...]]:
    """A command that fits into a button; a long one is stored under a short name."""
    if len(f"{command} page=999".encode()) <= MAX_DATA:
        return command, ()
    digest = urlsafe_b64encode(hashlib.blake2b(command.encode(), digest_size=6).digest()).decode()
    return f"/view {digest}", (visit.keep(f"view:{digest}", command, visit.now + _VIEW_FOR),)


def _view(visit: DeskContext) -> DeskReply:
    """A list whose command is too long for a button."""
    value = visit.kept_value(f"view:{tidy(visit.words.first(), 20)}")
    if not value:
        raise CommandNotAllowed("That list has expired. Run the command again.")
    typed = read(msgspec.json.decode(value, type=str))
    head, _, tail = typed.name.partition("_")
    words = Arguments((tail, *typed.words.plain) if tail else typed.words.plain, typed.words.named)
    words = Arguments(words.plain, words.named | {"page": visit.words.get("page") or "1"})
    command = next(
        (candidate for candidate in visit.premises.commands if candidate.name == head), None
    )
    if command is None or command.subject is not Subject.SIGNALS:
        raise CommandNotAllowed("That list has expired. Run the command again.")
    return command.run(replace(visit, name=head, words=words))


# --- one opportunity ----------------------------------------------------------------------------------------


def reference(opportunity: Opportunity, query: OpportunityQuery) -> str:
    """A short name for an opportunity and its query, from which both can be found again."""
    extra = query.refund_value if opportunity.kind is BetKind.REFUND else query.free_bet_value
    parts = [_LETTER_OF[opportunity.kind], _short_number(opportunity.stake), opportunity.id]
    if extra is not None or query.is_refund_cash:
        cash = "c" if query.is_refund_cash else ""
        parts.append(f"{_short_number(extra or opportunity.stake)}{cash}")
    return ".".join(parts)


def _short_number(amount: Decimal) -> str:
    return f"{amount.normalize():f}".replace(".", "p")


def is_reference(text: str) -> bool:
    """Whether a text is the short name of an opportunity."""
    return bool(_REFERENCE.fullmatch(text))


def _asked_for(short: str) -> tuple[str, OpportunityQuery]:
    """The opportunity's id and the query that a short name stands for.

    Raises:
        CommandNotAllowed: It is not such a name.
    """
    match = _REFERENCE.fullmatch(short)
    if match is None:
        raise CommandNotAllowed("That opportunity is not in a recent list. Open it from a list.")
    letter, stake, pair, extra, cash = match.groups()
    kind = _LETTERS[letter]
    worth = read_pounds("pair", extra.replace("p", ".")) if extra else None
    query = OpportunityQuery(
        kind=kind,
        stake=read_pounds("pair", stake.replace("p", ".")),
        refund_value=worth if kind is BetKind.REFUND else None,
        is_refund_cash=bool(cash) and kind is BetKind.REFUND,
        free_bet_value=worth if kind is BetKind.QUALIFYING else None,
    )
    return pair, query


def described(visit: DeskContext, short: str) -> tuple[OpportunityDescribed, OpportunityQuery]:
    """The present state of the opportunity with a short name.

    Raises:
        CommandNotAllowed: It is not such a name.
    """
    pair, query = _asked_for(short)
    question = GetOpportunity(opportunity_id=pair, query=query)
    return visit.asker.ask("scorer", question, OpportunityDescribed), query


def pair_of(visit: DeskContext, short: str) -> Opportunity:
    """The opportunity with a short name, at the latest prices.

    Raises:
        CommandNotAllowed: It is not such a name, or the opportunity is no longer available.
    """
    detail, _ = described(visit, short)
    if detail.state.opportunity is None:
        raise CommandNotAllowed(opportunity_detail_view(detail.state).gone)
    return detail.state.opportunity


def _show(visit: DeskContext) -> DeskReply:
    """One opportunity: the bets, the outcomes and the score, or why it is no longer available."""
    shown, query = described(visit, visit.words.first())
    view = opportunity_detail_view(shown.state)
    parts: list[TextPart] = [italic(f"{SIMULATED}\n")] if shown.is_simulated else []
    opportunity, row = shown.state.opportunity, view.row
    if opportunity is None or row is None:
        again = in_rows([button("Refresh", f"/show {visit.words.first()}")])
        return reply_of(*parts, view.gone, buttons=again, is_edit=visit.is_edit)
    parts += [
        bold(tidy(row.event, 120)),
        f"\n{tidy(row.competition, 80)} · {row.kickoff} UK time (in {row.starts_in})\n",
    ]
    parts += [f"\n{number}. {tidy(step, 250)}" for number, step in enumerate(view.steps, start=1)]
    size = (
        "Liquidity unknown."
        if opportunity.lay_available is None
        else f"{row.available} available to lay."
    )
    parts.append(f"\n{size} Prices: back {row.back_age} old, lay {row.lay_age} old.\n")
    parts += [f"\n{tidy(what, 100)}: {tidy(left, 100)}" for what, left in view.outcomes]
    parts += [f"\n{_made(opportunity.profit)}, rating {row.rating}\n\n", bold("How it is ranked")]
    parts += [
        f"\n{factor.name}: {factor.value} ({tidy(factor.why, 160)})" for factor in view.factors
    ]
    parts += [f"\n⚠ {tidy(warning[:1].upper() + warning[1:], 200)}." for warning in row.warnings]
    if row.link:
        parts += ["\n\n", link(f"Go to {tidy(row.bookmaker, 40)}", row.link)]
    own = reference(opportunity, query)
    buttons = [
        button("Use for an offer", f"/take {own}"),
        button("Refresh prices", f"/show {own}"),
        button("Why these were matched", f"/why {own}"),
    ]
    return reply_of(*parts, buttons=in_rows(buttons), is_edit=visit.is_edit)


def pair_hints(opportunity: Opportunity) -> dict[str, str]:
    """Suggested answers for a dialogue about an offer, from the opportunity on screen."""
    return {
        "event": tidy(opportunity.event, 120),
        "event_id": tidy(opportunity.event_id, 80),
        "selection": tidy(opportunity.outcome, 80),
        "kickoff": opportunity.kickoff.isoformat(),
        "sport": tidy(opportunity.sport_key, 60),
        "market": tidy(opportunity.market_key, 40),
        "stake": f"{opportunity.stake:f}",
        "odds": f"{opportunity.back_odds:f}",
        "lay_exchange": opportunity.exchange,
        "lay_market": tidy(
            opportunity.market_id or f"{opportunity.event_id}:{opportunity.market_key}", 80
        ),
        "lay_stake": f"{opportunity.lay_stake:f}",
        "lay_odds": f"{opportunity.lay_odds:f}",
        "commission": f"{opportunity.commission:f}",
        "liability": f"{opportunity.liability:f}",
        "bookmaker": opportunity.bookmaker,
    }


COMMANDS = (
    Command(
        "qualifier",
        _ranked,
        "Best qualifying bets",
        Subject.SIGNALS,
        "[BOOKMAKER] [filters]",
        details="/qualifier_coral is the same as /qualifier coral; /qualifier_laid searches all "
        f"bookmakers.\n\n{FILTER_HELP}",
        examples=("/qualifier_coral", "/qualifier coral soccer 2h £25", "/qualifier_laid odds=2-6"),
        is_family=True,
    ),
    *(
        Command(
            name,
            _ranked,
            f"Best ways to use a free bet ({returned})",
            Subject.SIGNALS,
            "[BOOKMAKER] [filters]",
            details=f"Set stake= to the value of your free bet.\n\n{FILTER_HELP}",
            examples=examples,
            is_family=True,
        )
        for name, returned, examples in (
            ("snr", "stake not returned", ("/snr_coral stake=25", "/snr_laid min=4")),
            ("sr", "stake returned", ("/sr_coral stake=25",)),
        )
    ),
    Command(
        "refund",
        _ranked,
        "Best bets for a refund offer (money back if it loses)",
        Subject.SIGNALS,
        "[BOOKMAKER] [back=10] [cash=yes] [filters]",
        details="back= is the refund (default: your stake). Add cash=yes if it is paid in cash rather "
        f"than as a free bet.\n\n{FILTER_HELP}",
        examples=("/refund_coral stake=20", "/refund coral stake=10 back=5 cash=yes"),
        is_family=True,
    ),
    Command(
        "arbs",
        _arbs,
        "Arbs: bets that profit on every outcome at the prices shown",
        Subject.SIGNALS,
        "[filters]",
        details="Many arbs are pricing errors, and taking arbs can get an account restricted. Check "
        f"both sites first.\n\n{FILTER_HELP}",
        examples=("/arbs", "/arbs coral soccer"),
        is_family=True,
    ),
    Command("show", _show, "One opportunity in detail", Subject.SIGNALS, "PAIR", is_hidden=True),
    Command("view", _view, "A page of a long list", Subject.SIGNALS, "LIST", is_hidden=True),
)
