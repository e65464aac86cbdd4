"""The page's actor alone: its port, its thread, and what it says when it cannot have one."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import msgspec
import pytest

from kos.actors import dashboard
from kos.config.settings import Settings, WebSettings
from kos.messages import GetBudget
from kos.runtime import ActorFailed, OnExhausted
from tests.actors.conftest import Staging
from tests.actors.stage import Stage


class Page:
    """A page on a stage, at a port of the test's choice."""

    def __init__(self, put_on_stage: Staging) -> None:
        self._put = put_on_stage
        self.stages: list[Stage] = []

    def stage(self, port: int = 0, host: str = "127.0.0.1") -> Stage:
        settings = msgspec.structs.replace(Settings(), web=WebSettings(host=host, port=port))
        stage = self._put(dashboard.spec(settings)).start()
        self.stages.append(stage)
        return stage


@pytest.fixture
def page(put_on_stage: Staging) -> Iterator[Page]:
    page = Page(put_on_stage)
    yield page
    for stage in page.stages:
        if stage.ended is None:
            stage.stop()


def read(address: object, path: str = "healthz") -> bytes:
    with urllib.request.urlopen(f"{address}{path}", timeout=20) as answer:
        return bytes(answer.read())


def test_it_is_parked_rather_than_given_up() -> None:
    spec = dashboard.spec(Settings())
    assert spec.on_exhausted is OnExhausted.PARK
    assert spec.args.log_file.endswith("kos.log")


def test_it_serves_at_its_start_and_asks_the_other_actors_itself(page: Page) -> None:
    stage = page.stage()
    address = stage.pulse()["address"]
    assert read(address) == b"ok\n"
    assert len(stage.logged("dashboard.opened")) == 1
    with pytest.raises(urllib.error.HTTPError):
        read(address, "readyz")
    assert any(stage.neighbours.asked.values())
    stage.advance(30)
    assert stage.pulse()["address"] == address
    stage.stop()
    with pytest.raises(OSError, match="refused"):
        read(address)


def test_a_taken_port_is_named_once_and_tried_every_five_seconds(page: Page) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        stage = page.stage(other.getsockname()[1])
        assert "in use by another program" in str(stage.pulse()["problem"])
        stage.advance(20)
        assert len(stage.logged("dashboard.refused")) == 1
    stage.advance(4)
    assert "problem" in stage.pulse()
    stage.advance(1)
    assert read(stage.pulse()["address"]) == b"ok\n"
    assert "problem" not in stage.pulse()


def test_an_address_that_is_not_this_machines_is_named_with_the_reason(page: Page) -> None:
    stage = page.stage(host="192.0.2.1")
    problem = str(stage.pulse()["problem"])
    assert "192.0.2.1:0 cannot be opened" in problem
    assert "in use" not in problem
    stage.stop()


def test_a_server_that_ended_by_itself_ends_the_actor_so_that_it_starts_anew(page: Page) -> None:
    stage = page.stage()
    assert isinstance(stage.actor, dashboard.DashboardActor)
    assert stage.actor._server is not None
    stage.actor._server.close()
    stage.advance(1)
    assert stage.ended is not None
    assert stage.ended.is_failure
    assert "server has stopped" in stage.ended.error


def test_a_message_that_is_not_its_own_is_refused_by_name(page: Page) -> None:
    with pytest.raises(ActorFailed, match="dashboard takes no GetBudget"):
        page.stage().ask(GetBudget())
