"""The matcher beside the naive way and beside an entity-resolution library: accuracy and time.

    python -m benchmarks.matching --data FOLDER [--clubs FOLDER --seeds 10] [--json FILE]

``--data`` holds ``left_events.jsonl``, ``right_events.jsonl``, ``truth.jsonl`` and, where there are
traps, ``decoys.jsonl``. ``--clubs`` holds lists of clubs in openfootball's form; from them seeded
worlds are drawn of names the matcher has not been made from. recordlinkage joins the run where it
is installed; nothing of KOS needs it. Times are seconds of one processor core, so that a busy
machine does not blur them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from benchmarks.matching_worlds import World, make_world, read_clubs
from kos.domain.market.quotes import Verdict
from kos.domain.market.sports import sport_of
from kos.domain.matching import BookmakerFixture, ExchangeFixture, Matcher
from kos.domain.matching.normalise import split_event

Answer = dict[str, tuple[str, bool | None]]
"""Bookmaker event to exchange event, and whether the sides are turned (None: not said)."""


@dataclass
class Score:
    """What one method made of one world or several."""

    method: str
    seconds: float = 0.0
    accepted: int = 0
    right: int = 0
    swapped_wrong: int = 0
    true: int = 0
    events: int = 0
    doubts: int = 0
    by_sport: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    """Accepted, right, true."""
    false_by_kind: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0


def load(folder: Path) -> World:
    """The world in a folder of JSON lines."""

    def rows(name: str) -> list[dict[str, Any]]:
        path = folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    left = [
        BookmakerFixture(
            e["id"],
            e["sport_key"],
            datetime.fromisoformat(e["commence_time"]),
            e["home_team"],
            e["away_team"],
        )
        for e in rows("left_events.jsonl")
    ]
    right = [
        ExchangeFixture(
            e["event_id"],
            e["event_type"],
            e["competition"],
            e["event_name"],
            datetime.fromisoformat(e["market_start_time"]),
            tuple(e["runners"]),
        )
        for e in rows("right_events.jsonl")
    ]
    truth = {t["left_id"]: (t["right_id"], t["swapped"]) for t in rows("truth.jsonl")}
    kinds = {d.get("right_id") or d["left_id"]: d["kind"] for d in rows("decoys.jsonl")}
    return World(left, right, truth, kinds)


def count(score: Score, world: World, answer: Answer, seconds: float, doubts: int = 0) -> None:
    """Add what a method answered for a world to its score."""
    score.seconds += seconds
    score.true += len(world.truth)
    score.events += len(world.left)
    score.doubts += doubts
    for fixture in world.left:
        sport = score.by_sport[sport_of(fixture.sport_key).sport]
        true = world.truth.get(fixture.id)
        sport[2] += true is not None
        given = answer.get(fixture.id)
        if given is None:
            continue
        score.accepted += 1
        sport[0] += 1
        if true is not None and true[0] == given[0]:
            score.right += 1
            sport[1] += 1
            score.swapped_wrong += given[1] is not None and given[1] != true[1]
        else:
            kind = world.kinds.get(given[0]) or world.kinds.get(fixture.id) or "another true event"
            score.false_by_kind[kind.split(":")[0]] += 1


def kos(**options: Any) -> Callable[[World], tuple[Answer, int, float]]:
    """KOS's matcher with some of its means switched off, as a method."""

    def run(world: World) -> tuple[Answer, int, float]:
        matcher = Matcher(**options)
        start = time.process_time()
        found = matcher.match(world.left, world.right)
        seconds = time.process_time() - start
        answer: Answer = {
            m.left_id: (m.right_id, m.is_swapped)
            for m in found
            if m.verdict is Verdict.MATCH and m.right_id is not None
        }
        return answer, sum(m.verdict is Verdict.DOUBT for m in found), seconds

    return run


