"""How many exchange calls the cache and its batches save, against asking for each market each time.

A simulated hour, second by second, with no clock and no network: matched events of 66 sport keys,
six operators who ask, and the scorer that must never see a price older than two minutes.

Three naive ways, each one call per market, from the most modest to the plainest:

* ``shown``: each matched market once per poll of its sport key, and those that an answer shows;
* ``as_fresh``: each matched market once per TTL, so that prices are as fresh as KOS keeps them;
* ``every_event``: each matched event's market at each question, as ranking them all needs.

KOS: :class:`PriceCache` plans batches; questions are answered from memory and hurry what is older
than half a minute.

    python benchmarks/exchange_calls.py [--seed N] [--markets N] [--depth N]

Prints one JSON object. Deterministic for a seed.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kos.domain.market.quotes import MarketBook
from kos.domain.polling.exchange_cache import (
    CachePolicy,
    PriceCache,
    Want,
    books_per_call,
    urgency_of,
)

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR_S = 3600
SPORT_KEYS = 66
POLL_S = 300
"""A sport key is polled about this often on the larger credit plans."""
OPERATORS = 6
ASK_EVERY_S = 90.0
"""Mean time between two questions of one operator on a busy afternoon."""
SHOWN = 10
"""Opportunities in an answer, each with a market of its own."""
HURRY_AGE_S = 30.0
ANSWER_S = 1


@dataclass
class Tally:
    """What one simulated hour cost and brought."""

    naive_refreshes: int = 0
    naive_questions: int = 0
    calls: int = 0
    markets_read: int = 0
    questions: int = 0
    oldest_s: float = 0.0
    over_ttl: int = 0
    age_sum_s: float = 0.0
    ages: int = 0
    pending: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)


def book(market_id: str, at: datetime) -> MarketBook:
    """A book whose prices do not matter."""
    return MarketBook(
        market_id=market_id,
        status="OPEN",
        is_in_play=False,
        is_delayed=False,
        version=1,
        runners=(),
        received_at=at,
    )


def simulate(seed: int, markets: int, depth: int) -> Tally:
    """Run the hour."""
    draw = random.Random(seed)
    ids = [f"1.{n}" for n in range(markets)]
    key_of = {id_: draw.randrange(SPORT_KEYS) for id_ in ids}
    kickoff = {id_: START + timedelta(hours=draw.uniform(1.2, 72)) for id_ in ids}
    ranking = draw.sample(ids, markets)
    # 1 second of answer; the policy's other values are what KOS runs with.
    cache = PriceCache(CachePolicy(markets_per_call=books_per_call(depth)))
    asks = sorted(
        (
            draw.uniform(0, HOUR_S),
            draw.randrange(max(1, markets - SHOWN)) if draw.random() < 0.3 else 0,
        )
        for _ in range(round(OPERATORS * HOUR_S / ASK_EVERY_S))
    )
    phase = [draw.randrange(POLL_S) for _ in range(SPORT_KEYS)]
    per_key = [sum(1 for key in key_of.values() if key == k) for k in range(SPORT_KEYS)]
    tally = Tally()
    for second in range(HOUR_S):
        now = START + timedelta(seconds=second)
        if second % 60 == 0:
            place = {id_: rank for rank, id_ in enumerate(ranking)}
            cache.want(
                [Want(id_, urgency_of(kickoff[id_] - now, place[id_], 20)) for id_ in ids], now
            )
        tally.naive_refreshes += sum(
            per_key[key] for key in range(SPORT_KEYS) if second % POLL_S == phase[key]
        )
        for due, batch in [each for each in tally.pending if each[0] <= second]:
            tally.pending.remove((due, batch))
            cache.answered(batch, [book(id_, now) for id_ in batch], now)
        while asks and asks[0][0] <= second:
            _, first = asks.pop(0)
            shown = ranking[first : first + SHOWN]
            tally.questions += 1
            tally.naive_questions += len(shown)
            for id_ in shown:
                held = cache.read(id_, now)
                if held is not None:
                    tally.age_sum_s += held.age_s
                    tally.ages += 1
            cache.hurry(shown, now, HURRY_AGE_S)
        for batch in cache.plan(now):
            cache.asked(batch, now)
            tally.calls += 1
            tally.markets_read += len(batch)
            tally.pending.append((second + ANSWER_S, batch))
        if second >= 120:
            for id_ in ids:
                held = cache.read(id_, now)
                age_s = HOUR_S if held is None else held.age_s
                tally.oldest_s = max(tally.oldest_s, age_s)
                tally.over_ttl += age_s > 120
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markets", type=int, default=600)
    parser.add_argument("--depth", type=int, default=3)
    given = parser.parse_args()
    tally = simulate(given.seed, given.markets, given.depth)
    ttl_s = CachePolicy().ttl_s
    naive = {
        "shown": tally.naive_refreshes + tally.naive_questions,
        "as_fresh": round(given.markets * HOUR_S / ttl_s),
        "every_event": tally.questions * given.markets,
    }
    print(
        json.dumps(
            {
                "seed": given.seed,
                "markets": given.markets,
                "depth": given.depth,
                "questions": tally.questions,
                "naive_calls": naive,
                "kos_calls": tally.calls,
                "saved": {way: round(1 - tally.calls / calls, 4) for way, calls in naive.items()},
                "kos_markets_per_call": round(tally.markets_read / max(1, tally.calls), 1),
                "kos_oldest_price_s": tally.oldest_s,
                "kos_prices_over_ttl": tally.over_ttl,
                "kos_mean_age_when_asked_s": round(tally.age_sum_s / max(1, tally.ages), 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
