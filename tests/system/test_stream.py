"""The daemon on the Exchange Stream: prices come by it, and by polling while it is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from kos.sandbox import Sandbox, Tls
from tests.system.conftest import MONTHLY_CREDITS, Daemon

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(400),
]


@pytest.fixture
def streaming(tmp_path: Path) -> Iterator[Daemon]:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    for pem in server.cert_chain_pems:
        pem.write_to_path(str(chain), append=True)
    server.private_key_pem.write_to_path(str(key))
    with Sandbox(
        seed=7,
        credits_a_month=MONTHLY_CREDITS,
        calls_a_second=100,
        tls=Tls(str(chain), str(key)),
    ) as sandbox:
        host, port = sandbox.addresses.stream
        running = Daemon(
            sandbox,
            tmp_path / "daemon",
            KOS_ODDS_API__MAX_SPORTS="8",
            KOS_BETFAIR__USE_STREAM="true",
            KOS_BETFAIR__PRICE_TTL_S="4",
            KOS_BETFAIR__STREAM_HOST=host,
            KOS_BETFAIR__STREAM_PORT=str(port),
            KOS_BETFAIR__CA_FILE=str(ca),
            KOS_WEB__IS_ENABLED="false",
        )
        try:
            yield running
        finally:
            running.process.kill()
            running.process.wait()


def test_prices_come_by_the_stream_and_by_polling_while_it_is_away(streaming: Daemon) -> None:
    def pulse() -> dict[str, str | int | float]:
        return next(a.pulse for a in streaming.node("exchange").actors if a.name == "exchange")

    def polls() -> int:
        return streaming.sandbox.counters.snapshot().get("betfair.listMarketBook", 0)

    streaming.until(lambda: pulse().get("stream") == "live", "the stream is live")
    streaming.until(lambda: int(pulse()["streamed"]) > 0, "markets come by it")
    streaming.until(lambda: len(streaming.against_betfair()) > 0, "and are offered")

    streaming.sandbox.refuse("stream")
    streaming.until(lambda: pulse()["stream"] != "live", "it is gone")
    streaming.until(lambda: int(pulse()["streamed"]) == 0, "nothing counts as streamed")
    before = polls()
    streaming.until(lambda: polls() > before, "polling took over")
    streaming.sandbox.accept("stream")
    streaming.until(lambda: pulse()["stream"] == "live", "it is back")
    assert streaming.stop() == 0
    log = streaming.log.read_text("utf-8")
    assert "actor.failed" not in log
    assert "betfair.stream_listener_failed" not in log
