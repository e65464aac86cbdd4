"""From a person's word to the bot's answer: `/qualifier_coral` in the whole daemon beside a bare echo bot.

    python benchmarks/telegram.py [--rounds 200] [--out result.json]

The daemon has the sandbox's sport keys loaded (66 of them) and its bot polls the sandbox's Bot
API. An echo bot, aiogram with one handler and nothing else, in a process of its own, polls a second
server of the same emulator in the same process. They are asked in turn, each when it waits in its
long poll, so that what else the machine does weighs on both.

* ``kos_ms``: from just before the person's client calls the server to the answer's arrival there.
* ``echo_ms``: the same of the echo bot: what Telegram's way costs without anything behind it.
* ``desk_ms``: the same question asked of the daemon's desk without Telegram, as `kos chat` does.
  It is asked after the bot, when everything is warm, so it is no share of ``kos_ms``.
* ``difference_ms``: of the medians and of the 99th percentiles: what KOS adds.

JSON on standard output. The people are many, as KOS sends one chat no more than a message a
second; what each is shown is alike.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if __name__ == "__main__":
    sys.path.insert(0, ROOT)

from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.messages import GetOpportunities, OperatorAnswered, OperatorSaid, OpportunitiesRanked
from kos.runtime import RuntimeFault
from kos.sandbox import Sandbox
from kos.sandbox.telegram_user import TelegramUser
from tests.system.conftest import MONTHLY_CREDITS, Daemon

COMMAND = "/qualifier_coral"
SPORT_KEYS = 66
FIRST_PERSON = 1_000
WORDS_EACH = 3
"""Fewer than the burst that KOS allows one chat."""
START_S = 300.0
PATIENCE_S = 60.0


async def echo(url: str, token: str) -> None:
    """The echo bot; ends when it is told to."""
    from aiogram import Bot, Dispatcher  # noqa: PLC0415 - the daemon's driver needs none of it
    from aiogram.client.session.aiohttp import AiohttpSession  # noqa: PLC0415
    from aiogram.client.telegram import TelegramAPIServer  # noqa: PLC0415
    from aiogram.types import Message  # noqa: PLC0415

    dispatcher = Dispatcher()

    async def say_back(message: Message) -> None:
        await message.answer(message.text or "?")

    dispatcher.message.register(say_back)
    session = AiohttpSession(api=TelegramAPIServer.from_base(url))
    async with Bot(token, session=session) as bot:
        await dispatcher.start_polling(bot, polling_timeout=30)


@contextmanager
def echo_bot(telegram: TelegramUser) -> Iterator[None]:
    """Runs the echo bot in a process of its own."""
    order = [sys.executable, __file__, "--echo", telegram.url, telegram.token]
    with subprocess.Popen(order) as process:
        try:
            yield
        finally:
            process.terminate()


class Answers:
    """The answers of one bot, timed by the server."""

    def __init__(self, telegram: TelegramUser) -> None:
        self.telegram = telegram
        self.count = len(telegram.calls("sendMessage"))
        self.took_ms: list[float] = []
        self.texts: set[str] = set()

    def ask(self, person: int) -> None:
        """One word and its answer."""
        self.telegram.wait_for_poll(timeout_s=PATIENCE_S)
        began = time.time()
        self.telegram.say(person, COMMAND)
        self.count += 1
        calls = self.telegram.wait_for_calls("sendMessage", self.count, timeout_s=PATIENCE_S)
        answer = calls[self.count - 1]
        if answer.parameters["chat_id"] != str(person):
            raise SystemExit(f"an answer to somebody else: {answer.parameters}")
        self.took_ms.append((answer.at - began) * 1000)
        self.texts.add(str(answer.parameters["text"]).partition("\n")[0])


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 2),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "most": round(ordered[-1], 2),
        "count": len(ordered),
    }


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            if holds():
                return
        except RuntimeFault:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"not reached in {START_S:g} s: {what}")
        time.sleep(0.1)


def loaded(daemon: Daemon) -> int:
    """Sport keys whose prices have been polled."""
    feeds = daemon.node("feeds")
    return sum(
        each.name.startswith("fetcher.") and bool(each.pulse.get("fetched_at"))
        for each in feeds.actors
    )


def ask_desk(daemon: Daemon, number: int) -> float:
    said = OperatorSaid(
        said_id=f"terminal:bench:{number}",
        user=f"telegram:{FIRST_PERSON}",
        name="bench",
        chat="terminal:bench",
        text=COMMAND,
        said_at=datetime.now(UTC),
    )
    began = time.perf_counter()
    answer = daemon.client().ask("desk", said, timeout_s=PATIENCE_S)
    took_ms = (time.perf_counter() - began) * 1000
    if not isinstance(answer, OperatorAnswered) or not answer.answers:
        raise SystemExit(f"the desk did not answer: {answer}")
    return took_ms


def measure(rounds: int) -> dict[str, object]:
    people = range(FIRST_PERSON, FIRST_PERSON + rounds // WORDS_EACH + 2)
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100) as sandbox,
        Sandbox(seed=7, tempo=1e-9) as bare,
    ):
        kos = TelegramUser(sandbox.telegram_url, sandbox.addresses.telegram_token)
        other = TelegramUser(bare.telegram_url, bare.addresses.telegram_token)
        for each in people:
            kos.meet(each, name="P")
            other.meet(each, name="P")
        daemon = Daemon(
            sandbox,
            Path(folder),
            KOS_ODDS_API__MIN_INTERVAL_S="1800",
            KOS_ODDS_API__MAX_SPORTS=str(SPORT_KEYS),
            KOS_TELEGRAM__TOKEN=kos.token,
            KOS_TELEGRAM__URL=kos.url,
            KOS_TELEGRAM__ADMINS=",".join(str(each) for each in people),
        )
        try:
            with echo_bot(other):
                wait_until(lambda: loaded(daemon) >= SPORT_KEYS, "every sport key is polled")
                kos.wait_for_poll(timeout_s=START_S)
                other.wait_for_poll(timeout_s=START_S)
                # Everybody's menu is set at the start; those calls are not to be measured.
                kos.wait_for_calls("setMyCommands", len(people), timeout_s=START_S)
                return asked(daemon, Answers(kos), Answers(other), rounds)
        finally:
            daemon.stop()


def asked(daemon: Daemon, kos: Answers, bare: Answers, rounds: int) -> dict[str, object]:
    """Both in turn, and the desk alone."""
    kos.ask(FIRST_PERSON)  # the first word finds everything cold
    bare.ask(FIRST_PERSON)
    first_ms = kos.took_ms.pop()
    bare.took_ms.pop()
    desk_ms = []
    for number in range(rounds):
        person = FIRST_PERSON + 1 + number // WORDS_EACH
        for each in (kos, bare) if number % 2 else (bare, kos):
            each.ask(person)
        desk_ms.append(ask_desk(daemon, number))
    question = GetOpportunities(query=OpportunityQuery(limit=1))
    answer = daemon.client().ask("scorer", question, timeout_s=PATIENCE_S)
    if not isinstance(answer, OpportunitiesRanked):
        raise SystemExit(f"the scorer did not answer: {answer}")
    with_kos, without = spread(kos.took_ms), spread(bare.took_ms)
    return {
        "command": COMMAND,
        "answered": sorted(kos.texts),
        "sport_keys": loaded(daemon),
        "pairs_considered": answer.answer.considered,
        "kos_ms": with_kos,
        "echo_ms": without,
        "desk_ms": spread(desk_ms),
        "first_word_ms": round(first_ms, 2),
        "difference_ms": {
            each: round(with_kos[each] - without[each], 2) for each in ("p50", "p99")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--echo", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.echo:
        asyncio.run(echo(*given.echo))
        return
    result = {
        "machine": {
            "cpus": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 2),
            "python": platform.python_version(),
        },
        **measure(given.rounds),
    }
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
