"""What commands read of a daemon without asking it: its heartbeat file, and whether it lives."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos.config.settings import Settings
from kos.errors import WaitAndRetry
from kos.runtime.client import is_alive
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