def naive(scorer: Any, cut: float, minutes: int) -> Callable[[World], tuple[Answer, int, float]]:
    """What most programs do: the best string score of ``home v away`` near the kickoff."""

    def run(world: World) -> tuple[Answer, int, float]:
        start = time.process_time()
        near: dict[int, list[ExchangeFixture]] = defaultdict(list)
        for event in world.right:
            near[int(event.kickoff.timestamp() // 3600)].append(event)
        answer: Answer = {}
        for fixture in world.left:
            hour = int(fixture.kickoff.timestamp() // 3600)
            span = timedelta(minutes=minutes)
            choices = {
                e.id: e.name.lower()
                for h in range(hour - 1 - minutes // 60, hour + 2 + minutes // 60)
                for e in near.get(h, ())
                if abs(e.kickoff - fixture.kickoff) <= span
            }
            query = f"{fixture.home} v {fixture.away}".lower()
            best = process.extractOne(query, choices, scorer=scorer, score_cutoff=cut)
            if best is not None:
                answer[fixture.id] = (best[2], None)
        return answer, 0, time.process_time() - start

    return run


def linkage(world: World) -> tuple[Answer, int, float]:
    """recordlinkage: blocks by sport and day, Jaro-Winkler per side, ECM, one to one by score."""
    pd: Any = importlib.import_module("pandas")  # optional, and not of KOS
    rl: Any = importlib.import_module("recordlinkage")

    start = time.process_time()

    def frame(rows: list[tuple[str, str, datetime, str, str]]) -> Any:
        table = pd.DataFrame(rows, columns=["id", "sport", "at", "home", "away"]).set_index("id")
        table["day"] = table["at"].map(lambda at: (at - timedelta(hours=5)).date().isoformat())
        return table

    left = frame(
        [
            (
                f.id,
                sport_of(f.sport_key).event_type or "",
                f.kickoff,
                f.home.lower(),
                f.away.lower(),
            )
            for f in world.left
        ]
    )
    sided = [(e, split_event(e.name)) for e in world.right]
    right = frame(
        [
            (e.id, e.event_type, e.kickoff, s[0].lower(), s[1].lower())
            for e, s in sided
            if s is not None
        ]
    )
    index = rl.Index()
    index.block(["sport", "day"])
    pairs = index.index(left, right)
    compare = rl.Compare()
    for side in ("home", "away"):
        compare.string(side, side, method="jarowinkler", threshold=0.8, label=side)
    features = compare.compute(pairs, left, right)
    apart = (
        left.loc[pairs.get_level_values(0), "at"].to_numpy()
        - right.loc[pairs.get_level_values(1), "at"].to_numpy()
    )
    features["near"] = (abs(pd.to_timedelta(apart)) <= pd.Timedelta(minutes=180)).astype(int)
    found = rl.ECMClassifier(binarize=0.5).fit_predict(features)
    one, other = left.to_dict("index"), right.to_dict("index")
    scored = sorted(
        (
            -min(JaroWinkler.similarity(one[a][side], other[b][side]) for side in ("home", "away")),
            a,
            b,
        )
        for a, b in found
    )
    answer: Answer = {}
    taken: set[str] = set()
    for _, a, b in scored:
        if a not in answer and b not in taken:
            answer[a] = (b, False)
            taken.add(b)
    return answer, 0, time.process_time() - start


METHODS: dict[str, Callable[[World], tuple[Answer, int, float]]] = {
    "KOS": kos(),
    "KOS, no learning": kos(learning=False),
    "KOS, no tables": kos(tables=None),
    "KOS, no tables, no learning": kos(tables=None, learning=False),
    "extractOne WRatio > 85, 15 min": naive(fuzz.WRatio, 85, 15),
    "extractOne WRatio > 85, 180 min": naive(fuzz.WRatio, 85, 180),
    "extractOne token_set > 85, 180 min": naive(fuzz.token_set_ratio, 85, 180),
}


def passes(world: World) -> dict[str, float]:
    """Seconds of a cold pass, of a repeat, and milliseconds of one sport key's changes."""
    matcher = Matcher()
    start = time.process_time()
    matcher.match(world.left, world.right)
    cold = time.process_time() - start
    repeats = []
    for _ in range(5):
        start = time.process_time()
        matcher.match(world.left, world.right)
        repeats.append(time.process_time() - start)
    by_key: dict[str, list[BookmakerFixture]] = defaultdict(list)
    for fixture in world.left:
        by_key[fixture.sport_key].append(fixture)
    same, moved = [], []
    for key, listed in by_key.items():
        start = time.process_time()
        matcher.update_left(key, list(listed))
        matcher.decide(key)
        same.append(time.process_time() - start)
        later = [
            msgspec.structs.replace(f, kickoff=f.kickoff + timedelta(minutes=1))
            for f in listed[:40]
        ]
        start = time.process_time()
        matcher.update_left(key, [*later, *listed[40:]])
        matcher.decide(key)
        moved.append(time.process_time() - start)
    moved.sort()
    return {
        "cold_s": round(cold, 4),
        "repeat_s": round(sorted(repeats)[2], 5),
        "key_unchanged_ms": round(sorted(same)[len(same) // 2] * 1e3, 3),
        "key_40_moved_median_ms": round(moved[len(moved) // 2] * 1e3, 2),
        "key_40_moved_worst_ms": round(moved[-1] * 1e3, 2),
    }


def report(title: str, worlds: list[World], methods: dict[str, Any]) -> list[dict[str, Any]]:
    """Run all methods over the worlds, print the tables, give them as data."""
    print(f"\n## {title}: {sum(len(w.left) for w in worlds)} x {sum(len(w.right) for w in worlds)}")
    print(
        f"{'method':36} {'precision':>9} {'recall':>7} {'false':>6} {'swapped':>7} {'doubts':>7} {'s':>6}"
    )
    scores = []
    for name, method in methods.items():
        score = Score(name)
        for world in worlds:
            answer, doubts, seconds = method(world)
            count(score, world, answer, seconds, doubts)
        scores.append(score)
        print(
            f"{name:36} {score.precision:9.5f} {score.recall:7.4f} {score.accepted - score.right:6d}"
            f" {score.swapped_wrong:7d} {score.doubts / score.events:7.2%} {score.seconds:6.2f}"
        )
    ours = scores[0]
    print(f"\n{'sport':18} {'accepted':>8} {'false':>6} {'true':>6} {'recall':>7}  (KOS)")
    for sport, (accepted, right, true) in sorted(ours.by_sport.items()):
        print(
            f"{sport:18} {accepted:8d} {accepted - right:6d} {true:6d} {right / max(true, 1):7.4f}"
        )
    kinds = sorted({k for s in scores for k in s.false_by_kind})
    if kinds:
        print("\nfalse matches by kind of trap")
        for kind in kinds:
            told = ", ".join(
                f"{s.method}: {s.false_by_kind[kind]}" for s in scores if s.false_by_kind[kind]
            )
            print(f"  {kind}: {told}")
    print(f"  KOS, zero errors in n bounds the error rate at 3/n: n = {ours.accepted}")
    return [
        {
            "title": title,
            **{k: v for k, v in vars(s).items() if k not in {"by_sport", "false_by_kind"}},
            "precision": s.precision,
            "recall": s.recall,
            "by_sport": dict(s.by_sport),
            "false_by_kind": dict(s.false_by_kind),
        }
        for s in scores
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of JSON lines with the truth")
    parser.add_argument("--clubs", type=Path, help="folder of *.clubs.txt")
    parser.add_argument("--seeds", type=int, default=10, help="worlds to draw from the clubs")
    parser.add_argument("--json", type=Path, help="write all figures there")
    options = parser.parse_args()
    methods = dict(METHODS)
    if importlib.util.find_spec("recordlinkage") is None:
        print("recordlinkage is not installed here: no entity-resolution library beside KOS")
    else:
        methods["recordlinkage, ECM"] = linkage
    told: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    if options.data is not None:
        world = load(options.data)
        told += report("given set", [world], methods)
        figures = passes(world)
        print("\npasses: " + ", ".join(f"{k} {v}" for k, v in figures.items()))
    if options.clubs is not None:
        countries = read_clubs(options.clubs)
        worlds = [make_world(countries, seed) for seed in range(options.seeds)]
        slow = {k: v for k, v in methods.items() if not k.startswith("recordlinkage")}
        told += report(f"{len(countries)} countries, {options.seeds} seeds", worlds, slow)
    if options.json is not None:
        options.json.write_text(json.dumps({"scores": told, "passes": figures}, indent=1))


if __name__ == "__main__":
    main()
