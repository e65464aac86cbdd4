"""What is exported, and that everything which names a metric names one that exists."""

from __future__ import annotations

import ast
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kos import __version__
from kos.runtime import Meter, SystemDescribed
from kos.runtime.description import WAIT_BOUNDS_S
from kos.runtime.meters import Meters
from kos.service.exporter import Exporter
from kos.service.health import HealthState, Judgement
from kos.service.heartbeat import Heartbeat
from kos.service.metrics import METRICS, PREFIX, Collector
from tests.agreed import assert_agreed
from tests.service.beats import NOW, actor, beat, budget, fetcher, ledger, node, system

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = ("_bucket", "_sum", "_count")


class Told:
    """A source that stands still."""

    def __init__(self, described: SystemDescribed) -> None:
        self.described = described

    def figures(self) -> tuple[Heartbeat, SystemDescribed, Judgement]:
        judgement = Judgement(state=HealthState.DEGRADED, reasons=("x",), age_s=1.0)
        return beat(self.described), self.described, judgement

    def now(self) -> datetime:
        return NOW


def exposed(described: SystemDescribed) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(Told(described)))
    return generate_latest(registry).decode()


def scraped(described: SystemDescribed) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposed(described))
        for sample in family.samples
    }


def full() -> SystemDescribed:
    """A system that has something to say of every metric."""
    labels = {"outcome": "done", "remote": "odds-api", "source": "odds"}
    metered = tuple(
        Meter(name.removeprefix(PREFIX), labels, 3.0, (0.1, 1.0), (1, 2, 0))
        if each.kind == "histogram"
        else Meter(name.removeprefix(PREFIX), labels, 3.0)
        for name, each in METRICS.items()
        if each.is_metered
    )
    waits = (*(0 for _ in WAIT_BOUNDS_S), 1)
    return system(
        node("ledger", ledger(outbox_waiting=2)),
        node(
            "engine",
            actor("scorer", pulse={"eligible": 5}, waits=waits, waited_s=70.0),
            actor("reconciler", pulse={"events": 9, "matched": 7, "doubts": 1}),
        ),
        node("exchange", actor("exchange", pulse={"has_session": 1})),
        node(
            "feeds",
            budget(),
            fetcher("soccer_epl", next_poll_at=NOW.isoformat()),
            fetcher("tennis_atp", 300.0),
            meters=metered,
        ),
    )


def test_every_declared_metric_is_exported_with_its_labels() -> None:
    found: dict[str, set[str]] = {}
    for name, labels in scraped(full()):
        base = name if name in METRICS else re.sub("_(bucket|sum|count)$", "", name)
        found.setdefault(base, set()).update(label for label, _ in labels)
    assert found.keys() == METRICS.keys()
    for name, labels_found in found.items():
        assert labels_found - {"le"} == set(METRICS[name].labels), name


def test_what_is_exported_is_as_agreed() -> None:
    text = exposed(full()).replace(f'version="{__version__}"', 'version="X"')
    assert_agreed("metrics.txt", text)


def test_figures_are_those_of_the_heartbeat() -> None:
    found = scraped(full())
    assert found["kos_health", ()] == 1
    assert found["kos_sport_price_age_seconds", (("sport_key", "tennis_atp"),)] == 300
    assert found["kos_credits_left", ()] == 300
    assert found["kos_matches", ()] == 7
    assert found["kos_queue_length", (("queue", "ledger.outbox"),)] == 2
    assert found["kos_actor_running", (("actor", "fetcher"),)] == 2
    assert found["kos_node_memory_bytes", (("node", "feeds"),)] == 1000 * 1024


def test_a_histograms_buckets_are_summed_up() -> None:
    found = scraped(full())
    at = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "kos_poll_seconds_bucket"
    }
    assert at == {"0.1": 1.0, "1.0": 3.0, "+Inf": 3.0}


