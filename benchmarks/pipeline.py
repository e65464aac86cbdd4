"""From response bytes to the ranked answer: KOS's domain beside the obvious way, in one run.

    python benchmarks/pipeline.py [--rounds 3] [--updates 400] [--no-large] [--out result.json]

Both are given the same bytes: answers of the odds feed for 66 sport keys, and the exchange's
catalogues and books for the same events, each in its service's own names (the sandbox prints
them). Each system runs in a process of its own, so that memory and collections are its own.

* ``cold_cycle_ms``: everything for the first time: decode all, match all, price all, answer.
* ``warm_cycle_ms``: the next poll of everything, prices moved, same fixtures.
* ``freshness_ms``: one key's new bytes in to the ranked answer out, the rest of the market in
  place. ``books_ms``: the same for one call of 40 exchange books.
* ``questions_ms``: processor time of one question to KOS, asked for the first time (``cold``), asked
  again (``again``), and asked again after one key's new bytes (``polled``).
* ``memory_mb``: peak resident memory of the process.

The obvious way is what one writes in a hurry and well enough: one process, ``asyncio.gather`` over
the bodies, ``json``, ``rapidfuzz.process.extractOne`` of each event over all exchange events with
the default scorer, plain loops, floats, one sort. ``obvious_careful`` searches only events of the
same sport, and remembers the names it has matched. Neither guards against wrong matches, stale prices
or other forms of the bet. At ten times the size (``large``) the obvious way's cycle is run
on a sample of the keys and scaled up, and marked so; its freshness and memory are left out then.

Figures are medians over the rounds. ``wall`` depends on what else the machine does; ``cpu``, the
processor time of the process with its garbage collections, much less, and the ratios are of it.
"""

# ruff: noqa: E402 - run as a script, it must find the package beside it first

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = str(Path(__file__).resolve().parent.parent)
if __name__ == "__main__":
    sys.path.insert(0, ROOT)

import msgspec
from rapidfuzz import process

from kos.adapters.betfair.payloads import read_books, read_catalogue
from kos.adapters.json_fields import parse
from kos.adapters.oddsapi.payloads import decode_odds
from kos.domain.market.sports import sport_of
from kos.domain.matching import BookmakerFixture, ExchangeFixture, Matcher
from kos.domain.matching.reconciliation import Reconciliation, SportMatched, bookmaker_fixture
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking
from kos.domain.opportunities.scoring import ScoringRules
from kos.observability.memory import settle_collector

KEYS = 66
BOOKS_A_CALL = 40
DAYS_APART = 9
QUERY = OpportunityQuery()
QUESTIONS: dict[str, OpportunityQuery | DutchQuery] = {
    "qualifying": QUERY,
    "qualifying_coral": OpportunityQuery(bookmaker="coral"),
    "snr": OpportunityQuery(kind=BetKind.FREE_BET_SNR),
    "refund": OpportunityQuery(kind=BetKind.REFUND),
    "arbs": OpportunityQuery(only_arbs=True, ranking=Ranking.RATING),
    "long_odds": OpportunityQuery(min_odds=Decimal(3)),
    "dutches": DutchQuery(),
    "dutches_coral": DutchQuery(bookmaker="coral"),
}
SAMPLE_KEYS = 22
"""Of the large market's keys, how many the obvious way matches cold before it is scaled up."""


class Catalogue(msgspec.Struct):
    """One answer of listMarketCatalogue."""

    event_type: str
    event_type_id: str
    market_type: str
    body: bytes


class Books(msgspec.Struct):
    """One answer of listMarketBook."""

    market_ids: list[str]
    body: bytes


class Seen(msgspec.Struct):
    """All bytes of one cycle, and of the next one."""

    odds: dict[str, bytes]
    next_odds: dict[str, bytes]
    catalogues: list[Catalogue]
    books: list[Books]
    events: int
    prices: int
    now: datetime


# --- the bytes ------------------------------------------------------------------------------------


