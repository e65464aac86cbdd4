"""Log lines as they reach a pipe."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import logging, structlog
from kos.observability.logs import LogSettings, configure_process
configure_process("engine", LogSettings(level="info", secrets=("s3cr3t-value",)))
log = structlog.get_logger().bind(actor="scorer")
log.debug("nothing.said")
log.info("quotes.fetched", events=3, url="https://x/?apiKey=s3cr3t-value")
secret = "s3cr3t-value"
try:
    raise ValueError("refused s3cr3t-value")
except ValueError:
    log.exception("poll.failed")
logging.getLogger("library").warning("odd s3cr3t-value")
"""


def lines_of(code: str) -> list[dict[str, object]]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_event_is_one_json_line_with_node_actor_and_time() -> None:
    fetched, failed, library = lines_of(CODE)
    assert list(fetched)[:5] == ["ts", "level", "event", "node", "actor"]
    assert (fetched["event"], fetched["node"], fetched["actor"]) == (
        "quotes.fetched",
        "engine",
        "scorer",
    )
    assert fetched["events"] == 3
    assert "ValueError" in str(failed["exception"])
    assert library["library"] == "library"


def test_no_line_holds_a_secret_not_even_a_traceback() -> None:
    assert "s3cr3t" not in json.dumps(lines_of(CODE))