def test_meters_count_and_put_into_buckets() -> None:
    meters = Meters()
    meters.count("polls_total", outcome="done")
    meters.count("polls_total", 2, outcome="done")
    for seconds in (0.05, 0.1, 7.0):
        meters.observe("poll_seconds", seconds, (0.1, 1.0))
    counted, timed = meters.read()
    assert (counted.name, counted.labels, counted.value) == ("polls_total", {"outcome": "done"}, 3)
    assert timed.counts == (2, 0, 1)
    assert timed.value == pytest.approx(7.15)


def test_meters_are_bounded() -> None:
    meters = Meters()
    for number in range(3000):
        meters.count("polls_total", outcome=str(number))
    assert len(meters.read()) == 2000


def metered_in_source() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Place, name and labels of each call of ``meters.count`` and ``meters.observe``."""
    for path in sorted((ROOT / "kos").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in {"count", "observe"}
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "meters"
            ):
                name = call.args[0]
                assert isinstance(name, ast.Constant), f"{path}:{call.lineno}"
                labels = frozenset(word.arg or "**" for word in call.keywords)
                yield f"{path}:{call.lineno}", str(name.value), labels


def test_everything_that_is_counted_is_declared_and_the_other_way_round() -> None:
    counted = list(metered_in_source())
    for place, name, labels in counted:
        declared = METRICS.get(PREFIX + name)
        assert declared is not None, f"{place}: {name} is not in METRICS"
        assert declared.is_metered, place
        assert labels == set(declared.labels[1:]), place
    assert {PREFIX + name for _, name, _ in counted} == {
        name for name, each in METRICS.items() if each.is_metered
    }


def test_every_metric_is_ours_by_its_name_and_says_what_it_means() -> None:
    assert all(name.startswith(PREFIX) for name in METRICS)
    assert all(metric.meaning for metric in METRICS.values())


def named_in(text: str) -> set[str]:
    names = set(re.findall(r"\bkos_[a-z_]+\b", text))
    return {
        next(
            (name.removesuffix(end) for end in SUFFIXES if name.removesuffix(end) in METRICS), name
        )
        for name in names
    }


@pytest.mark.parametrize("file", ["packaging/grafana/kos.json", "packaging/prometheus/alerts.yml"])
def test_dashboard_and_alerts_name_metrics_that_exist(file: str) -> None:
    named = named_in((ROOT / file).read_text("utf-8"))
    assert len(named) > 8
    assert not named - set(METRICS)


def test_the_dashboard_is_json_with_a_question_in_every_panel() -> None:
    board = json.loads((ROOT / "packaging/grafana/kos.json").read_text("utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["targets"], panel["title"]
        assert all(PREFIX in target["expr"] for target in panel["targets"])


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    served = Exporter("127.0.0.1", 0)
    yield served
    served.stop()


def scraped_at(address: str) -> tuple[str, str]:
    """Content type and text of one scrape."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_metrics_are_served_on_loopback(exporter: Exporter) -> None:
    address = exporter.start()
    exporter.take(*Told(full()).figures())
    kind, text = scraped_at(address)
    assert address.startswith("http://127.0.0.1:")
    assert kind.startswith("text/plain; version=0.0.4")
    assert {family.name for family in text_string_to_metric_families(text)} >= {"kos_health"}


def test_a_scrape_before_the_first_figures_is_empty(exporter: Exporter) -> None:
    assert scraped_at(exporter.start())[1] == ""


def test_after_a_stop_nothing_listens_and_the_port_can_be_taken_again(exporter: Exporter) -> None:
    address = exporter.start()
    exporter.stop()
    with pytest.raises(urllib.error.URLError):
        scraped_at(address)
    port = int(address.rpartition(":")[2].partition("/")[0])
    again = Exporter("127.0.0.1", port)
    assert again.start() == address
    again.stop()


def test_a_port_in_other_hands_is_no_reason_to_fail(exporter: Exporter) -> None:
    port = int(exporter.start().rpartition(":")[2].partition("/")[0])
    assert not Exporter("127.0.0.1", port).start()
