"""`kos chat`: the desk at the terminal, as a person and as a pipe."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kos.asking import Asker
from kos.cli.chat import Conversation, save, text_of
from kos.db import FILE_NAME
from kos.domain.offers import facts as f
from kos.domain.people.conversation import Answer, Span, Style
from kos.errors import InvalidInput, WaitAndRetry
from kos.messages import OperatorAnswered, OperatorSaid, RecordFact
from kos.runtime import Message, PeerDied
from kos.storage.migrations import open_as_it_is
from tests.actors.test_desk import Daemon
from tests.asking.daemons import DaemonProcess

pytestmark = [pytest.mark.timeout(180)]

TIMEOUT_S = 60


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    made = Daemon(tmp_path_factory.mktemp("chat"))
    try:
        yield made
    finally:
        made.close()


def chat(daemon: Daemon, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name[:4] != "KOS_"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "kos", "chat", "--state-dir", str(daemon.folder), *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env=environment,
        cwd=daemon.folder,
    )


def test_one_word_is_answered_and_the_exit_code_says_so(daemon: Daemon) -> None:
    told = chat(daemon, "/calc qualifying back_stake=10 back_odds=2.5 lay_odds=2.54")
    assert told.returncode == 0, told.stderr
    assert "Lay stake" in told.stdout
    refused = chat(daemon, "/nonsense")
    assert refused.returncode == 1
    assert "Send /help for the full list." in refused.stdout


def test_a_pipe_is_a_conversation_and_numbers_press_buttons(daemon: Daemon) -> None:
    told = chat(daemon, typed="/calc\n\n2\n/version\n")
    assert told.returncode == 0, told.stderr
    assert "2 of" in told.stdout
    assert "[1] Previous" in told.stdout
    assert "KOS " in told.stdout
    assert "kos>" not in told.stdout


def test_pictures_and_files_are_saved_under_a_name_of_their_own(
    daemon: Daemon, tmp_path: Path
) -> None:
    for number, fact in enumerate((f.Joined(name="Bob"), f.BonusPaid(venue="coral", amount=1234))):
        daemon.ask(
            "ledger",
            RecordFact(
                command_id=f"chat-{number}",
                by="t",
                occurred_at=datetime.now(UTC),
                participant="bob",
                fact=fact,  # type: ignore[arg-type]
            ),
        )
    told = chat(daemon, "--save-to", str(tmp_path), typed="/statement bob all\n/profit bob all\n")
    assert told.returncode == 0, told.stderr
    assert "saved: " in told.stdout
    assert "12.34" in (tmp_path / "statement-bob-all.csv").read_text()
    assert (tmp_path / "kos-chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_person_at_a_terminal_has_a_prompt_until_they_leave(daemon: Daemon) -> None:
    with prompt(daemon.folder) as terminal:
        shown = read_until(terminal, b"kos> ")
        assert b"You are an admin." in shown
        os.write(terminal, b"/version\n")
        assert b"KOS " in read_until(terminal, b"kos> ")


def test_an_open_chat_goes_on_when_the_daemon_is_killed_and_started_again(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(DaemonProcess(tmp_path, has_desk=True))
        terminal = stack.enter_context(prompt(tmp_path))
        read_until(terminal, b"kos> ")
        first.kill()
        os.write(terminal, b"/pause supper\n")
        stack.enter_context(DaemonProcess(tmp_path, has_desk=True))
        assert b"Paused until /resume" in read_until(terminal, b"kos> ")
        os.write(terminal, b"/status\n")
        assert b"supper" in read_until(terminal, b"kos> ")
    assert messages_recorded(tmp_path) == 1


def messages_recorded(state_dir: Path) -> int:
    """How many messages changed something; the buttons under answers are not counted."""
    with closing(open_as_it_is(state_dir / FILE_NAME)) as database:
        found = database.rows(
            "SELECT command_id FROM commands WHERE command_id NOT LIKE '%:shown:%'"
        )
    return len(found)


@contextmanager
def prompt(folder: Path) -> Iterator[int]:
    """A chat at a terminal until the person leaves it; the terminal's other end."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, "-m", "kos", "chat", "--state-dir", str(folder)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=folder,
    ) as talk:
        os.close(theirs)
        try:
            yield ours
            os.write(ours, b"\x04")
            assert talk.wait(TIMEOUT_S) == 0
        finally:
            talk.kill()
            os.close(ours)


def read_until(handle: int, end: bytes) -> bytes:
    """What a terminal shows, up to and with its prompt."""
    shown = b""
    deadline = time.monotonic() + TIMEOUT_S
    while not shown.endswith(end):
        assert select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0], shown
        shown += os.read(handle, 4096)
    return shown


def test_a_message_typed_again_after_no_answer_keeps_its_id(tmp_path: Path) -> None:
    asked: list[OperatorSaid] = []
    is_away = True

    def desk(actor: str, message: Message, _timeout_s: float) -> Message:
        assert isinstance(message, OperatorSaid)
        asked.append(message)
        if is_away:
            raise PeerDied(actor, "killed")
        return OperatorAnswered()

    conversation = Conversation(Asker(desk, patience_s=0), tmp_path)
    for typed in ("/pause", "/pause", "/resume", "/pause"):
        with pytest.raises(WaitAndRetry, match="Send it again: it will not be recorded twice"):
            conversation.say(typed)
    is_away = False
    for _ in range(2):
        conversation.say("/pause")
    ids = [said.said_id for said in asked]
    assert ids[0] == ids[1]
    assert ids[3] == ids[4]
    assert len(set(ids)) == 4


def test_without_a_daemon_it_is_a_sentence_and_exit_code_two(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "kos", "chat", "--state-dir", str(tmp_path), "/version"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert told.returncode == 2
    assert "start it first" in told.stderr
    assert "Traceback" not in told.stderr


def test_foreign_text_stays_text_on_the_terminal() -> None:
    answer = Answer(
        spans=(
            Span("[red]x[/red] :smile:", Style.BOLD),
            Span("open", Style.LINK, "https://coral.test/x"),
        )
    )
    assert text_of(answer).plain == "[red]x[/red] :smile:open https://coral.test/x"


def test_files_are_private_new_and_in_the_folder(tmp_path: Path) -> None:
    first = save(tmp_path, "../../etc/state ment.csv", b"1")
    second = save(tmp_path, "../../etc/state ment.csv", b"2")
    assert first.parent == second.parent == tmp_path
    assert first != second
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert save(tmp_path, "...", b"").name == "kos-file"
    with pytest.raises(InvalidInput, match="--save-to"):
        save(tmp_path / "absent", "x", b"")
