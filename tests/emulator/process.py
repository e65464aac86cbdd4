"""Installs the emulator once, by npm from the lock file beside this, and runs it on a free port."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kos.sandbox.telegram_user import TelegramUser
from tests.telegram_world import TelegramWorld

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".emulator"
TOKEN = f"7000000002:{'emulate' * 5}"
_INSTALL_S = 600


def installed() -> Path:
    """Gives the folder of the emulator's packages; fills it where this lock file has none yet."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("the emulator needs node and npm, and they are not on this machine")
    manifests = [HERE / "package.json", HERE / "package-lock.json"]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in manifests)).hexdigest()[:16]
    folder = CACHE / mark
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder / "node_modules"
        draft = CACHE / f"{mark}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for path in manifests:
            shutil.copy(path, draft)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=draft, check=False, capture_output=True, text=True, timeout=_INSTALL_S
        )
        if done.returncode:
            pytest.fail(f"npm could not install the emulator:\n{done.stderr}")
        draft.rename(folder)
    return folder / "node_modules"


@contextmanager
def emulator_world() -> Iterator[TelegramWorld]:
    """Runs the emulator, which ends with this process if not before, and gives it."""
    with subprocess.Popen(
        ["node", str(HERE / "server.js"), TOKEN],
        env={**os.environ, "NODE_PATH": str(installed())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said, _, url = process.stdout.readline().strip().partition(" ")
            assert said == "ready", "the emulator did not start; see its words on stderr"
            yield TelegramUser(url, TOKEN)
        finally:
            process.stdin.close()
            process.wait()
