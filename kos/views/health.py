"""The daemon's status, as rows; no layout."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.domain.market.sports import sport_title
from kos.messages import FETCHER, BudgetDescribed
from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.service.health import state_words
from kos.service.heartbeat import Heartbeat
from kos.views.opportunities import duration


class ActorRow(msgspec.Struct, frozen=True):
    """One actor in words."""

    node: str
    name: str
    state: str
    restarts: int
    mailbox: int
    handled: int
    lost: int
    """Messages never handled."""
    remark: str
    """Its problem or last error; empty when all is well."""


class HealthView(msgspec.Struct, frozen=True):
    """The system at a glance, and row by row."""

    summary: str
    nodes: tuple[NodeDescribed, ...]
    actors: tuple[ActorRow, ...]
    """Every actor except healthy fetchers."""
    fetchers: int
    fetchers_with_prices: int
    problems: tuple[str, ...]


def health_view(system: SystemDescribed) -> HealthView:
    """The view of a described system; fetchers appear as rows only when something is wrong."""
    rows: list[ActorRow] = []
    problems: list[str] = []
    fetchers = with_prices = 0
    for node in system.nodes:
        if node.state != "running":
            problems.append(
                f"node {node.name} is {state_words(node.state)}: {node.last_error}".rstrip(": ")
            )
        for actor in node.actors:
            row = actor_row(node.name, actor)
            is_fetcher = actor.name.startswith(FETCHER)
            fetchers += is_fetcher
            with_prices += is_fetcher and bool(actor.pulse.get("fetched_at"))
            if row.remark and row.state != "running":
                problems.append(f"{row.name} is {state_words(row.state)}: {row.remark}")
            elif problem := actor.pulse.get("problem"):
                problems.append(f"{row.name}: {problem}")
            if not is_fetcher or row.remark or row.restarts or row.state != "running":
                rows.append(row)
    running = sum(node.state == "running" for node in system.nodes)
    summary = (
        f"{running} of {len(system.nodes)} nodes running, {with_prices} of {fetchers} competitions"
        f" with prices, {counted_restarts(restart_count(system))}, up {duration(system.uptime_s)}"
    )
    return HealthView(
        summary=summary,
        nodes=system.nodes,
        actors=tuple(rows),
        fetchers=fetchers,
        fetchers_with_prices=with_prices,
        problems=tuple(problems),
    )


def restart_count(system: SystemDescribed) -> int:
    """The restarts of all nodes and actors."""
    return sum(node.restarts + sum(a.restarts for a in node.actors) for node in system.nodes)


def counted_restarts(count: int) -> str:
    """``0 restarts``, ``1 restart``."""
    return f"{count} restart" if count == 1 else f"{count} restarts"


def page_address(system: SystemDescribed) -> str:
    """The address of the web page; empty while it is not open."""
    actors = (actor for node in system.nodes for actor in node.actors)
    pulse = next((actor.pulse for actor in actors if actor.name == "dashboard"), {})
    return str(pulse.get("address", ""))


def credits_sentence(budget: BudgetDescribed, unit: str = " credits") -> str:
    """The credits left, in a sentence; ``unit`` is empty where a label says what they are."""
    lasts = (
        f"at today's rate they will run out on {_day(budget.lasts_until)}"
        if budget.lasts_until
        else "enough at today's rate"
    )
    return (
        f"{budget.remaining:,} of {budget.allowance:,}{unit} left ({budget.reserve:,} in reserve),"
        f" reset on {_day(budget.resets_at)}; {lasts}"
        f"{'; polling is paused' if budget.is_paused else ''}"
    )


def heartbeat_sentences(beat: Heartbeat) -> tuple[str, ...]:
    """The rest of a heartbeat: prices, credits, exchange, database and queues."""
    sentences = (
        _prices_sentence(beat),
        credits_sentence(beat.credits) if beat.credits else "Credits: not yet known",
        _exchange_sentence(beat),
        _database_sentence(beat),
        _queues_sentence(beat),
        f"Metrics: {beat.metrics_address}" if beat.metrics_address else "",
    )
    return tuple(filter(None, sentences))


def _prices_sentence(beat: Heartbeat) -> str:
    aged = [(sport.age_s, sport.sport_key) for sport in beat.sports if sport.age_s is not None]
    if not aged:
        return "Prices: none yet"
    youngest, oldest = min(aged), max(aged)
    failing = sum(bool(sport.problem) for sport in beat.sports)
    return (
        f"Prices: {len(aged)} of {len(beat.sports)} competitions, {duration(youngest[0])} to"
        f" {duration(oldest[0])} old (oldest: {sport_title(oldest[1])})"
        + (f", {failing} failing" if failing else "")
    )


def _exchange_sentence(beat: Heartbeat) -> str:
    exchange = beat.exchange
    if exchange is None:
        return ""
    session = "logged in" if exchange.has_session else "no session"
    return (
        f"Exchange: {session}, {exchange.markets:,} markets,"
        f" {exchange.prices_fresh:,} of {exchange.prices_wanted:,} prices up to date"
    )


def _database_sentence(beat: Heartbeat) -> str:
    database = beat.database
    if database is None:
        return ""
    last = ""
    if database.last_commit_at:
        ago_s = (beat.written_at - database.last_commit_at).total_seconds()
        last = f", last saved {duration(ago_s)} earlier"
    failed = f", failed to save {database.failed_commits} times" if database.failed_commits else ""
    return (
        f"Database: {database.size_bytes / 1e6:.1f} MB (plus {database.wal_bytes / 1e6:.1f} MB log),"
        f" entry {database.sequence:,}{last}{failed}"
    )


def _queues_sentence(beat: Heartbeat) -> str:
    if not beat.queues:
        return ""
    return "Waiting: " + ", ".join(
        f"{name.replace('.', ' ')} {count:,}" for name, count in beat.queues.items()
    )


def actor_row(node: str, actor: ActorDescribed) -> ActorRow:
    """An actor in words."""
    remark = str(actor.pulse.get("problem", "")) or (
        actor.last_error if actor.restarts or actor.state != "running" else ""
    )
    return ActorRow(
        node=node,
        name=actor.name,
        state=actor.state,
        restarts=actor.restarts,
        mailbox=actor.mailbox,
        handled=actor.handled,
        lost=sum(actor.dead_letters.values()),
        remark=remark,
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
