"""Secrets are planted, every failure that is known to tell them is forced, every way out is read."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CANARIES = (
    "canary-key-0001",
    "canary-pass/0002",
    "canary-user-0003",
    "987654321:canary0004" + "x" * 25,
)

PROCESS = """
import base64, logging, sys
from pathlib import Path
import requests, structlog
from kos.adapters.http import HttpRemote, RetryPolicy
from kos.errors import KosError
from kos.heartbeat import HeartbeatFile
from kos.observability.logs import LogSettings, configure_process
from kos.observability.redact import Redactor
from tests.service.beats import fetcher, node, system

state, port, key, password, user, token = Path(sys.argv[1]), *sys.argv[2:]
from urllib.parse import quote
proxy = f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{port}"
secrets = (key, token, proxy)
configure_process("main", LogSettings(level="debug", file=state / "kos.log", secrets=secrets, fold_s=0))
logging.getLogger().setLevel(logging.DEBUG)
log = structlog.get_logger()
heard = []

def force(what):
    try:
        what()
    except Exception as error:
        heard.append(str(error))
        log.error("actor.failed", error=repr(error), message=str(error), exc_info=True)
        logging.getLogger("library").exception("it failed: %s", error)
    else:
        raise SystemExit(f"{what} was to fail")

base = f"http://127.0.0.1:{port}"
force(lambda: requests.get(f"{base}/v4/sports?apiKey={key}", timeout=9).raise_for_status())
force(lambda: requests.get(f"http://127.0.0.1:1/v4/sports?apiKey={key}", timeout=9))
force(lambda: requests.get(f"{base}/bot{token}/getMe", timeout=9).raise_for_status())
force(lambda: requests.get(f"{base}/file/bot{quote(token, safe='')}/x", timeout=9).raise_for_status())
force(lambda: requests.get(f"{base}/circle/bot{token}", timeout=9))
force(lambda: requests.get("https://example.invalid/", proxies={"https": proxy}, timeout=9))
force(lambda: requests.get(proxy.replace("http:", "nothing:"), timeout=9))
force(lambda: requests.get(f"http://[bad/{key}", timeout=9))
force(lambda: HttpRemote("odds-api", f"{base}?apiKey={key}"))
force(lambda: HttpRemote("odds-api", base, proxy=proxy + "?x"))
remote = HttpRemote("odds-api", base, proxy=proxy, secrets=(key,), retries=RetryPolicy(attempts=1))
force(lambda: remote.get(f"/bot{token}", {"apiKey": key}))
force(lambda: open(f"/no/such/{key}"))
force(lambda: {}[token])
force(lambda: int(password))
log.warning("http.repeated", remote=repr(remote), path=f"/x?apiKey={key}", reason=vars(remote))
log.info("quotes.fetched", reason={"headers": {"Proxy-Authorization":
    "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}, "token": token})
import warnings
warnings.warn(f"odd {key} and {token}")
redactor = Redactor(secrets)
file = HeartbeatFile(state / "heartbeat.json", interval_s=5, is_simulated=False, redactor=redactor)
file.write(file.beat(system(*(node(f"n{i}", fetcher("x", problem=said), last_error=said)
    for i, said in enumerate(heard)))))
print("told", len(heard))
"""


class Unfriendly(BaseHTTPRequestHandler):
    """Refuses everything, and sends some in a circle."""

    def do_GET(self) -> None:
        if self.path.startswith("/circle"):
            self.send_response(302)
            self.send_header("Location", self.path)
        else:
            self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_CONNECT(self) -> None:
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Unfriendly) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(30)


def test_no_canary_gets_out_by_any_way(tmp_path: Path, port: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, str(tmp_path), str(port), *CANARIES],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert "told 14" in done.stdout
    ways_out = {
        "stdout": done.stdout,
        "stderr": done.stderr,
        "kos.log": (tmp_path / "kos.log").read_text("utf-8"),
        "heartbeat.json": (tmp_path / "heartbeat.json").read_text("utf-8"),
    }
    assert "canary" in "".join(CANARIES)
    for way, text in ways_out.items():
        found = [line for line in text.splitlines() if "canary" in line]
        assert not found, f"{way}: {found[:2]}"
    assert ways_out["kos.log"].count("\n") > 28
