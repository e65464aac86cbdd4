"""The pool's way out through a proxy that we did not write: squid with basic authentication.

Not in the plain suite: ``make test-squid`` on a machine that has squid.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from kos.adapters.http import PROXY_LOGIN, HttpRemote
from kos.adapters.proxies import check_session, proxy_url
from kos.config.settings import ProxySettings, Secret
from kos.errors import AccessRefused
from tests.adapters.loopback import answer, loopback

SQUID = shutil.which("squid", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PASSWORD = "open/sesame:1"  # noqa: S105 - the test's own, with what must be percent-encoded

pytestmark = [
    pytest.mark.squid,
    pytest.mark.skipif(SQUID is None, reason="squid is not installed here"),
]

# In sh, for the helper runs as the proxy's own user, who may not reach this Python.
HELPER = f"""#!/bin/sh
while read -r user password; do
  case "$user $password" in
    "user-operator"*" {PASSWORD}" | "user-operator"*" {quote(PASSWORD, safe="")}") echo OK ;;
    *) echo ERR ;;
  esac
done
"""

CONFIGURATION = """http_port 127.0.0.1:{port}
auth_param basic program {helper}
auth_param basic children 1
auth_param basic realm kos
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
pid_filename {folder}/squid.pid
logformat who %un %rm %ru
access_log stdio:{folder}/access.log who
cache_log {folder}/cache.log
coredump_dir {folder}
shutdown_lifetime 0 seconds
"""


@pytest.fixture(scope="module")
def squid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("squid")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)  # the helper runs as the proxy's own user
    folder.chmod(0o777)
    helper = folder / "login"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "squid.conf"
    file.write_text(CONFIGURATION.format(port=port, helper=helper, folder=folder))
    assert SQUID is not None
    process = subprocess.Popen(
        [SQUID, "-N", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None, (folder / "cache.log").read_text()
        time.sleep(0.05)
    yield port, folder / "access.log"
    process.kill()
    process.wait()


def settings(port: int, password: str = PASSWORD) -> ProxySettings:
    return ProxySettings(
        used_by=("odds_api",),
        url=f"http://user-{{username}}-session-{{session}}:{{password}}@127.0.0.1:{port}",
        username=Secret("operator"),
        password=Secret(password),
    )


def test_each_session_arrives_under_its_own_name(squid: tuple[int, Path]) -> None:
    port, log = squid
    with loopback(answer(200, b"here")) as server:
        remote = HttpRemote("feed", server.url)
        for session in ("a1", "b2", "a1"):
            remote.go_through(proxy_url(settings(port), session))
            assert remote.get("/v4/sports", {"apiKey": "hush"}).body == b"here"
        check_session(settings(port), "c3", server.url)
        remote.close()
    expected = [f"user-operator-session-{each}" for each in ("a1", "b2", "a1", "c3")]
    deadline = time.monotonic() + 30
    while came(log, server.url) != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert came(log, server.url) == expected


def came(log: Path, target: str) -> list[str]:
    """Who asked for the target, by squid's own log."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return [who for who, _, url in lines if url.startswith(target)]


def test_a_wrong_password_is_the_operators_to_mend(squid: tuple[int, Path]) -> None:
    port, _ = squid
    with loopback(answer(200)) as server:
        remote = HttpRemote("feed", server.url, proxy=proxy_url(settings(port, "wrong/one"), "a1"))
        with pytest.raises(AccessRefused) as refused:
            remote.get("/")
        assert refused.value.code == PROXY_LOGIN
        assert "wrong" not in str(refused.value)
        assert server.seen == []
        remote.close()


def test_a_target_that_is_away_is_no_answer(squid: tuple[int, Path]) -> None:
    port, _ = squid
    with pytest.raises(Exception, match="answered HTTP 503") as failed:
        check_session(settings(port), "a1", "http://127.0.0.1:9")
    assert PASSWORD not in str(failed.value)
