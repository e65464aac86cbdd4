"""Looks at this machine and at what KOS keeps on it."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
import sys
import zoneinfo
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from kos.asking import Asker
from kos.config.described import rows
from kos.config.settings import RUN_DIR_NAME, tables
from kos.db import FILE_NAME
from kos.doctor import judge
from kos.doctor.finding import Finding
from kos.doctor.subject import ExaminedSystem
from kos.errors import KosError
from kos.messages import LEDGER, LedgerVerified, VerifyLedger
from kos.observability.redact import Redactor
from kos.runtime import RuntimeFault
from kos.runtime.client import is_alive
from kos.runtime.rundir import read_record
from kos.service.heartbeat import read
from kos.service.unit import UNIT_FILE, is_current
from kos.storage.migrations import open_as_it_is
from kos.storage.verify import verify

_PACKAGE = "kos-engine"
_ASK_S = 15.0


def python(_: ExaminedSystem) -> Sequence[Finding]:
    """The interpreter, and every package that the distribution asks for."""
    missing: list[str] = []
    old: dict[str, str] = {}
    for line in _requirements():
        requirement, _sign, condition = line.partition(";")
        name, at_least, wanted = requirement.strip().partition(">=")
        if "extra" in condition:
            continue
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if at_least and _release(version) < _release(wanted):
            old[name] = f"{version}, at least {wanted} is needed"
    return (judge.python((sys.version_info.major, sys.version_info.minor), missing, old),)


def _requirements() -> list[str]:
    try:
        return metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        return []  # a source tree that was never installed says nothing of what it needs


def _release(version: str) -> tuple[int, ...]:
    """The numbers at the front of a version; what follows them does not matter here."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def settings(subject: ExaminedSystem) -> Sequence[Finding]:
    """Every problem of the settings at once."""
    file = str(subject.file) if subject.file.is_file() else f"{subject.file} (absent)"
    return (judge.settings(subject.problems, file, len(subject.origins)),)


def secrets(subject: ExaminedSystem) -> Sequence[Finding]:
    """Which secrets are set, and from where."""
    listed = rows(subject.settings, subject.origins)
    sources = {row.key: row.source for row in listed if row.is_secret and row.source != "default"}
    return (judge.secrets(sources),)


def redaction(subject: ExaminedSystem) -> Sequence[Finding]:
    """The log's redaction on planted secrets, and on those of the settings."""
    planted = {
        "a key in an address": ("https://127.0.0.1/v4?apiKey={}&x=1", "planted-4c1d9e"),
        "a password in JSON": ('{{"password": "{}"}}', "planted-4c1d9e"),
        "a login in an address": ("http://user:{}@127.0.0.1:1", "planted-4c1d9e"),
        "a session header": ("X-Authentication: {}", "planted-4c1d9e"),
        "a bot token": ("/bot{}/getMe", "123456789:" + "planted4c1d9e" * 3),
    }
    for number, secret in enumerate(subject.settings.secrets(), 1):
        planted[f"secret {number} of the settings"] = ("a line that says {}", secret)
    redactor = Redactor(subject.settings.secrets())
    leaks = [
        name
        for name, (line, secret) in planted.items()
        if secret in redactor.text(line.format(secret))
    ]
    return (judge.redaction(leaks),)


def state_dir(subject: ExaminedSystem) -> Sequence[Finding]:
    """The state directory, or the place where it would be made."""
    folder = subject.state_dir
    nearest = _nearest(folder)
    mode, is_own = None, True
    if nearest == folder:
        status = folder.stat()
        mode, is_own = stat.S_IMODE(status.st_mode), status.st_uid == os.geteuid()
    is_writable = os.access(nearest, os.W_OK | os.X_OK)
    return (judge.state_dir(str(folder), mode, is_own, is_writable),)


def disk(subject: ExaminedSystem) -> Sequence[Finding]:
    """Free space and the kind of file system under the state directory."""
    folder = _nearest(subject.state_dir)
    free = shutil.disk_usage(folder).free
    mounts = Path("/proc/self/mountinfo")
    kind = file_system_of(folder.resolve(), mounts.read_text("utf-8")) if mounts.exists() else ""
    return judge.disk(free, str(folder)), judge.file_system(kind, str(folder))


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def file_system_of(folder: Path, mountinfo: str) -> str:
    """The kind of the file system that holds ``folder``, of the kernel's list of mounts."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def open_files(_: ExaminedSystem) -> Sequence[Finding]:
    """The limit that a daemon started from here would have."""
    return (judge.open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),)


def time_zones(_: ExaminedSystem) -> Sequence[Finding]:
    """Whether British time can be reckoned."""
    try:
        is_known = bool(zoneinfo.ZoneInfo("Europe/London"))
    except zoneinfo.ZoneInfoNotFoundError:
        is_known = False
    return (judge.time_zones(is_known),)


def unit(_: ExaminedSystem) -> Sequence[Finding]:
    """The installed systemd unit, against the one of this KOS."""
    is_there = UNIT_FILE.is_file()
    is_same = is_there and is_current(UNIT_FILE.read_text("utf-8"))
    return (judge.unit(is_there=is_there, is_same=is_same),)


def ports(subject: ExaminedSystem) -> Sequence[Finding]:
    """Every table that listens: one with a ``host``, a ``port`` and ``is_enabled``."""
    findings = []
    for table in tables():
        one = getattr(subject.settings, table)
        host, port = getattr(one, "host", None), getattr(one, "port", 0)
        if isinstance(host, str) and port and getattr(one, "is_enabled", True):
            is_up = subject.system is not None
            is_free = is_up or _is_free(host, port)
            findings.append(
                judge.port(table, f"{host}:{port}", is_free=is_free, is_daemon_up=is_up)
            )
    return findings


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


def daemon(subject: ExaminedSystem) -> Sequence[Finding]:
    """Whether it answers, and what its run directory says."""
    try:
        pid = read_record(subject.state_dir / RUN_DIR_NAME).pid
    except RuntimeFault:
        pid = 0
    return (
        judge.daemon(
            answers=subject.system is not None,
            recorded_pid=pid,
            is_alive=bool(pid) and is_alive(pid),
        ),
    )


def heartbeat(subject: ExaminedSystem) -> Sequence[Finding]:
    """The heartbeat file's age."""
    age_s: float | None = None
    try:
        written_at = read(subject.state_dir / "heartbeat.json").written_at
        age_s = (datetime.now(UTC) - written_at).total_seconds()
    except (OSError, msgspec.MsgspecError):
        pass
    every_s = subject.settings.service.heartbeat_s
    return (judge.heartbeat(age_s, every_s, is_daemon_up=subject.system is not None),)


def database(subject: ExaminedSystem) -> Sequence[Finding]:
    """The ledger, verified by the daemon where it runs, else read as it is."""
    path = subject.state_dir / FILE_NAME
    if not path.exists():
        return (judge.database((), None),)
    try:
        if subject.client is not None:
            asker = Asker(subject.client.ask)
            verified = asker.ask(LEDGER, VerifyLedger(), LedgerVerified, _ASK_S)
        else:
            with closing(open_as_it_is(path)) as database:
                verified = verify(database, path)
    except KosError as error:
        return (judge.database((str(error),), None),)
    return (judge.database(verified.problems, verified.counts.get("commands", 0)),)
