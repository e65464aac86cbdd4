"""``kos health``: a status and an exit code, for cron, a container or a monitor."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, print_json, settings_of
from kos.errors import WaitAndRetry


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
    from kos.cli.pulse import find_pulse
    from kos.service.health import HealthState

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
