"""What the values found mean. Pure: no file, no clock, no network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from kos.doctor.finding import Finding, failure, ok, warning
from kos.errors import AccessRefused, KosError, RateLimited

_MB = 1_000_000
_OLDEST_PYTHON = (3, 11)
_DISK_WARNING_MB = 1_000
_DISK_FAILURE_MB = 100
_SKEW_WARNING_S = 2.0
_SKEW_FAILURE_S = 30.0
_FILES_NEEDED = 512
_OTHERS = 0o077
_STALE_BEATS = 4
_OK, _UNAUTHORIZED, _NOT_FOUND, _CONFLICT = 200, 401, 404, 409

_REMOTE_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"}
)


def python(version: tuple[int, int], missing: Iterable[str], old: Mapping[str, str]) -> Finding:
    """The interpreter and the packages that KOS needs.

    Args:
        version: Of Python.
        missing: Packages that are not installed.
        old: Package to ``found, wanted``, for those that are too old.
    """
    check = "python"
    spoken = ".".join(map(str, version))
    if version < _OLDEST_PYTHON:
        return failure(check, f"Python {spoken}", "install KOS under Python 3.11 or newer")
    broken = [f"{name} is missing" for name in missing]
    broken += [f"{name} is {versions}" for name, versions in old.items()]
    if broken:
        return failure(check, "; ".join(broken), "install KOS again: pip install --upgrade")
    return ok(check, f"Python {spoken}, all packages installed")


def settings(problems: tuple[str, ...], file: str, values_set: int) -> Finding:
    """Whether the settings are valid."""
    if problems:
        return failure("settings", "; ".join(problems), "fix them, then run: kos config check")
    return ok("settings", f"{values_set} set by you; file {file}")


def secrets(sources: Mapping[str, str]) -> Finding:
    """Where the secrets come from. Files that others can read are refused with the settings.

    Args:
        sources: Key of each secret that is set, to where it comes from.
    """
    exposed = sorted(key for key, source in sources.items() if source.startswith("$"))
    if exposed:
        found = f"in the environment, which every child process inherits: {', '.join(exposed)}"
        remedy = "put each in a file with mode 0600 or in systemd's credentials; see configure.md"
        return warning("secrets", found, remedy)
    safe = f"{len(sources)} set, none exposed in the environment" if sources else "none set"
    return ok("secrets", safe)


def odds_key(
    error: KosError | None, remaining: int | None, used: int | None, allowance: int, reserve: int
) -> Finding:
    """The odds feed's answer to a free question, or the error in its place."""
    check = "odds api"
    if error is not None:
        return _refusal(check, error)
    if remaining is None:
        return warning(
            check, "the key works; the feed does not report credits", "check your account"
        )
    plan = remaining + (used or 0)
    if remaining <= reserve:
        found = f"the key works; {remaining:,} credits left, including {reserve:,} in reserve"
        remedy = "wait until the 1st of the month, or upgrade your plan and set monthly_credits"
        return warning(check, found, remedy)
    if used is not None and plan < allowance:
        found = f"your plan has {plan:,} credits a month, but the settings say {allowance:,}"
        return warning(check, found, f"set odds_api.monthly_credits to {plan}")
    return ok(check, f"the key works; {remaining:,} credits left this month")


def no_odds_key() -> Finding:
    """Without a key there are no real markets."""
    return warning(
        "odds api",
        "no key: KOS will run on simulated markets",
        "set odds_api.key, ideally as the credential odds-api-key",
    )


def betfair(error: KosError | None) -> Finding:
    """Whether a login worked."""
    return ok("betfair", "the login works") if error is None else _refusal("betfair", error)


def actor_pulse(check: str, actor: str, state: str, pulse: Mapping[str, object]) -> Finding:
    """The running daemon's own report, where a second call to the remote would disturb it."""
    if problem := pulse.get("problem"):
        return failure(check, f"the daemon says: {problem}", "fix that; see the log for details")
    if state != "running":
        return failure(check, f"the daemon's {actor} is {state}", "see kos status and the log")
    return ok(check, "working in the running daemon")


