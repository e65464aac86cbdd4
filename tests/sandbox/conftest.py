"""One running sandbox for a module's tests, and strangers who call it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from kos.sandbox import Sandbox

Json = Any


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(7, credits_a_month=1_000_000, calls_a_second=10_000) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sandbox" in request.fixturenames:
        running: Sandbox = request.getfixturevalue("sandbox")
        running.faults.clear()


class FeedCaller:
    """Calls the odds feed as a stranger would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, key: str | None = None, **params: str) -> requests.Response:
        params["apiKey"] = self.sandbox.api_key if key is None else key
        return self.session.get(f"{self.sandbox.odds_api_url}/v4{path}", params=params, timeout=10)


class ExchangeCaller:
    """Calls the exchange as a stranger would."""

    def __init__(self, sandbox: Sandbox, app_key: str | None = None) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.headers = {
            "X-Application": app_key or sandbox.addresses.betfair_app_key,
            "Accept": "application/json",
        }
        self.token = ""

    def post(
        self, path: str, body: Json = None, form: dict[str, str] | None = None
    ) -> requests.Response:
        return self.session.post(
            self.sandbox.betfair_url + path, json=body, data=form, headers=self.headers, timeout=10
        )

    def login(self) -> str:
        form = {
            "username": self.sandbox.addresses.betfair_username,
            "password": self.sandbox.addresses.betfair_password,
        }
        token: str = self.post("/api/certlogin", form=form).json()["sessionToken"]
        self.token = self.headers["X-Authentication"] = token
        return token

    def rpc(self, operation: str, **params: Json) -> Json:
        """Gives the whole JSON-RPC answer."""
        body = {
            "jsonrpc": "2.0",
            "method": f"SportsAPING/v1.0/{operation}",
            "params": params,
            "id": 5,
        }
        return self.post("/exchange/betting/json-rpc/v1", body).json()

    def call(self, operation: str, **params: Json) -> Json:
        """Gives the result, which must be there."""
        answer = self.rpc(operation, **params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, operation: str, **params: Json) -> str:
        """Gives the error's code: an APING code or a DSC one."""
        error = self.rpc(operation, **params)["error"]
        if "data" not in error:
            return str(error["message"])
        assert error["code"] == -32099
        assert error["data"]["exceptionname"] == "APINGException"
        return str(error["data"]["APINGException"]["errorCode"])


class StreamCaller:
    """Speaks the stream's lines."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.lines = connection.makefile("rwb")

    def say(self, **message: Json) -> None:
        self.lines.write(json.dumps(message).encode() + b"\r\n")
        self.lines.flush()

    def hear(self) -> Json:
        line = self.lines.readline()
        assert line.endswith(b"\r\n"), line
        return json.loads(line)

    def hear_of(self, **wanted: Json) -> Json:
        """Gives the next message that has these fields."""
        while True:
            message = self.hear()
            if all(message.get(name) == value for name, value in wanted.items()):
                return message

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[FeedCaller]:
    caller = FeedCaller(sandbox)
    yield caller
    caller.session.close()


@pytest.fixture
def exchange(sandbox: Sandbox) -> Iterator[ExchangeCaller]:
    caller = ExchangeCaller(sandbox)
    caller.login()
    yield caller
    caller.session.close()


@pytest.fixture
def stream(sandbox: Sandbox) -> Iterator[StreamCaller]:
    caller = StreamCaller(socket.create_connection(sandbox.addresses.stream, timeout=10))
    yield caller
    caller.close()
