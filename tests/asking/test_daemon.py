"""The way to a running daemon: found, kept, and found again after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kos.asking import DaemonLink
from kos.messages import GetMenu
from kos.runtime import SYSTEM, Describe, NoSuchActor, PeerDied, SystemDescribed, SystemNotRunning
from tests.asking.daemons import DaemonProcess

TIMEOUT_S = 30.0


def name_of(link: DaemonLink) -> str:
    described = link.ask(SYSTEM, Describe(), TIMEOUT_S)
    assert isinstance(described, SystemDescribed)
    return described.name


@pytest.fixture
def link(tmp_path: Path) -> Iterator[DaemonLink]:
    with DaemonLink(tmp_path / "real", tmp_path / "sandbox", connect_s=TIMEOUT_S) as made:
        yield made


def test_where_none_runs_it_says_where_the_preferred_one_was_looked_for(
    link: DaemonLink, tmp_path: Path
) -> None:
    assert not link.is_running()
    with pytest.raises(SystemNotRunning, match=rf"{tmp_path}/real/run; start it first"):
        name_of(link)


def test_the_preferred_one_is_asked_and_a_conversation_stays_with_its_own(
    link: DaemonLink, tmp_path: Path
) -> None:
    with DaemonProcess(tmp_path / "sandbox"):
        assert link.is_running()
        assert name_of(link) == "sandbox"
        with DaemonProcess(tmp_path / "real"):
            assert name_of(link) == "sandbox"
            with DaemonLink(tmp_path / "real", tmp_path / "sandbox") as other:
                assert name_of(other) == "real"


@pytest.mark.parametrize("is_killed", [True, False])
def test_after_a_restart_it_connects_again_and_to_no_other_one(
    link: DaemonLink, tmp_path: Path, *, is_killed: bool
) -> None:
    with ExitStack() as stack:
        with DaemonProcess(tmp_path / "real") as real:
            assert name_of(link) == "real"
            stack.enter_context(DaemonProcess(tmp_path / "sandbox"))
            if is_killed:
                real.kill()
        for _ in range(2):
            with pytest.raises(PeerDied):
                name_of(link)
        assert not link.is_running()
        stack.enter_context(DaemonProcess(tmp_path / "real"))
        assert name_of(link) == "real"
        with pytest.raises(NoSuchActor):
            link.ask("desk", GetMenu(user="terminal:ann"), TIMEOUT_S)
