"""The sandbox in its own process reports its addresses and never outlives its parent."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest
import requests

from kos.sandbox import start_process


def test_a_process_serves_and_ends_when_closed() -> None:
    with start_process(seed=5, credits_a_month=77) as child:
        url = child.addresses.odds_api_url
        answer = requests.get(
            f"{url}/v4/sports", params={"apiKey": child.addresses.api_key}, timeout=10
        )
        assert answer.headers["x-requests-remaining"] == "77"
    assert child.process.exitcode == 0
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{url}/v4/sports", timeout=10)


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="needs pidfd_open to await a stranger's end"
)
def test_a_killed_parent_takes_the_sandbox_with_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox.orphan"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid, url = parent.stdout.readline().split()
    assert requests.get(f"{url}/v4/sports", timeout=10).status_code == 401
    watch = os.pidfd_open(int(pid))
    try:
        parent.kill()
        ended, _, _ = select.select([watch], [], [], 10)
        assert ended
    finally:
        os.close(watch)
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()


def test_a_sandbox_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        start_process(speed=-1.0)
    assert "speed: -1.0 is not allowed" in capfd.readouterr().err
