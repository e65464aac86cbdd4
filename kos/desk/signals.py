"""Signals: the best pairs from the scorer's memory, filtered, paged, and each explained."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kos.desk.command import EVERYBODY, Command, Subject, Told, Visit
from kos.desk.filters import FILTER_HELP, LAID, MOST, Question, question_of
from kos.desk.office import Office
from kos.desk.speech import (
    MAX_DATA,
    Part,
    Rows,
    bold,
    button,
    in_rows,
    italic,
    link,
    page_of,
    say,
)
from kos.desk.words import Words, pounds_of, quoted, read, tidy
from kos.domain.conversation import Kept
from kos.domain.opportunity import BetKind, Opportunity, OpportunityQuery, Ranking
from kos.errors import InvalidInput, KosError, WaitAndRetry
from kos.messages import GetKept, GetOpportunities, KeptListed, OpportunitiesRanked
from kos.views.opportunities import (
    duration,
    opportunities_view,
    opportunity_row,
    percent,
    pounds,
    uk_time,
)

SIMULATED = "SIMULATED MARKETS: the sandbox's, not real prices"
_PAGE = 4
_ALL = 500
_KEYS_FOR = timedelta(seconds=60)
_VIEW_FOR = timedelta(hours=24)
_REMEMBERED = 10_000
_REFERENCE_PARTS = 4

_LETTERS = {"q": BetKind.QUALIFYING, "n": BetKind.FREE_BET_SNR, "r": BetKind.FREE_BET_SR}
_LETTER_OF = {kind: letter for letter, kind in _LETTERS.items()}
_FAMILY_SUMMARY = {
    "qualifier": "Qualifying bets at {}",
    "snr": "Free bets (stake not returned) at {}",
    "sr": "Free bets (stake returned) at {}",
}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def _arbs(visit: Visit) -> Told:
    """Qualifiers that lose nothing, whatever happens; by what is left of a pound."""
    bookmakers = bookmakers_known(visit.office, visit.memory)
    question = question_of("arbs", visit.words, bookmakers)
    query = msgspec.structs.replace(
        question.query, ranking=Ranking.RATING, limit=_ALL, hide_arbs=False
    )
    ranked = _ask(visit.office, query)
    found = tuple(each for each in ranked.answer.opportunities if each.tier)
    title = f"Arbs for a back stake of {pounds(query.stake)}"
    return _listed(visit, question, ranked, found[:MOST], title)


def _ranked(visit: Visit) -> Told:
    """The best pairs of a kind at a bookmaker, or at all of them against the exchange."""
    bookmakers = bookmakers_known(visit.office, visit.memory)
    if not visit.words.plain and not visit.words.get("bookmaker"):
        return _which(visit, visit.name, bookmakers)
    question = question_of(visit.name, visit.words, bookmakers)
    ranked = _ask(visit.office, question.query)
    title = opportunities_view(ranked.answer, question.query).title
    return _listed(visit, question, ranked, ranked.answer.opportunities, title)


# --- who is in the data


def bookmakers_known(office: Office, memory: dict[str, Any]) -> dict[str, str]:
    """The bookmakers in the data, key to title, as of the last minute."""
    now = office.now()
    read_at, known = memory.get("bookmakers", (None, {}))
    if read_at is not None and known and now - read_at < _KEYS_FOR:
        return dict(known)
    ranked = _ask(office, OpportunityQuery(limit=_ALL, ranking=Ranking.RATING))
    found = {each.bookmaker: each.bookmaker_title for each in ranked.answer.opportunities}
    known = dict(sorted((known | found).items()))
    memory["bookmakers"] = (now, known)
    return dict(known)


def families(
    office: Office, memory: dict[str, Any], commands: Iterable[Command]
) -> Iterator[tuple[str, str]]:
    """Names and summaries of the commands that each bookmaker in the data has."""
    try:
        known = bookmakers_known(office, memory)
    except KosError:
        known = {}
    names = [each.name for each in commands if each.is_family and each.name in _FAMILY_SUMMARY]
    for name in names:
        yield f"{name}_{LAID}", _FAMILY_SUMMARY[name].format("all bookmakers, laid on the exchange")
    for key, title in known.items():
        for name in names:
            command = f"{name}_{key}"
            if _COMMAND.fullmatch(command):
                yield command, tidy(_FAMILY_SUMMARY[name].format(title), 256)


def _ask(office: Office, query: OpportunityQuery) -> OpportunitiesRanked:
    return office.ask("scorer", GetOpportunities(query=query), OpportunitiesRanked)


# --- what is shown ---------------------------------------------------------------------------------


def _which(visit: Visit, name: str, bookmakers: dict[str, str]) -> Told:
    """Buttons for each bookmaker in the data."""
    buttons = [button("All, laid on the exchange", f"/{name}_{LAID}")]
    buttons += [
        button(title, f"/{name} {quoted(key)}")
        for key, title in bookmakers.items()
        if len(f"/{name} {quoted(key)}".encode()) <= MAX_DATA
    ]
    text = "At which bookmaker?" if bookmakers else "No prices are known yet. At which bookmaker?"
    return Told(answers=(say(text, buttons=in_rows(buttons[:60]), is_edit=visit.is_edit),))


def _listed(
    visit: Visit,
    question: Question,
    ranked: OpportunitiesRanked,
    found: tuple[Opportunity, ...],
    title: str,
) -> Told:
    view = opportunities_view(
        msgspec.structs.replace(ranked.answer, opportunities=found), question.query
    )
    blocks = [
        _block(number, each, ranked.answer.as_of) for number, each in enumerate(found, start=1)
    ]
    page = page_of(blocks, question.page, _PAGE)
    first = (page.number - 1) * _PAGE
    shown = found[first : first + _PAGE]
    _remember(visit.memory, shown)
    details = tuple(
        button(str(first + number), f"/show {reference(each)}")
        for number, each in enumerate(shown, start=1)
    )
    command, kept = _short(visit, question.command())
    buttons: Rows = ((details,) if details else ()) + page.turners(command)
    head: list[Part] = [italic(f"{SIMULATED}\n")] if ranked.is_simulated else []
    head += [bold(title), f"\n{_as_of(ranked)}"]
    body: list[Part] = ["\n\n", *page.parts()] if found else ["\n\n", *_none(view.left_out)]
    answer = say(*head, *body, f"\n\n{view.summary}", buttons=buttons, is_edit=visit.is_edit)
    return Told(answers=(answer,), kept=kept)


def _block(number: int, found: Opportunity, now: datetime) -> tuple[Part, ...]:
    """One pair in four lines."""
    row = opportunity_row(found, now)
    worth = f"retention {row.retention}" if row.retention else f"rating {row.rating}"
    also = (
        f" · rating {row.rating}"
        if row.retention
        else f" · assumed retention {percent(found.retention)}"
    )
    made = "profit" if found.profit >= 0 else "loss"
    mark = " ⚠" if row.warnings else ""
    return (
        f"{number}. ",
        bold(f"{tidy(row.event, 80)}"),
        (
            f" · {row.kickoff} (in {row.starts_in})\n"
            f"{tidy(row.selection, 60)}: back {row.back_odds} {tidy(row.bookmaker, 30)}, "
            f"lay {row.lay_odds} {tidy(row.exchange, 30)} ({row.available}){mark}\n"
            f"{made} {row.profit} · {worth}{also}\n"
            f"lay {row.lay_stake}, liability {row.liability} · "
            f"prices {row.back_age} and {row.lay_age} old"
        ),
    )


def _as_of(ranked: OpportunitiesRanked) -> str:
    at = f"as of {uk_time(ranked.answer.as_of)} UK time"
    if ranked.last_quotes_at is None:
        return f"{at}; no bookmaker prices have come in yet"
    age = (ranked.answer.as_of - ranked.last_quotes_at).total_seconds()
    return f"{at}; newest bookmaker prices {duration(age)} old"


def _none(left_out: tuple[str, ...]) -> list[Part]:
    why = "".join(f"\n{tidy(line, 100)}" for line in left_out[:8])
    return ["Nothing to show." + (f" Left out:{why}" if why else "")]


def _short(visit: Visit, command: str) -> tuple[str, tuple[Kept, ...]]:
    """A command that fits into a button; a long one is kept under a short name."""
    if len(f"{command} page=999".encode()) <= MAX_DATA:
        return command, ()
    digest = urlsafe_b64encode(hashlib.blake2b(command.encode(), digest_size=6).digest()).decode()
    kept = Kept(
        owner=visit.user,
        name=f"view:{digest}",
        value=msgspec.json.encode(command).decode(),
        expires_at=visit.now + _VIEW_FOR,
    )
    return f"/view {digest}", (kept,)


def _view(visit: Visit) -> Told:
    """A list that was asked for with more words than a button holds."""
    name = f"view:{tidy(visit.words.first(), 20)}"
    kept = visit.office.ask("ledger", GetKept(owner=visit.user, prefix=name), KeptListed).kept
    found = next((each for each in kept if each.name == name), None)
    if found is None:
        raise InvalidInput("list", visit.words.first(), "one of the last day; ask again")
    typed = read(msgspec.json.decode(found.value, type=str))
    head, _, tail = typed.name.partition("_")
    words = Words((tail, *typed.words.plain) if tail else typed.words.plain, typed.words.named)
    words = Words(words.plain, words.named | {"page": visit.words.get("page") or "1"})
    return _RUN[head](replace(visit, name=head, words=words))


# --- one pair ----------------------------------------------------------------------------------------


def reference(found: Opportunity) -> str:
    """A short name of a pair, from which it can be asked for again."""
    return ".".join(
        (
            _LETTER_OF.get(found.kind, "q"),
            f"{found.stake.normalize():f}".replace(".", "p"),
            found.bookmaker,
            _digest(found.id),
        )
    )


def _digest(pair: str) -> str:
    return hashlib.blake2b(pair.encode(), digest_size=6).hexdigest()


def _remember(memory: dict[str, Any], shown: Iterable[Opportunity]) -> None:
    """Keep in which sport key a pair stands, which narrows the question for it."""
    known: dict[str, str] = memory.setdefault("pairs", {})
    for each in shown:
        known[_digest(each.id)] = each.sport_key
    while len(known) > _REMEMBERED:
        known.pop(next(iter(known)))


def pair_of(visit: Visit, short: str) -> tuple[Opportunity, OpportunitiesRanked]:
    """The pair of a short name with the prices of now.

    Raises:
        InvalidInput: It is no such name.
        WaitAndRetry: The pair is not offered any more.
    """
    parts = short.split(".")
    if len(parts) != _REFERENCE_PARTS or parts[0] not in _LETTERS:
        raise InvalidInput("pair", tidy(short, 40), "a pair from a list of signals")
    letter, stake, bookmaker, digest = parts
    query = OpportunityQuery(
        kind=_LETTERS[letter],
        stake=pounds_of("pair", stake.replace("p", ".")),
        bookmaker=bookmaker,
        limit=_ALL,
        sport=visit.memory.get("pairs", {}).get(digest),
    )
    ranked = _ask(visit.office, query)
    for each in ranked.answer.opportunities:
        if _digest(each.id) == digest:
            return each, ranked
    raise WaitAndRetry("pair", "it is not offered any more: a price went, aged or moved too far")


def _show(visit: Visit) -> Told:
    """One pair: the bet, the lay, what each outcome brings, and every factor of the score."""
    found, ranked = pair_of(visit, visit.words.first())
    now = ranked.answer.as_of
    row = opportunity_row(found, now)
    own = reference(found)
    parts: list[Part] = [italic(f"{SIMULATED}\n")] if ranked.is_simulated else []
    parts += [
        bold(tidy(row.event, 120)),
        f"\n{tidy(row.competition, 80)} · {row.kickoff} UK time, in {row.starts_in}\n\n",
        bold(tidy(row.selection, 80)),
        (
            f"\nback {row.stake} at {row.back_odds}, {tidy(row.bookmaker, 40)}, price {row.back_age} old"
            f"\nlay {row.lay_stake} at {row.lay_odds}, {tidy(row.exchange, 40)}, price {row.lay_age} old"
            f"\navailable to lay {row.available}, liability {row.liability}"
            f"\ncommission {percent(found.commission)}\n"
            f"\nif the back wins {row.if_back_wins}, if it loses {row.if_back_loses}"
            f"\n{'profit' if found.profit >= 0 else 'loss'} {row.profit}, rating {row.rating}, "
            f"retention {percent(found.retention)}\n\n"
        ),
        bold("Why it ranks here"),
        f"\n{_why(found)}",
    ]
    for warning in row.warnings:
        parts.append(f"\n⚠ {tidy(warning, 200)}")
    if found.link:
        parts += ["\n\n", link(f"Open at {tidy(row.bookmaker, 40)}", found.link)]
    buttons = [
        button("Start an offer with it", f"/take {own}"),
        button("Prices of now", f"/show {own}"),
        button("Why this match", f"/why {own}"),
    ]
    return Told(answers=(say(*parts, buttons=in_rows(buttons), is_edit=visit.is_edit),))


def _why(found: Opportunity) -> str:
    """The score as a product, each factor by its name and what it stands for."""
    factors = found.factors
    fill = (
        "liquidity is not known, taken as 1"
        if found.lay_available is None
        else f"min(1, {pounds(found.lay_available)} / {pounds(found.lay_stake)})"
    )
    lines = [
        f"score {found.score:.6g} = value / loss / minutes * retention * fill",
        f"value £{factors.free_bet_value:.2f}: the free bet it unlocks or uses, else the stake",
        f"loss £{factors.max_loss:.2f}: the worse outcome, a penny at least",
        f"minutes {factors.minutes_to_kickoff:.0f} to kickoff",
        f"retention {factors.retention:.4f}: cash made of a pound of bonus",
        f"fill {factors.fill:.3f}: {fill}",
        f"liquidity floor £{factors.liquidity_floor:.0f}, passed",
        f"match confidence {found.match_confidence:.2f}",
    ]
    if found.tier:
        lines.append("no loss in any outcome: it stands before all that lose")
    return "\n".join(lines)


def pair_hints(found: Opportunity) -> dict[str, str]:
    """What a dialogue about an offer may take from the pair on screen."""
    event = f"{found.home} v {found.away}" if found.home and found.away else found.sport_title
    return {
        "event": tidy(event, 120),
        "event_id": tidy(found.event_id, 80),
        "selection": tidy(found.outcome, 80),
        "kickoff": found.kickoff.isoformat(),
        "sport": tidy(found.sport_key, 60),
        "market": tidy(found.market_key, 40),
        "stake": f"{found.stake:f}",
        "odds": f"{found.back_odds:f}",
        "lay_exchange": found.exchange,
        "lay_market": tidy(found.market_id or f"{found.event_id}:{found.market_key}", 80),
        "lay_stake": f"{found.lay_stake:f}",
        "lay_odds": f"{found.lay_odds:f}",
        "commission": f"{found.commission:f}",
        "liability": f"{found.liability:f}",
        "bookmaker": found.bookmaker,
    }


_RUN = {"qualifier": _ranked, "snr": _ranked, "sr": _ranked, "arbs": _arbs}

COMMANDS = (
    Command(
        name="qualifier",
        run=_ranked,
        summary="Best qualifying bets at a bookmaker",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="[BOOKMAKER] [filters]",
        details="/qualifier_coral is the same as /qualifier coral; /qualifier_laid looks at all "
        f"bookmakers against the exchange. {FILTER_HELP}",
        examples=("/qualifier_coral", "/qualifier coral soccer 2h £25", "/qualifier_laid odds=2-6"),
        is_family=True,
    ),
    Command(
        name="snr",
        run=_ranked,
        summary="Best uses of a free bet whose stake is not returned",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="[BOOKMAKER] [filters]",
        details=f"The stake is the face of the free bet. {FILTER_HELP}",
        examples=("/snr_coral stake=25", "/snr_laid min=4"),
        is_family=True,
    ),
    Command(
        name="sr",
        run=_ranked,
        summary="Best uses of a free bet whose stake is returned",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="[BOOKMAKER] [filters]",
        details=f"The stake is the face of the free bet. {FILTER_HELP}",
        examples=("/sr_coral stake=25",),
        is_family=True,
    ),
    Command(
        name="arbs",
        run=_arbs,
        summary="Pairs that lose nothing in any outcome",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="[filters]",
        details="Most arbs are wrong prices, or cost the account: look at both sites first. "
        f"{FILTER_HELP}",
        examples=("/arbs", "/arbs coral soccer"),
    ),
    Command(
        name="show",
        run=_show,
        summary="One pair in detail, with every factor of its score",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="PAIR",
        is_hidden=True,
    ),
    Command(
        name="view",
        run=_view,
        summary="A page of a long question",
        subject=Subject.SIGNALS,
        seats=EVERYBODY,
        arguments="LIST",
        is_hidden=True,
    ),
)
