"""What commands read of a daemon without asking it: its heartbeat file, and whether it lives."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos.config.settings import Settings
from kos.errors import WaitAndRetry
from kos.service.health import Judgement, Seen, judge
from kos.service.heartbeat import FILE_NAME, Heartbeat, boot_id, read


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
    beat = next((candidate for candidate in beats if _is_there(candidate.pid)), beats[0])
    return beat, judge(beat, _seen(beat))


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


def _seen(beat: Heartbeat) -> Seen:
    return Seen(
        now=datetime.now(UTC),
        monotonic_s=time.monotonic(),
        boot_id=boot_id(),
        is_process_there=_is_there(beat.pid),
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
