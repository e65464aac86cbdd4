"""Metrics: what is told of KOS to Prometheus, and how it is made of a heartbeat.

All processes tell the main process what they counted with each answered ping; one process is
scraped. The table :data:`METRICS` is the one place that names them: what is not in it is not
exported, and the reference page, the dashboard and the alert rules are checked against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from typing import Protocol

import msgspec
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from kos import __version__
from kos.messages import FETCHER
from kos.runtime import ActorDescribed, Meter, SystemDescribed
from kos.runtime.description import WAIT_BOUNDS_S
from kos.service.health import HealthState, Judgement
from kos.service.heartbeat import Heartbeat

PREFIX = "kos_"

_FETCHERS = FETCHER.removesuffix(".")
"""The name under which all fetchers count as one."""


class Declared(msgspec.Struct, frozen=True):
    """What one metric is."""

    kind: str
    """gauge, counter or histogram."""
    meaning: str
    labels: tuple[str, ...] = ()
    is_metered: bool = False
    """Counted where it happens, by :data:`kos.runtime.meters`; else read off the heartbeat."""


def _gauge(meaning: str, *labels: str) -> Declared:
    return Declared("gauge", meaning, labels)


def _counter(meaning: str, *labels: str) -> Declared:
    return Declared("counter", meaning, labels)


def _counted(meaning: str, *labels: str) -> Declared:
    return Declared("counter", meaning, ("node", *labels), is_metered=True)


def _timed(meaning: str, *labels: str) -> Declared:
    return Declared("histogram", meaning, ("node", *labels), is_metered=True)


METRICS: Mapping[str, Declared] = {
    # --- how it is
    "kos_build_info": _gauge("1; the version is a label", "version"),
    "kos_health": _gauge("0 ok, 1 degraded, 2 failed, as in kos health"),
    "kos_uptime_seconds": _gauge("since the start of the main process"),
    "kos_described_timestamp_seconds": _gauge("when these figures were gathered, Unix time"),
    "kos_node_running": _gauge("1 while the process runs", "node"),
    "kos_node_memory_bytes": _gauge("resident memory", "node"),
    "kos_node_pong_age_seconds": _gauge("time since it last reported", "node"),
    "kos_node_restarts_total": _counter("restarts of a process", "node"),
    "kos_actor_running": _gauge("1 while it runs; for fetchers, the number running", "actor"),
    "kos_actor_restarts_total": _counter("restarts of an actor", "actor"),
    "kos_mailbox_messages": _gauge("messages waiting", "actor"),
    "kos_mailbox_wait_seconds": Declared(
        "histogram", "how long messages waited in a mailbox", ("actor",)
    ),
    "kos_messages_total": _counter("messages handled", "actor"),
    "kos_messages_lost_total": _counter("messages that were never handled", "actor"),
    "kos_queue_length": _gauge("items waiting in a queue that an actor reports", "queue"),
    # --- how fresh
    "kos_sport_price_age_seconds": _gauge("age of a sport key's prices", "sport_key"),
    "kos_sport_overdue_seconds": _gauge(
        "how long its next poll is overdue; 0 if it is not", "sport_key"
    ),
    "kos_sport_failing": _gauge("1 while its polls fail", "sport_key"),
    "kos_quotes_to_answer_seconds": _timed("from a poll to its prices being in every answer"),
    "kos_answer_seconds": _timed("how long the engine took to answer a question"),
    "kos_exchange_prices_wanted": _gauge("exchange markets whose prices are wanted"),
    "kos_exchange_prices_fresh": _gauge("number of those that are fresh enough"),
    "kos_exchange_session": _gauge("1 while there is a session"),
    # --- how many
    "kos_sport_events": _gauge("events in the last poll", "sport_key"),
    "kos_events": _gauge("bookmaker events that are matched against the exchange"),
    "kos_matches": _gauge("number of those that have a market"),
    "kos_doubts": _gauge("number of those that a person has to check"),
    "kos_opportunities": _gauge("eligible opportunities in the last answer"),
    "kos_quotes_total": _counted("prices read from the odds feed"),
    "kos_drops_total": _counted("parts of responses excluded as unreadable", "source"),
    "kos_updates_total": _counted("updates that Telegram gave the bot"),
    "kos_words_total": _counted("people's commands to the desk, by where they came from", "screen"),
    "kos_commands_total": _counted("commands to the ledger", "outcome"),
    "kos_ledger_sequence": _gauge("number of the ledger's last entry"),
    "kos_database_bytes": _gauge("size of the database file"),
    "kos_database_wal_bytes": _gauge("size of its write-ahead log"),
    "kos_last_commit_age_seconds": _gauge("since the ledger's last commit"),
    "kos_credits_left": _gauge("credits left this month"),
    "kos_credits_used": _gauge("credits used this month"),
    "kos_credits_reserve": _gauge("credits kept back for checks on demand"),
    # --- how late
    "kos_poll_lateness_seconds": _timed("time from when a poll was due to when it started"),
    "kos_poll_seconds": _timed("how long a poll took"),
    "kos_http_seconds": _timed("how long an answered request took", "remote"),
    "kos_commit_seconds": _timed("how long a commit took"),
    # --- how often failed
    "kos_polls_total": _counted("polls of the odds feed", "outcome"),
    "kos_http_requests_total": _counted("requests sent, including repeats", "remote", "outcome"),
    "kos_telegram_calls_total": _counted(
        "calls to Telegram by result; wait: it asked KOS to wait (429)", "outcome"
    ),
    "kos_logins_total": _counted("logins to the exchange", "outcome"),
    "kos_exchange_failures_total": _counted("exchange reads that failed"),
    "kos_commits_total": _counted("commits of the ledger", "outcome"),
}
"""Every metric, by its whole name."""


class FigureSource(Protocol):
    """What figures are made of."""

    def figures(self) -> tuple[Heartbeat, SystemDescribed, Judgement] | None:
        """The last heartbeat, the system with its meters, and how that was judged; None: none yet."""

    def now(self) -> datetime:
        """The time, in UTC."""


class Collector:
    """Makes a scrape's metrics, for a registry of prometheus_client."""

    def __init__(self, source: FigureSource) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """Every metric that has something to say."""
        taken = self._source.figures()
        if taken is None:
            return
        beat, system, judgement = taken
        yield from _families(_samples(beat, system, judgement, self._source.now()))
        yield from _metered(system)
        yield _waits(system)