def collect(copies: int) -> Seen:
    """The sandbox's bytes for 66 keys, ``copies`` times over with other fixtures and later days."""
    seen = Seen({}, {}, [], [], 0, 0, datetime.now(UTC))
    catalogue: dict[tuple[str, str, str], list[Any]] = {}
    books: list[Any] = []
    for copy in range(copies):
        merged: dict[str, list[Any]] = {}
        for half in (0, 1):
            number = 2 * copy + half
            for key, events in _feed(number, catalogue, books):
                name = key if copy == 0 else f"{key}_{copy}"
                for event in events:
                    event["sport_key"] = name
                merged.setdefault(name, []).extend(events)
        for key, events in merged.items():
            seen.odds[key] = json.dumps(events, separators=(",", ":")).encode()
            seen.events += len(events)
            seen.next_odds[key] = json.dumps(_moved(events), separators=(",", ":")).encode()
            seen.prices += sum(
                len(market["outcomes"])
                for event in events
                for maker in event["bookmakers"]
                for market in maker["markets"]
            )
    for (event_type, type_id, market_type), markets in catalogue.items():
        body = json.dumps(markets, separators=(",", ":")).encode()
        seen.catalogues.append(Catalogue(event_type, type_id, market_type, body))
    for start in range(0, len(books), BOOKS_A_CALL):
        batch = books[start : start + BOOKS_A_CALL]
        body = json.dumps(batch, separators=(",", ":")).encode()
        seen.books.append(Books([book["marketId"] for book in batch], body))
    return seen


def _feed(
    number: int, catalogue: dict[tuple[str, str, str], list[Any]], books: list[Any]
) -> Iterator[tuple[str, list[Any]]]:
    """One world's events, moved to days of their own; its exchange goes into the two lists."""
    from kos.sandbox.server import Sandbox  # noqa: PLC0415 - only the parent makes bytes

    shift = timedelta(days=DAYS_APART * number)
    with Sandbox(seed=number + 1, calls_a_second=10_000, credits_a_month=10**9) as sandbox:
        listed = _get(f"{sandbox.addresses.odds_api_url}/v4/sports?apiKey={sandbox.api_key}")
        keys = [sport["key"] for sport in listed if not sport["has_outrights"]]
        keys = sorted(keys, key=lambda key: (not key.startswith("soccer"), key))[:KEYS]
        for key in keys:
            query = urllib.parse.urlencode(
                {
                    "apiKey": sandbox.api_key,
                    "regions": "uk",
                    "markets": "h2h",
                    "oddsFormat": "decimal",
                    "includeBetLimits": "true",
                }
            )
            events = _get(f"{sandbox.addresses.odds_api_url}/v4/sports/{key}/odds?{query}")
            for event in events:
                event["id"] = f"{number:x}{event['id'][2:]}"
                event["commence_time"] = _later(event["commence_time"], shift)
            yield key, events
        _exchange(
            sandbox.addresses, keys, number=number, shift=shift, catalogue=catalogue, books=books
        )


def _exchange(
    addresses: Any,
    keys: Sequence[str],
    *,
    number: int,
    shift: timedelta,
    catalogue: dict[tuple[str, str, str], list[Any]],
    books: list[Any],
) -> None:
    headers = {"X-Application": addresses.betfair_app_key, "Accept": "application/json"}
    form = {"username": addresses.betfair_username, "password": addresses.betfair_password}
    login = _get(
        f"{addresses.betfair_url}/api/login", urllib.parse.urlencode(form).encode(), headers
    )
    headers |= {"X-Authentication": login["token"], "Content-Type": "application/json"}
    rest = f"{addresses.betfair_url}/exchange/betting/rest/v1.0"
    kinds = {
        (facts.event_type, facts.event_type_id, facts.market_type) for facts in map(sport_of, keys)
    }
    ids: list[str] = []
    for event_type, type_id, market_type in sorted(kinds, key=str):
        if event_type is None or type_id is None or market_type is None:
            continue
        ask = {
            "filter": {"eventTypeIds": [type_id], "marketTypeCodes": [market_type]},
            "maxResults": 1000,
            "marketProjection": [
                "COMPETITION",
                "EVENT",
                "EVENT_TYPE",
                "MARKET_START_TIME",
                "RUNNER_DESCRIPTION",
            ],
        }
        found = _get(f"{rest}/listMarketCatalogue/", json.dumps(ask).encode(), headers)
        ids += [market["marketId"] for market in found]
        for market in found:
            market["marketId"] += str(number)
            market["event"]["id"] += str(number)
            market["marketStartTime"] = _later(market["marketStartTime"], shift)
        catalogue.setdefault((event_type, type_id, market_type), []).extend(found)
    for start in range(0, len(ids), BOOKS_A_CALL):
        ask = {
            "marketIds": ids[start : start + BOOKS_A_CALL],
            "priceProjection": {"priceData": ["EX_BEST_OFFERS"]},
        }
        found = _get(f"{rest}/listMarketBook/", json.dumps(ask).encode(), headers)
        for book in found:
            book["marketId"] += str(number)
        books += found


