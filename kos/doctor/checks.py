"""The table of all checks, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kos.doctor import machine, remotes
from kos.doctor.examine import Check
from kos.doctor.finding import Finding
from kos.doctor.subject import ExaminedSystem


def checks_of(subject: ExaminedSystem) -> tuple[Check, ...]:
    """Every check that makes sense for these settings."""
    looks: tuple[tuple[str, Callable[[ExaminedSystem], Sequence[Finding]]], ...] = (
        ("python", machine.python),
        ("settings", machine.settings),
        ("secrets", machine.secrets),
        ("log redaction", machine.redaction),
        ("state directory", machine.state_dir),
        ("disk", machine.disk),
        ("database", machine.database),
        ("daemon", machine.daemon),
        ("heartbeat", machine.heartbeat),
        ("ports", machine.ports),
        ("open files", machine.open_files),
        ("time zones", machine.time_zones),
        ("systemd unit", machine.unit),
        ("clock", remotes.clock),
        ("proxies", remotes.proxies),
        ("odds api", remotes.odds_api),
        ("betfair", remotes.betfair),
        ("telegram", remotes.telegram),
    )
    return tuple(Check(name, partial(look, subject)) for name, look in looks)