Sample = tuple[str, tuple[str, ...], float]
"""Name without prefix, label values, value."""


def _families(samples: Iterable[Sample]) -> Iterator[Metric]:
    by_name: dict[str, list[tuple[tuple[str, ...], float]]] = defaultdict(list)
    for name, labels, value in samples:
        by_name[PREFIX + name].append((labels, value))
    for name, rows in by_name.items():
        declared = METRICS[name]
        family: GaugeMetricFamily | CounterMetricFamily
        if declared.kind == "gauge":
            family = GaugeMetricFamily(name, declared.meaning, labels=declared.labels)
        else:
            family = CounterMetricFamily(name, declared.meaning, labels=declared.labels)
        for labels, value in rows:
            family.add_metric(labels, value)
        yield family


def _samples(
    beat: Heartbeat, system: SystemDescribed, judgement: Judgement, now: datetime
) -> Iterator[Sample]:
    yield "build_info", (__version__,), 1
    yield "health", (), list(HealthState).index(judgement.state)
    yield "uptime_seconds", (), system.uptime_s
    yield "described_timestamp_seconds", (), beat.written_at.timestamp()
    for node in system.nodes:
        yield "node_running", (node.name,), node.state == "running"
        yield "node_memory_bytes", (node.name,), node.rss_kb * 1024
        yield "node_restarts_total", (node.name,), node.restarts
        if node.since_pong_s is not None:
            yield "node_pong_age_seconds", (node.name,), node.since_pong_s
    for name, actors in _by_name(system).items():
        yield "actor_running", (name,), sum(actor.state == "running" for actor in actors)
        yield "actor_restarts_total", (name,), sum(actor.restarts for actor in actors)
        yield "mailbox_messages", (name,), sum(actor.mailbox for actor in actors)
        yield "messages_total", (name,), sum(actor.handled for actor in actors)
        lost = sum(sum(actor.dead_letters.values()) for actor in actors)
        yield "messages_lost_total", (name,), lost
    for queue, length in beat.queues.items():
        if "." in queue and not queue.startswith(FETCHER):
            yield "queue_length", (queue,), length
    yield from _of_feeds(beat, now)
    yield from _of_engine(system)
    yield from _of_stores(beat, now)


