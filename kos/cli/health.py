"""``kos health`` and ``kos status``: a daemon as its heartbeat file shows it, without asking it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, print_json, settings_of
from kos.config.settings import Settings
from kos.errors import WaitAndRetry
from kos.runtime.client import is_alive
from kos.service.health import HealthState, Judgement, Seen, judge
from kos.service.heartbeat import FILE_NAME, Heartbeat, boot_id, read


def health(
    *,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing; use the exit code.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when degraded, not only when failed.")
    ] = False,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Show whether KOS is ok, degraded or failed, from its heartbeat file only.

    Exits 0 when it is ok or degraded, 1 when it has failed or does not run. Degraded is what
    KOS works around by itself, so a container is not to be restarted for it.
    """
    answer: dict[str, Any]
    try:
        beat, judgement = find_pulse(settings_of(config, state_dir))
    except WaitAndRetry as absent:
        reasons = (str(absent),)
        answer = {"state": HealthState.FAILED, "reasons": reasons, "age_s": None, "pid": None}
    else:
        answer = {**msgspec.structs.asdict(judgement), "pid": beat.pid}
    if as_json:
        print_json(answer)
    elif not quiet:
        typer.echo(answer["state"])
        for reason in answer["reasons"]:
            typer.echo(f"  {reason}")
    if answer["state"] is HealthState.FAILED or (strict and answer["state"] is not HealthState.OK):
        sys.exit(1)


def status(
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Show nodes, actors, ages, credits and restarts, from the last heartbeat.

    It is read from the heartbeat file and asks no one, so that it also works while the daemon
    hangs, and after its end.
    """
    beat, judgement = find_pulse(settings_of(config, state_dir))
    if as_json:
        brief = replace(beat, system=replace(beat.system, nodes=()))
        facts = {"health": judgement, "system": beat.system, "budget": beat.credits}
        print_json({**facts, "heartbeat": brief})
        return
    from kos.cli.tables import console, status_tables

    screen = console()
    for table in status_tables(beat, judgement):
        screen.print(table)


def find_pulse(settings: Settings) -> tuple[Heartbeat, Judgement]:
    """The heartbeat of these settings' daemon, else of the one on the sandbox, and how it is.

    Where the real one's is of a daemon that has ended and the sandbox's lives, it is the latter.

    Raises:
        WaitAndRetry: No daemon has run here, or its heartbeat is of another version.
    """
    folders = (settings.state_dir, settings.sandbox_state_dir)
    beats = [beat for folder in folders if (beat := _read(folder / FILE_NAME)) is not None]
    if not beats:
        raise WaitAndRetry(
            "daemon", f"No heartbeat file in {settings.state_dir}. Start KOS with: kos run"
        )
    beat = next((candidate for candidate in beats if is_alive(candidate.pid)), beats[0])
    seen = Seen(
        now=datetime.now(UTC),
        monotonic_s=time.monotonic(),
        boot_id=boot_id(),
        is_process_there=is_alive(beat.pid),
    )
    return beat, judge(beat, seen)


def _read(path: Path) -> Heartbeat | None:
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WaitAndRetry("daemon", f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise WaitAndRetry(
            "daemon", f"{path} is from another version of KOS ({error}). Restart the daemon"
        ) from error