def telegram_token(status: int, username: str) -> Finding:
    """The answer to ``getMe``."""
    check = "telegram"
    if status == _OK:
        return ok(check, f"token belongs to @{username}")
    if status in {_UNAUTHORIZED, _NOT_FOUND}:
        return failure(
            check, f"Telegram refuses the token ({status})", "copy it again from @BotFather"
        )
    return failure(check, f"Telegram replies {status}", "try again later")


def telegram_webhook(url_host: str) -> Finding:
    """The answer to ``getWebhookInfo``; while a webhook is set, no one can poll."""
    check = "telegram webhook"
    if url_host:
        remedy = "delete it with deleteWebhook: another program uses this bot, or used to"
        return failure(check, f"updates are being sent to a webhook at {url_host}", remedy)
    return ok(check, "none is set")


def telegram_poller(status: int) -> Finding:
    """The answer to ``getUpdates``."""
    check = "telegram poller"
    if status == _CONFLICT:
        remedy = "stop it, or create a separate bot for KOS"
        return failure(check, "another program is using this token", remedy)
    if status != _OK:
        return warning(check, f"Telegram replies {status}", "try again later")
    return ok(check, "no other program is using this token")


def clock(skew_s: float) -> Finding:
    """How far this machine's clock is ahead of a remote's (negative: behind), in seconds."""
    check = "clock"
    side = "ahead of" if skew_s > 0 else "behind"
    difference = f"{abs(skew_s):.1f}s {side} the odds feed"
    remedy = "synchronise the clock: timedatectl set-ntp true"
    if abs(skew_s) > _SKEW_FAILURE_S:
        return failure(check, f"{difference}: price ages would be wrong", remedy)
    if abs(skew_s) > _SKEW_WARNING_S:
        return warning(check, difference, remedy)
    return ok(check, "matches the odds feed")


def time_zones(is_known: bool) -> Finding:
    """Whether the operating system or a package knows Europe/London."""
    if is_known:
        return ok("time zones", "Europe/London found")
    return failure("time zones", "no time zone data", "install tzdata")


def disk(free_bytes: int, folder: str) -> Finding:
    """The free space for the state."""
    check, free_mb = "disk", free_bytes // _MB
    found = f"{free_mb} MB free at {folder}"
    remedy = "free up space: the ledger cannot save without it"
    if free_mb < _DISK_FAILURE_MB:
        return failure(check, found, remedy)
    if free_mb < _DISK_WARNING_MB:
        return warning(check, found, remedy)
    return ok(check, f"{free_mb / 1000:.1f} GB free at {folder}")


def file_system(kind: str, folder: str) -> Finding:
    """The kind of disk that holds the state."""
    check = "file system"
    if kind in _REMOTE_DISKS:
        found = f"{folder} is on {kind}, where SQLite can lose data"
        return failure(check, found, "set service.state_dir to a folder on a local disk")
    if kind in {"tmpfs", "ramfs"}:
        found, remedy = f"in memory ({kind})", "use a disk: a power cut would erase the books"
        return warning(check, f"{folder} is {found}", remedy)
    if kind == "overlay":
        remedy = "mount a volume, or the next update will delete it"
        return warning(check, f"{folder} is in the container itself", remedy)
    return ok(check, f"local disk ({kind or 'unknown type'})")


def state_dir(folder: str, mode: int | None, is_own: bool, is_writable: bool) -> Finding:
    """Who can read the state directory.

    Args:
        folder: Its path.
        mode: Its permissions; None where it does not exist.
        is_own: It belongs to this user.
        is_writable: This user can write into it, or make it.
    """
    check = "state directory"
    if not is_writable:
        return failure(check, f"{folder} cannot be written to", "give it to the user who runs KOS")
    if mode is None:
        return ok(check, f"{folder} will be created on first start")
    if not is_own:
        return failure(check, f"{folder} belongs to another user", "run this as the service's user")
    if mode & _OTHERS:
        return warning(check, f"{folder} is open to others ({mode:04o})", f"chmod 700 {folder}")
    return ok(check, f"{folder} is private")