def _of_feeds(beat: Heartbeat, now: datetime) -> Iterator[Sample]:
    for sport in beat.sports:
        key = (sport.sport_key,)
        if sport.fetched_at is not None:
            age_s = (now - sport.fetched_at).total_seconds()
            yield "sport_price_age_seconds", key, max(0.0, age_s)
        if sport.next_poll_at is not None:
            late_s = (now - sport.next_poll_at).total_seconds()
            yield "sport_overdue_seconds", key, max(0.0, late_s)
        yield "sport_failing", key, bool(sport.problem)
        yield "sport_events", key, sport.events
    if beat.credits is not None:
        yield "credits_left", (), beat.credits.remaining
        yield "credits_used", (), beat.credits.used
        yield "credits_reserve", (), beat.credits.reserve
    if beat.exchange is not None:
        yield "exchange_session", (), beat.exchange.has_session
        yield "exchange_prices_wanted", (), beat.exchange.prices_wanted
        yield "exchange_prices_fresh", (), beat.exchange.prices_fresh


_FROM_PULSES = {
    "events": ("reconciler", "events"),
    "matches": ("reconciler", "matched"),
    "doubts": ("reconciler", "doubts"),
    "opportunities": ("scorer", "eligible"),
}


def _of_engine(system: SystemDescribed) -> Iterator[Sample]:
    pulses = {actor.name: actor.pulse for node in system.nodes for actor in node.actors}
    for name, (actor, fact) in _FROM_PULSES.items():
        value = pulses.get(actor, {}).get(fact)
        if isinstance(value, int | float):
            yield name, (), value


def _of_stores(beat: Heartbeat, now: datetime) -> Iterator[Sample]:
    database = beat.database
    if database is None:
        return
    yield "ledger_sequence", (), database.sequence
    yield "database_bytes", (), database.size_bytes
    yield "database_wal_bytes", (), database.wal_bytes
    if database.last_commit_at is not None:
        age_s = (now - database.last_commit_at).total_seconds()
        yield "last_commit_age_seconds", (), max(0.0, age_s)


def _by_name(system: SystemDescribed) -> dict[str, list[ActorDescribed]]:
    """Actors by name; all fetchers together, as they are many."""
    by_name: dict[str, list[ActorDescribed]] = defaultdict(list)
    for node in system.nodes:
        for actor in node.actors:
            is_one_of_many = actor.name.startswith(FETCHER)
            by_name[_FETCHERS if is_one_of_many else actor.name].append(actor)
    return by_name


def _metered(system: SystemDescribed) -> Iterator[Metric]:
    """Counts of the processes, labelled by node: they start again with the node."""
    by_name: dict[str, list[tuple[str, Meter]]] = defaultdict(list)
    for node in system.nodes:
        for meter in node.meters:
            by_name[PREFIX + meter.name].append((node.name, meter))
    for name, rows in by_name.items():
        declared = METRICS.get(name)
        if declared is None or not declared.is_metered:
            continue
        family: HistogramMetricFamily | CounterMetricFamily
        if declared.kind == "histogram":
            family = HistogramMetricFamily(name, declared.meaning, labels=declared.labels)
            for node_name, meter in rows:
                labels = _labels(declared, node_name, meter)
                family.add_metric(labels, _buckets(meter.bounds, meter.counts), meter.value)
        else:
            family = CounterMetricFamily(name, declared.meaning, labels=declared.labels)
            for node_name, meter in rows:
                family.add_metric(_labels(declared, node_name, meter), meter.value)
        yield family


def _labels(declared: Declared, node: str, meter: Meter) -> list[str]:
    return [node, *(meter.labels.get(label, "") for label in declared.labels[1:])]


def _waits(system: SystemDescribed) -> Metric:
    name = "kos_mailbox_wait_seconds"
    family = HistogramMetricFamily(name, METRICS[name].meaning, labels=METRICS[name].labels)
    for actor_name, actors in _by_name(system).items():
        waits = [actor.waits for actor in actors if actor.waits]
        if waits:
            counts = tuple(sum(column) for column in zip(*waits, strict=True))
            waited_s = sum(actor.waited_s for actor in actors)
            family.add_metric([actor_name], _buckets(WAIT_BOUNDS_S, counts), waited_s)
    return family


def _buckets(bounds: tuple[float, ...], counts: tuple[int, ...]) -> list[tuple[str, float]]:
    """As Prometheus has them: each holds all that are not above its bound."""
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, accumulate(map(float, counts)), strict=True))