def _get(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _later(text: str, shift: timedelta) -> str:
    moment = datetime.fromisoformat(text) + shift
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moved(events: list[Any]) -> list[Any]:
    """The same events at the next poll: one price in five has moved by a step."""
    moved = json.loads(json.dumps(events))
    count = 0
    for event in moved:
        for maker in event["bookmakers"]:
            for market in maker["markets"]:
                for outcome in market["outcomes"]:
                    count += 1
                    if count % 5 == 0:
                        outcome["price"] = round(outcome["price"] * 1.01 + 0.005, 2)
    return list(moved)


# --- KOS ------------------------------------------------------------------------------------------


class Kos:
    """Decoder, reconciliation and picture, wired as the daemon wires them, without its processes."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.reconciliation = Reconciliation()
        self.picture = MarketSnapshot(ScoringRules())
        self.has_catalogue = False

    def catalogue(self, catalogue: Catalogue) -> None:
        markets, _ = read_catalogue(
            parse(catalogue.body), catalogue.market_type, catalogue.event_type_id
        )
        self.matched(self.reconciliation.catalogue_read(catalogue.event_type, markets))

    def odds(self, sport_key: str, body: bytes) -> None:
        events = decode_odds(body).events
        fixtures = tuple(filter(None, map(bookmaker_fixture, events)))
        self.matched(self.reconciliation.fixtures_listed(sport_key, fixtures))
        self.picture.apply_quotes(sport_key, events, self.now)

    def matched(self, results: Iterable[SportMatched]) -> None:
        for result in results:
            self.picture.apply_matches(result.sport_key, result.matches, result.markets)

    def books(self, books: Books) -> None:
        found, _ = read_books(parse(books.body), books.market_ids, self.now)
        self.picture.apply_books(found)

    def cycle(self, odds: dict[str, bytes], seen: Seen) -> int:
        if not self.has_catalogue:
            for catalogue in seen.catalogues:
                self.catalogue(catalogue)
            self.has_catalogue = True
        for sport_key, body in odds.items():
            self.odds(sport_key, body)
        for books in seen.books:
            self.books(books)
        return self.answer()

    def update(self, sport_key: str, body: bytes) -> int:
        self.odds(sport_key, body)
        return self.answer()

    def update_books(self, books: Books) -> int:
        self.books(books)
        return self.answer()

    def answer(self) -> int:
        return len(self.picture.best(QUERY, self.now).opportunities)


# --- the obvious way ------------------------------------------------------------------------------


class Obvious:
    """What one writes in a hurry, well enough to be used."""

    def __init__(self, now: datetime, *, is_careful: bool) -> None:
        self.now = now
        self.is_careful = is_careful
        self.choices: dict[str, dict[str, str]] = {}
        self.runners: dict[str, list[tuple[int, str]]] = {}
        self.lays: dict[tuple[str, int], tuple[float, float]] = {}
        self.remembered: dict[tuple[str, str], str | None] = {}
        self.pairs: dict[str, list[tuple[float, str, str, str, float, float, float]]] = {}

    def read_catalogues(self, catalogues: Sequence[Catalogue]) -> None:
        for catalogue in catalogues:
            choices = self.choices.setdefault(catalogue.event_type if self.is_careful else "", {})
            for market in json.loads(catalogue.body):
                choices[market["marketId"]] = market["event"]["name"].replace(" @ ", " v ")
                self.runners[market["marketId"]] = [
                    (runner["selectionId"], runner["runnerName"]) for runner in market["runners"]
                ]

    def read_books(self, books: Books) -> None:
        for book in json.loads(books.body):
            for runner in book["runners"]:
                levels = runner.get("ex", {}).get("availableToLay")
                if levels:
                    key = (book["marketId"], runner["selectionId"])
                    self.lays[key] = (levels[0]["price"], levels[0]["size"])

    def partner(self, sport_key: str, name: str) -> str | None:
        key = (sport_key, name)
        if self.is_careful and key in self.remembered:
            return self.remembered[key]
        sport = sport_of(sport_key).event_type or "" if self.is_careful else ""
        hit = process.extractOne(name, self.choices.get(sport, {}), score_cutoff=80)
        self.remembered[key] = hit[2] if hit else None
        return self.remembered[key]

    def price(self, sport_key: str, events: list[Any]) -> None:
        pairs = []
        for event in events:
            market_id = self.partner(sport_key, f"{event['home_team']} v {event['away_team']}")
            if market_id is None:
                continue
            kickoff = datetime.fromisoformat(event["commence_time"])
            minutes = (kickoff - self.now).total_seconds() / 60
            if minutes <= 5:
                continue
            runners = {name: number for number, name in self.runners[market_id]}
            runners["Draw"] = runners.pop("The Draw", 0)
            partners: dict[str, int] = {}
            for maker in event["bookmakers"]:
                for market in maker["markets"]:
                    if market["key"] != "h2h":
                        continue
                    for outcome in market["outcomes"]:
                        name = outcome["name"]
                        if name not in partners:
                            hit = process.extractOne(name, list(runners))
                            partners[name] = runners[hit[0]]
                        lay = self.lays.get((market_id, partners[name]))
                        if lay is None or lay[0] < 0.95 * outcome["price"] or lay[1] < 20:
                            continue
                        back = outcome["price"]
                        stake = 10 * back / (lay[0] - 0.05)
                        profit = min(10 * (back - 1) - stake * (lay[0] - 1), stake * 0.95 - 10)
                        score = 10 / max(-profit, 0.01) / minutes * 0.75 * min(1, lay[1] / stake)
                        pairs.append((score, event["id"], maker["key"], name, back, lay[0], profit))
        self.pairs[sport_key] = pairs

    def cycle(self, odds: dict[str, bytes], seen: Seen) -> int:
        if not self.choices or not self.is_careful:
            self.choices.clear()
            self.read_catalogues(seen.catalogues)
        for books in seen.books:
            self.read_books(books)

        async def fetch(sport_key: str, body: bytes) -> tuple[str, list[Any]]:
            await asyncio.sleep(0)
            return sport_key, json.loads(body)

        async def fetch_all() -> list[tuple[str, list[Any]]]:
            return await asyncio.gather(*(fetch(*item) for item in odds.items()))

        for sport_key, events in asyncio.run(fetch_all()):
            self.price(sport_key, events)
        return self.answer()

    def update(self, sport_key: str, body: bytes) -> int:
        self.price(sport_key, json.loads(body))
        return self.answer()

    def answer(self) -> int:
        found = [pair for pairs in self.pairs.values() for pair in pairs]
        found.sort(reverse=True)
        return len(found[:10])


# --- measuring ------------------------------------------------------------------------------------


def measure(system: str, path: str, updates: int) -> dict[str, Any]:
    """One system's figures, in the process that this is."""
    seen = msgspec.msgpack.decode(Path(path).read_bytes(), type=Seen)
    is_large = len(seen.odds) > KEYS
    odds, next_odds = seen.odds, seen.next_odds
    scale = 1.0
    if system != "kos" and is_large:
        names = list(odds)[:: len(odds) // SAMPLE_KEYS][:SAMPLE_KEYS]
        scale = len(odds) / len(names)
        odds = {name: odds[name] for name in names}
        next_odds = {name: next_odds[name] for name in names}
    runner: Kos | Obvious
    if system == "kos":
        decode_odds(b"[]")
        _warm_tables(seen)
        settle_collector()  # as every process of the daemon does at its start
        runner = Kos(seen.now)
    else:
        runner = Obvious(seen.now, is_careful=system == "obvious_careful")
    cold = _timed(partial(runner.cycle, odds, seen))
    warm = _timed(partial(runner.cycle, next_odds, seen))
    keys = list(odds)
    fresh = []
    for number in range(updates):
        key = keys[number % len(keys)]
        body = (odds if number // len(keys) % 2 == 0 else next_odds)[key]
        fresh.append(_timed(partial(runner.update, key, body)))
    result: dict[str, Any] = {
        "cold_cycle_ms": _once(cold, scale),
        "warm_cycle_ms": _once(warm, scale),
        "is_scaled_from_a_sample": scale != 1.0,
        "freshness_ms": _spread(fresh),
        "shown": runner.answer(),
        "memory_mb": _peak_mb(),
    }
    if scale != 1.0:  # a sample's market is too small to answer from
        del result["freshness_ms"], result["memory_mb"]
    if isinstance(runner, Kos):
        calls = seen.books
        result["books_ms"] = _spread(
            [
                _timed(partial(runner.update_books, calls[number % len(calls)]))
                for number in range(updates)
            ]
        )
        result["questions_ms"] = _questions(runner, odds)
        answer = runner.picture.best(QUERY, seen.now)
        result["considered"], result["rejected"] = answer.considered, answer.rejected
    return result


def _questions(runner: Kos, odds: dict[str, bytes]) -> dict[str, float]:
    """Processor time of each question: for the first time, again, and after a poll."""
    picture, now = runner.picture, runner.now
    result: dict[str, float] = {}
    for name, query in QUESTIONS.items():
        ask: Callable[[], Any] = (
            partial(picture.dutches, query, now)
            if isinstance(query, DutchQuery)
            else partial(picture.best, query, now)
        )
        result[f"{name}.cold"] = _timed(ask).cpu
        result[f"{name}.again"] = statistics.median(_timed(ask).cpu for _ in range(15))
        polled = []
        for sport_key, body in list(odds.items())[:15]:
            picture.apply_quotes(sport_key, decode_odds(body).events, now)
            polled.append(_timed(ask).cpu)
        result[f"{name}.polled"] = statistics.median(polled)
    return result


def _warm_tables(seen: Seen) -> None:
    """Read the packaged tables of names, which a process does once."""
    fixture = BookmakerFixture("warm", "soccer_epl", seen.now, "Arsenal", "Chelsea")
    right = ExchangeFixture("warm", "Soccer", "", "Arsenal v Chelsea", seen.now)
    Matcher().match([fixture], [right])


def _peak_mb() -> float:
    """Peak resident memory of this process alone (a child's rusage begins with its parent's)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Took(NamedTuple):
    """Milliseconds of one piece of work, by the wall's clock and of processor time."""

    wall: float
    cpu: float


def _timed(work: Callable[[], Any]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Took((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)


def _once(took: Took, scale: float) -> dict[str, float]:
    return {"wall": took.wall * scale, "cpu": took.cpu * scale}


def _spread(values: list[Took]) -> dict[str, float]:
    result = {}
    for name, ordered in (
        ("wall", sorted(took.wall for took in values)),
        ("cpu", sorted(took.cpu for took in values)),
    ):
        result[f"{name}_p50"] = ordered[len(ordered) // 2]
        result[f"{name}_p99"] = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return result


def _median(results: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, value in results[0].items():
        if isinstance(value, dict) and name.endswith("_ms"):
            merged[name] = {
                part: round(statistics.median(r[name][part] for r in results), 3) for part in value
            }
        elif isinstance(value, float):
            merged[name] = round(statistics.median(r[name] for r in results), 3)
        else:
            merged[name] = value
    return merged


def compare(copies: int, rounds: int, updates: int) -> dict[str, Any]:
    """Every system on the same bytes, in turn, ``rounds`` times."""
    seen = collect(copies)
    systems = ("kos", "obvious", "obvious_careful")
    results: dict[str, list[dict[str, Any]]] = {system: [] for system in systems}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seen"
        path.write_bytes(msgspec.msgpack.encode(seen))
        for _ in range(rounds):
            for system in systems:
                ask = [sys.executable, __file__, "--system", system, "--seen", str(path)]
                ask += ["--updates", str(updates if system == "kos" else min(updates, 66))]
                done = subprocess.run(ask, check=True, capture_output=True, cwd=ROOT)
                results[system].append(json.loads(done.stdout))
    figures = {system: _median(found) for system, found in results.items()}
    kos = figures["kos"]

    def times(system: str, name: str) -> float:
        part = "cpu_p50" if name == "freshness_ms" else "cpu"
        return round(float(figures[system][name][part]) / float(kos[name][part]), 1)

    return {
        "sport_keys": len(seen.odds),
        "events": seen.events,
        "prices": seen.prices,
        "body_mb": round(sum(map(len, seen.odds.values())) / 1e6, 1),
        "systems": figures,
        "kos_is_faster_by_cpu": {
            f"{system}.{name}": times(system, name)
            for system in systems[1:]
            for name in ("cold_cycle_ms", "warm_cycle_ms", "freshness_ms")
            if name in figures[system]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--no-large", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--system", help=argparse.SUPPRESS)
    parser.add_argument("--seen", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.system:
        print(json.dumps(measure(given.system, given.seen, given.updates)))
        return
    result = {
        "machine": {
            "cpus": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            "python": platform.python_version(),
            "note": "other work on the machine moves the figures, and the ratios less",
        },
        "normal": compare(1, given.rounds, given.updates),
    }
    if not given.no_large:
        result["large"] = compare(10, 1, given.updates)
    text = json.dumps(result, indent=2)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
