"""Every failure whose text is known to hold a token or a login is forced, and every way out is read."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramNotFound
from aiogram.methods import GetMe
from structlog.testing import capture_logs

from kos.adapters.telegram.api import FaultKind, TelegramApi, TelegramFault
from kos.adapters.telegram.service import TelegramService
from kos.config.settings import Secret, TelegramSettings
from tests.adapters.telegram.conftest import FakeKos, Running

TOKEN = "123456789:AAcanaryTOKENcanaryTOKENcanaryTOKENx"  # noqa: S105 - nobody's
LOGIN, PASSWORD = "canaryLOGIN", "canaryPASS"
CANARIES = (TOKEN, TOKEN.replace(":", "%3A"), TOKEN.partition(":")[2], LOGIN, PASSWORD)
NOWHERE = "http://127.0.0.1:9"


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A server that reads whatever comes and sends these bytes; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(30)
                    try:
                        if caller.recv(65_536):
                            caller.sendall(reply)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(30)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


SERVERS = {
    "a redirect in a circle": http("302 Found", b"", f"Location: /bot{TOKEN}/getMe"),
    "a redirect to no address": http("302 Found", b"", f"Location: http://[{TOKEN}"),
    "a redirect to another protocol": http("302 Found", b"", f"Location: ftp://h/{TOKEN}"),
    "a page of a portal": http("200 OK", f"<html>{TOKEN}".encode()),
    "a page of a gateway": http("502 Bad Gateway", f"<html>{TOKEN}".encode()),
    "no text at all": http("200 OK", b"\xff\xfe"),
    "a broken compression": http("200 OK", b"abcde", "Content-Encoding: gzip"),
    "JSON of another kind": http("200 OK", b"[1, 2]"),
    "an answer of another kind": http("200 OK", f'{{"ok":true,"result":"{TOKEN}"}}'.encode()),
    "no HTTP at all": f"{TOKEN}\r\n\r\n".encode(),
    "nothing": b"",
}
PROXIES = {
    "an HTTP proxy that refuses the login": (
        "http",
        http("407 Proxy Authentication Required"),
    ),
    "an HTTP proxy that repeats what it heard": ("http", http(f"403 {LOGIN}:{PASSWORD}")),
    "a SOCKS proxy that takes no login": ("socks5", b"\x05\xff"),
    "a SOCKS proxy that refuses the login": ("socks5", b"\x05\x02\x01\x01"),
    "a proxy of another kind": ("socks5", b"zzzzzzzz"),
    "a proxy that hangs up": ("socks5", b""),
}
ADDRESSES = ("http://", "http://[", "http://127.0.0.1:99999", "http://a b", NOWHERE)


def fault_of(url: str, proxy: str | None = None) -> TelegramFault:
    """What the simplest call runs into."""

    async def ask() -> TelegramFault:
        api = TelegramApi(TOKEN, url, proxy)
        try:
            with pytest.raises(TelegramFault) as caught:
                await api.me()
        finally:
            await api.close()
        return caught.value

    return asyncio.run(ask())


def assert_clean(text: str) -> None:
    assert not [each for each in CANARIES if each in text], text


def assert_tells_nothing(fault: TelegramFault) -> None:
    assert_clean(f"{fault!r} {fault} {fault.reason} {vars(fault)}")
    # Whoever prints a chain of causes prints their texts, too.
    assert fault.__cause__ is None
    assert fault.__context__ is None


@pytest.mark.parametrize("what", SERVERS)
def test_no_answer_of_a_server_brings_out_the_token_or_ends_the_loop(what: str) -> None:
    with answering(SERVERS[what]) as port:
        fault = fault_of(f"http://127.0.0.1:{port}")
    assert fault.kind is FaultKind.UNREACHABLE
    assert_tells_nothing(fault)


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_is_none_is_said_without_what_would_have_followed_it(url: str) -> None:
    fault = fault_of(url)
    assert fault.kind is FaultKind.UNREACHABLE
    assert "telegram.url" in fault.reason
    assert_tells_nothing(fault)


@pytest.mark.parametrize("what", PROXIES)
def test_no_failure_of_a_proxy_brings_out_its_login_or_ends_the_loop(what: str) -> None:
    scheme, reply = PROXIES[what]
    with answering(reply) as port:
        fault = fault_of(NOWHERE, f"{scheme}://{LOGIN}:{PASSWORD}@127.0.0.1:{port}")
    assert fault.kind is FaultKind.UNREACHABLE
    assert "telegram.proxy" in fault.reason
    assert_tells_nothing(fault)


def test_a_proxy_that_is_not_there_is_said_to_be_the_proxy() -> None:
    fault = fault_of("http://127.0.0.1:8", f"socks5://{LOGIN}:{PASSWORD}@127.0.0.1:9")
    assert "telegram.proxy" in fault.reason
    assert_tells_nothing(fault)


@pytest.mark.parametrize(
    "make",
    [lambda text: TelegramNotFound(GetMe(), text), lambda text: TelegramBadRequest(GetMe(), text)],
)
def test_whatever_telegram_says_is_redacted(make: Callable[[str], TelegramAPIError]) -> None:
    async def judge() -> TelegramFault:
        api = TelegramApi(TOKEN, NOWHERE, f"http://{LOGIN}:{PASSWORD}@127.0.0.1:9")
        fault = api._fault(make(f"see https://api.telegram.org/bot{TOKEN}/x, {PASSWORD}"))
        await api.close()
        return fault

    assert_tells_nothing(asyncio.run(judge()))


@pytest.mark.parametrize(
    ("token", "proxy"),
    [
        ("canaryTOKEN-of-no-form", ""),
        ("canary TOKEN:x", ""),
        (TOKEN, f"{LOGIN}:{PASSWORD}"),
        (TOKEN, f"ftp://{LOGIN}:{PASSWORD}@h:1"),
        (TOKEN, f"socks5://{LOGIN}:{PASSWORD}@h:99999"),
    ],
)
def test_settings_of_no_form_are_named_and_the_bot_stays(token: str, proxy: str) -> None:
    settings = TelegramSettings(token=Secret(token), url=NOWHERE, proxy=Secret(proxy))
    with capture_logs() as lines:
        bot = Running(settings, FakeKos())
        try:
            bot.until(lambda: bot.service.status.state == "misconfigured", "misconfigured")
        finally:
            bot.stop()
    assert "[telegram]" in bot.service.status.problem
    assert [each["event"] for each in lines].count("telegram.not_made") == 1
    assert_clean(f"{lines} {vars(bot.service.status)}")
    assert token not in f"{lines} {vars(bot.service.status)}"


def test_a_bot_behind_a_portal_that_shows_the_token_logs_and_pulses_without_it() -> None:
    reply = http("302 Found", b"", f"Location: /bot{TOKEN}/getMe")
    with answering(reply) as port, capture_logs() as lines:
        url = f"http://127.0.0.1:{port}"
        bot = Running(TelegramSettings(token=Secret(TOKEN), url=url), FakeKos())
        try:
            bot.until(lambda: bot.service.status.failures >= 2, "tried twice")
        finally:
            bot.stop()
    assert bot.service.status.state == "unreachable"
    assert [each["event"] for each in lines].count("telegram.not_polled") == 1, "said once"
    assert_clean(f"{lines} {vars(bot.service.status)} {bot.service!r}")


def test_neither_settings_nor_the_service_show_the_token_when_printed() -> None:
    settings = TelegramSettings(token=Secret(TOKEN), proxy=Secret(PASSWORD))
    service = TelegramService(settings, FakeKos(), None)
    assert_clean(f"{settings!r} {settings} {service!r} {vars(service)}")