def database(problems: tuple[str, ...], entries: int | None) -> Finding:
    """The result of verifying the ledger; ``entries`` is None where there is no ledger yet."""
    check = "database"
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        remedy = "run kos ledger verify for the full list; restore a backup with kos ledger restore"
        return failure(check, problems[0] + more, remedy)
    if entries is None:
        return ok(check, "none yet; created on first start")
    return ok(check, f"sound: integrity, schema and books checked; {entries:,} commands")


def proxies(error: KosError | None) -> Finding:
    """Whether a proxy session lets a call through."""
    return (
        ok("proxies", "allow outgoing connections") if error is None else _refusal("proxies", error)
    )


def port(check: str, address: str, is_free: bool, is_daemon_up: bool) -> Finding:
    """Whether the daemon can listen on its address."""
    if is_daemon_up:
        return ok(check, f"{address} in use by this daemon")
    if is_free:
        return ok(check, f"{address} is free")
    return failure(
        check, f"{address} is in use by another program", f"choose another port in [{check}]"
    )


def daemon(answers: bool, recorded_pid: int, is_alive: bool) -> Finding:
    """Whether KOS is running, and what an earlier run left behind."""
    check = "daemon"
    if answers:
        return ok(check, f"running (process {recorded_pid})" if recorded_pid else "running")
    if not recorded_pid:
        return ok(check, "not running")
    process = f"process {recorded_pid}"
    if is_alive:
        remedy = f"run kill -USR1 {recorded_pid} to log its stack traces, then restart it"
        return failure(check, f"{process} holds the lock and is not responding", remedy)
    remedy = "see the end of the log; the next start will clean up"
    return warning(check, f"{process} ended without cleaning up", remedy)


def heartbeat(age_s: float | None, every_s: float, is_daemon_up: bool) -> Finding:
    """How old the heartbeat file is; None where there is none."""
    check = "heartbeat"
    if not is_daemon_up:
        return ok(check, "the daemon is not running")
    if age_s is None:
        remedy = "see the log; check that the disk is not full"
        return failure(check, "the daemon is running but has written none", remedy)
    if age_s > max(_STALE_BEATS * every_s, 10.0):
        return failure(
            check, f"{age_s:.0f}s old, should be written every {every_s:g}s", "see the log"
        )
    return ok(check, f"{max(age_s, 0):.0f}s old")


def open_files(limit: int) -> Finding:
    """The soft limit of open files."""
    check, found = "open files", f"limit {limit:,} per process"
    if 0 <= limit < _FILES_NEEDED:
        return warning(check, found, "raise it with ulimit -n 8192, or LimitNOFILE in the unit")
    return ok(check, "no limit" if limit < 0 or limit == math.inf else found)


def redaction(leaks: Iterable[str]) -> Finding:
    """Which test secrets the log did not mask."""
    through = sorted(leaks)
    check = "log redaction"
    if through:
        return failure(check, f"not masked: {', '.join(through)}", "report this as a bug in KOS")
    return ok(check, "every secret is masked, including test secrets")


def unit(is_there: bool, is_same: bool) -> Finding:
    """Whether the installed systemd unit is the one this version would install."""
    check = "systemd unit"
    if not is_there:
        return ok(check, "not installed (optional)")
    if not is_same:
        return warning(
            check,
            "differs from the unit this version would install",
            "run kos service install, then systemctl daemon-reload; keep your own changes in a "
            "drop-in (systemctl edit kos)",
        )
    return ok(check, "up to date")


def _refusal(check: str, error: KosError) -> Finding:
    if isinstance(error, AccessRefused):
        return failure(check, f"{error.remote} refused access ({error.code})", error.remedy)
    if isinstance(error, RateLimited):
        return warning(
            check, str(error), "poll less often; another program may be using the same key"
        )
    return failure(check, str(error), "check the network, the address and the proxy; try again")
