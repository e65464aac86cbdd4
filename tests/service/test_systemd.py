"""What a service manager hears, on a real datagram socket."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kos.service.systemd import ServiceManager

Listen = Callable[[str], socket.socket]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened: list[socket.socket] = []

    def bind(address: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.append(listener)
        listener.settimeout(30)
        listener.bind(address)
        return listener

    yield bind
    for each in opened:
        each.close()


def test_each_word_is_one_datagram_of_the_protocol(listen: Listen, tmp_path: Path) -> None:
    ear = listen(str(tmp_path / "notify"))
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert manager.is_there
    manager.ready()
    manager.alive()
    manager.status("first line\nsecond")
    manager.status("first line second")
    manager.reloading()
    manager.stopping()
    assert [ear.recv(500) for _ in range(3)] == [
        b"READY=1",
        b"WATCHDOG=1",
        b"STATUS=first line second",
    ]
    assert ear.recv(500).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert ear.recv(500) == b"STOPPING=1"


def test_an_abstract_name_is_reached(listen: Listen) -> None:
    name = f"kos-test-{os.getpid()}"
    ear = listen("\0" + name)
    ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).ready()
    assert ear.recv(500) == b"READY=1"


def test_the_variables_are_taken_out_of_the_environment() -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1", "HOME": "/"}
    ServiceManager(environ)
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_ours_only_when_it_says_so(environ: dict[str, str], seconds: float) -> None:
    assert ServiceManager(environ).watchdog_s == seconds


def test_a_manager_that_is_gone_or_full_costs_nothing(listen: Listen, tmp_path: Path) -> None:
    assert ServiceManager({}).ready()
    assert not ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "absent")}).ready()
    ear = listen(str(tmp_path / "full"))
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "full")})
    while manager.ready():  # nobody reads: the kernel's queue is full after a few
        pass
    manager.status("not heard")
    ear.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            ear.recv(500)
    manager.status("not heard")
    assert ear.recv(500) == b"STATUS=not heard"
