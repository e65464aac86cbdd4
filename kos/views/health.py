"""How the daemon is, as rows; no layout."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kos.messages import BudgetDescribed
from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.service.heartbeat import Heartbeat


class ActorRow(msgspec.Struct, frozen=True):
    """One actor in words."""

    node: str
    name: str
    state: str
    restarts: int
    mailbox: int
    handled: int
    lost: int
    """Messages that were never handled."""
    remark: str
    """Its problem or last error; empty when all is well."""


class HealthView(msgspec.Struct, frozen=True):
    """The system at a glance, and row by row."""

    summary: str
    nodes: tuple[NodeDescribed, ...]
    actors: tuple[ActorRow, ...]
    """Every actor but the fetchers that are well."""
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
            problems.append(f"node {node.name} is {node.state}: {node.last_error}".rstrip(": "))
        for actor in node.actors:
            row = _row(node, actor)
            is_fetcher = actor.name.startswith("fetcher.")
            fetchers += is_fetcher
            with_prices += is_fetcher and bool(actor.pulse.get("fetched_at"))
            if row.remark and row.state != "running":
                problems.append(f"{row.name} is {row.state}: {row.remark}")
            elif problem := actor.pulse.get("problem"):
                problems.append(f"{row.name}: {problem}")
            if not is_fetcher or row.remark or row.restarts or row.state != "running":
                rows.append(row)
    running = sum(node.state == "running" for node in system.nodes)
    restarts = sum(node.restarts + sum(a.restarts for a in node.actors) for node in system.nodes)
    summary = (
        f"{running}/{len(system.nodes)} nodes running, {with_prices}/{fetchers} sport keys with"
        f" prices, {restarts} restarts, up {_duration(system.uptime_s)}"
    )
    return HealthView(
        summary=summary,
        nodes=system.nodes,
        actors=tuple(rows),
        fetchers=fetchers,
        fetchers_with_prices=with_prices,
        problems=tuple(problems),
    )


def page_address(system: SystemDescribed) -> str:
    """Where the web page is, as it says itself; empty while it is not open."""
    for node in system.nodes:
        for actor in node.actors:
            if actor.name == "dashboard":
                return str(actor.pulse.get("address", ""))
    return ""


def credits_sentence(budget: BudgetDescribed) -> str:
    """How the credits stand, in a sentence."""
    lasts = (
        f"at today's rate they run out on {_day(budget.lasts_until)}"
        if budget.lasts_until
        else "at today's rate they last until then"
    )
    return (
        f"{budget.remaining:,} of {budget.allowance:,} credits left ({budget.reserve:,} in reserve),"
        f" reset {_day(budget.resets_at)}; {lasts}"
        f"{'; paused, nothing is polled' if budget.is_paused else ''}"
    )


def heartbeat_sentences(beat: Heartbeat) -> tuple[str, ...]:
    """What stands in a heartbeat beside the system: prices, credits, exchange, database, queues."""
    return tuple(
        sentence
        for sentence in (
            _prices_sentence(beat),
            credits_sentence(beat.credits) if beat.credits else "credits: not known yet",
            _exchange_sentence(beat),
            _database_sentence(beat),
            _queues_sentence(beat),
            f"metrics at {beat.metrics_address}" if beat.metrics_address else "",
        )
        if sentence
    )


def _prices_sentence(beat: Heartbeat) -> str:
    aged = [(each.age_s, each.sport_key) for each in beat.sports if each.age_s is not None]
    if not aged:
        return "prices: none yet"
    youngest, oldest = min(aged), max(aged)
    failing = sum(bool(each.problem) for each in beat.sports)
    return (
        f"prices: {len(aged)} of {len(beat.sports)} sport keys, {_duration(youngest[0])} to"
        f" {_duration(oldest[0])} old (oldest: {oldest[1]})"
        + (f", {failing} failing" if failing else "")
    )


def _exchange_sentence(beat: Heartbeat) -> str:
    exchange = beat.exchange
    if exchange is None:
        return ""
    session = "logged in" if exchange.has_session else "no session"
    return (
        f"exchange: {session}, {exchange.markets} markets known,"
        f" {exchange.prices_fresh} of {exchange.prices_wanted} wanted prices fresh"
    )


def _database_sentence(beat: Heartbeat) -> str:
    database = beat.database
    if database is None:
        return ""
    last = (
        f", last commit {_duration((beat.written_at - database.last_commit_at).total_seconds())}"
        " before"
        if database.last_commit_at
        else ""
    )
    failed = f", {database.failed_commits} commits failed" if database.failed_commits else ""
    return (
        f"database: {database.size_bytes / 1e6:.1f} MB and {database.wal_bytes / 1e6:.1f} MB of"
        f" log, entry {database.sequence}{last}{failed}"
    )


def _queues_sentence(beat: Heartbeat) -> str:
    if not beat.queues:
        return ""
    return "waiting: " + ", ".join(f"{name} {count}" for name, count in beat.queues.items())


def _row(node: NodeDescribed, actor: ActorDescribed) -> ActorRow:
    remark = str(actor.pulse.get("problem", "")) or (
        actor.last_error if actor.restarts or actor.state != "running" else ""
    )
    return ActorRow(
        node=node.name,
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


def _duration(seconds: float) -> str:
    minutes, s = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {s} s" if minutes else f"{s} s"
