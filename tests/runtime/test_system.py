"""Whole systems of real processes: messages, children, start, stop, orphans, clients."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import kos.runtime
from kos.runtime import (
    ActorExists,
    ActorFailed,
    AskTimeout,
    MailboxFull,
    Message,
    MessageRefused,
    NodeSpec,
    NoSuchActor,
    PeerDied,
    SpecRefused,
    System,
    SystemDescribed,
    SystemNotAnswering,
    SystemNotRunning,
    SystemStartFailed,
    UnencodableMessage,
    connect,
)
from kos.runtime.codec import Codec, FrameKind
from kos.runtime.registry import socket_path
from tests.runtime.cast import (
    MESSAGES,
    Dismiss,
    Employ,
    Fail,
    Forward,
    Kept,
    Myself,
    Note,
    Price,
    Recall,
    Say,
    Staff,
    Unlisted,
    Urgent,
    WhoAreYou,
    fetcher,
)
from tests.runtime.conftest import SetStage, Stage, eventually, keeper, node


def tell(stage: Stage, actor: str, message: Message) -> None:
    stage.client._registry.tell(None, actor, message)


def kept(stage: Stage, actor: str) -> tuple[str, ...]:
    answer = stage.ask(actor, Recall())
    assert isinstance(answer, Kept)
    return answer.seen


# --- messages --------------------------------------------------------------------------------


def test_what_one_actor_tells_another_arrives_once_and_in_order(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")), node("two", keeper("b", mailbox_capacity=5000)))
    here.ask("a", Forward(to="b", times=3000))
    eventually(lambda: len(kept(here, "b")) == 3000)
    assert kept(here, "b") == tuple(f"note {number}" for number in range(3000))


def test_large_messages_cross_whole(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    for size in (0, 1, 100_000, 262_144, 3_000_000):
        said = Say(text="x", payload=os.urandom(size))
        assert here.ask("a", said) == said


def test_what_is_told_to_a_node_that_is_down_waits_for_its_return(stage: SetStage) -> None:
    two = node("two", keeper("b"), backoff_first_s=0.3, backoff_jitter=0.0)
    here = stage(node("one", keeper("a")), two)
    first = here.who("b").pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: here.node("two").pid == 0)
    here.ask("a", Forward(to="b", times=20))
    assert here.node("two").pid == 0, "told in the gap, or this shows nothing"
    eventually(lambda: kept(here, "b") == tuple(f"note {number}" for number in range(20)))


def test_a_full_mailbox_refuses_commands_conflates_snapshots_and_lets_control_pass(
    stage: SetStage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    here = stage(node("one", keeper("a", "Gated", args=str(gate), mailbox_capacity=4)))
    tell(here, "a", Note(number=-1))
    eventually(gate.with_suffix(".reached").exists)
    for number in range(100):
        tell(here, "a", Price(key="x", number=number))
        tell(here, "a", Price(key="y", number=number))
    tell(here, "a", Note(number=1))
    tell(here, "a", Note(number=2))
    tell(here, "a", Note(number=3))
    with pytest.raises(MailboxFull, match="4 messages are waiting in its mailbox"):
        here.ask("a", Recall())
    tell(here, "a", Urgent(number=5))
    full = here.when("a", lambda now: now.mailbox == 5)
    assert full.dead_letters == {"mailbox_full": 2}
    assert full.conflated <= 198  # the rest was conflated on the way, where more waited
    gate.touch()
    eventually(lambda: len(kept(here, "a")) == 5)
    assert kept(here, "a") == ("urgent 5", "price 99", "price 99", "note 1", "note 2")


def test_unknown_and_ill_shaped_messages_are_refused_and_counted(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    with pytest.raises(UnencodableMessage, match="not among"):
        here.ask("a", Unlisted())
    foreign = Codec((Unlisted,))
    here.client._registry.codec, ours = foreign, here.client._registry.codec
    here.client._registry._links.clear()
    with pytest.raises(MessageRefused, match="Unlisted"):
        here.ask("a", Unlisted())
    here.client._registry.codec = ours
    here.client._registry._links.clear()
    with pytest.raises(MessageRefused, match=r"number"):
        here.ask("a", Note(number="seven"))  # type: ignore[arg-type]
    _send_raw(here, "one", b"\x05\x00\x00\x00junk!" + b"\xff\xff\xff\xff")
    eventually(lambda: here.node("one").refused_frames == 4)
    described = here.actor("a")
    assert described is not None
    assert described.dead_letters == {"ill_shaped": 2}
    assert here.who("a").incarnation == 1


def _send_raw(stage: Stage, node_name: str, data: bytes) -> None:
    """Write bytes to a node's socket and hang up, as a writer that is killed."""
    path = socket_path(stage.client._registry._sockets, node_name)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(os.fspath(path))
        raw.sendall(data)


def test_a_writer_that_dies_in_the_middle_of_a_message_hurts_nobody_else(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    whole = Codec(MESSAGES).encode(
        FrameKind.TELL, 0, "a", None, Say(text="x", payload=b"y" * 100_000)
    )
    for cut in (1, 3, 4, 5, 50_000, len(whole) - 1):
        _send_raw(here, "one", whole[:cut])
        assert here.ask("a", Say(text="still here")) == Say(text="still here")
    assert here.node("one").refused_frames == 0
    assert here.who("a").incarnation == 1


def test_a_node_killed_while_it_writes_large_messages_leaves_its_receiver_whole(
    stage: SetStage,
) -> None:
    here = stage(
        node("writer", keeper("w", "Torrent")),
        node("reader", keeper("r", mailbox_capacity=3)),
        node("other", keeper("o")),
    )
    tell(here, "w", Forward(to="r"))
    here.when("r", lambda now: now.handled > 3)
    here.kill("writer")
    assert isinstance(here.ask("o", Forward(to="r")), Myself)
    here.who("w")
    assert here.node("reader").restarts == 0
    assert here.node("reader").refused_frames == 0


def test_nobody_of_that_name_is_said_at_once(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    with pytest.raises(NoSuchActor, match="'nobody'"):
        here.ask("nobody", WhoAreYou())
    with pytest.raises(ActorFailed, match=r"NoSuchActor: .*'nobody'"):
        here.ask("a", Forward(to="nobody"))
    with pytest.raises(ActorFailed, match="Deadlock"):
        here.ask("a", Forward(to="a"))


def test_an_ask_that_is_not_answered_in_time_says_so(stage: SetStage) -> None:
    here = stage(node("one", keeper("a"), keeper("b")))
    with pytest.raises(AskTimeout, match=r"a did not respond to Fail within 0.05 s"):
        here.ask("a", Fail(how="owe"), 0.05)
    tell(here, "a", Fail(how="pay"))
    assert here.ask("a", Say(text="next")) == Say(text="next")


def test_many_threads_may_ask_over_one_client(stage: SetStage) -> None:
    here = stage(node("one", keeper("a"), keeper("b")))
    wrong: list[object] = []

    def ask(number: int) -> None:
        for round_ in range(50):
            said = Say(text=f"{number} {round_}")
            if here.ask("ab"[number % 2], said) != said:
                wrong.append(said)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- actors ----------------------------------------------------------------------------------


def test_timers_deliver_into_the_own_mailbox_until_cancelled(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", "Clockwork")))
    eventually(lambda: kept(here, "a").count("price 1") >= 3)
    seen = kept(here, "a")
    assert seen.count("note 2") == 1
    assert "note 99" not in seen


def test_an_actor_may_ask_how_the_system_is_and_sees_who_sends(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", "Curious")), node("two", keeper("b")))
    described = here.ask("a", Recall())
    assert isinstance(described, SystemDescribed)
    assert [each.name for each in described.nodes] == ["one", "two"]
    here.ask("b", Forward(to="a", times=1))
    eventually(lambda: here.ask("a", Staff()) == Kept(seen=("b False",)))
    tell(here, "a", Note(number=1))
    eventually(lambda: here.ask("a", Staff()) == Kept(seen=("b False", "None False")))
    with pytest.raises(MessageRefused, match="it takes no Recall"):
        here.ask("@system", Recall())


def test_a_setup_that_fails_is_the_reason_of_the_failed_start(tmp_path: Path) -> None:
    system = System(
        name="test",
        nodes=(node("one", keeper("a")),),
        messages=MESSAGES,
        run_dir=tmp_path,
        setup="tests.runtime.cast:fail_setup",
    )
    with pytest.raises(SystemStartFailed, match="LookupError: no such log"):
        system.start()


def test_an_actor_may_tell_a_sibling_that_has_not_started_yet(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", "Greeter", args="b"), keeper("b")))
    assert kept(here, "b") == ("note 7",)


def test_a_pulse_is_shown_and_an_odd_one_harms_nobody(stage: SetStage) -> None:
    here = stage(node("one", keeper("a"), keeper("b", "Odd")))
    tell(here, "a", Note(number=1))
    here.when("a", lambda now: now.pulse == {"kept": 1, "waiting": 0})
    odd = here.when("b", lambda now: now.pulse)
    assert "pulse_error" in odd.pulse
    assert here.node("one").rss_kb > 1000


def test_children_are_added_supervised_found_from_elsewhere_and_stopped(stage: SetStage) -> None:
    here = stage(node("one", keeper("pool")), node("two", keeper("b")))
    here.ask("pool", Employ(name="kid"))
    with pytest.raises(ActorFailed, match=ActorExists.__name__):
        here.ask("pool", Employ(name="kid"))
    with pytest.raises(ActorFailed, match=ActorExists.__name__):
        here.ask("pool", Employ(name="b"))
    assert here.ask("pool", Staff()) == Kept(seen=("kid",))
    eventually(lambda: here.ask("b", Forward(to="kid")))
    here.who("kid")
    tell(here, "kid", Fail(how="raise"))
    eventually(lambda: here.who("kid").incarnation == 2)
    here.ask("pool", Dismiss(name="kid"))
    assert here.ask("pool", Staff()) == Kept(seen=())
    here.ask("pool", Employ(name="kid"))
    eventually(lambda: here.who("kid").incarnation == 1)
    here.ask("pool", Dismiss(name="kid"))
    eventually(lambda: here.actor("kid") is None)
    with pytest.raises(ActorFailed, match="NoSuchActor"):
        here.ask("pool", Dismiss(name="pool"))
    with pytest.raises(NoSuchActor):
        here.ask("kid", WhoAreYou())


def test_children_do_not_outlive_their_node(stage: SetStage) -> None:
    here = stage(node("one", keeper("pool")), node("two", keeper("b")))
    here.ask("pool", Employ(name="kid"))
    here.who("kid")
    here.kill("one")
    here.who("pool")
    assert here.ask("pool", Staff()) == Kept(seen=())
    eventually(lambda: _is_unknown(here, "kid"))


def _is_unknown(here: Stage, name: str) -> bool:
    try:
        here.ask("b", Forward(to=name))
    except ActorFailed as error:
        return error.error_type == "NoSuchActor"
    return False


def test_a_child_that_cannot_start_does_not_take_its_node_along(stage: SetStage) -> None:
    here = stage(node("one", keeper("pool"), max_restarts=0))
    here.ask("pool", Employ(name="kid", factory="tests.runtime.cast:NoSuchClass"))
    child = here.when("kid", lambda now: now.restarts)
    assert "NoSuchClass" in child.last_error
    assert here.node("one").restarts == 0


def test_seventy_actors_live_in_one_node(stage: SetStage) -> None:
    here = stage(NodeSpec(name="one", children=tuple(map(fetcher, range(70)))))
    assert {here.who(f"fetcher-{number}").pid for number in range(70)} == {here.node("one").pid}


# --- start and stop --------------------------------------------------------------------------


def test_start_is_in_order_stop_in_reverse_after_what_waits(
    stage: SetStage, tmp_path: Path
) -> None:
    diary, marks = tmp_path / "diary", tmp_path / "marks"
    here = stage(
        node(
            "one", keeper("a", "Diarist", args=str(diary)), keeper("b", "Diarist", args=str(diary))
        ),
        node("two", keeper("c", "Diarist", args=str(diary))),
        setup="tests.runtime.cast:leave_mark",
        setup_args=str(marks),
    )
    tell(here, "c", Note(number=1))
    tell(here, "c", Note(number=2))
    here.ask("c", Say(text="a mark behind them"))
    assert here.stop() == 0
    lines = diary.read_text().splitlines()
    assert lines[:3] == ["a started", "b started", "c started"]
    assert [line.split()[0] for line in lines[3:]] == ["c", "b", "a"]
    last = lines[3].removeprefix("c stopped after ").split(",")
    # Whether it was idle before the stop came is the scheduler's to say.
    assert [each for each in last if each != "idle"] == ["note 1", "note 2"]
    assert [line.split()[0] for line in marks.read_text().splitlines()] == ["one", "two"]


def test_an_actor_that_adds_a_child_while_its_node_stops_does_not_fail_of_it(
    stage: SetStage, tmp_path: Path
) -> None:
    diary, gate = tmp_path / "diary", tmp_path / "gate"
    here = stage(
        node("one", keeper("a", "Gated", args=str(gate)), keeper("b", "Diarist", args=str(diary)))
    )
    for message in (Note(number=-1), Employ(name="late"), Employ(name="later")):
        tell(here, "a", message)
    eventually(gate.with_suffix(".reached").exists)
    here.system.request_stop()
    eventually(lambda: "b stopped" in diary.read_text())
    gate.touch()
    assert here.wait() == 0
    assert gate.with_suffix(".stopped").exists(), "it failed instead of being stopped"


def test_an_ask_that_meets_a_stop_is_answered_or_told_that_nobody_will(stage: SetStage) -> None:
    here = stage(node("one", keeper("pool")))
    here.ask("pool", Employ(name="kid", factory="tests.runtime.cast:Slow"))
    here.who("kid")
    here.ask("pool", Forward(to="kid", times=10))
    here.ask("pool", Dismiss(name="kid"))
    with contextlib.suppress(NoSuchActor):  # if it came behind the stop; it is not left waiting
        assert here.ask("kid", Say(text="late"), 60) == Say(text="late")
    eventually(lambda: here.actor("kid") is None)


def test_an_actor_that_does_not_stop_is_left_behind(stage: SetStage, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    here = stage(
        node(
            "one",
            keeper("a", "Diarist", args=str(diary)),
            keeper("b", "Stubborn", stop_timeout_s=0.1),
        )
    )
    assert here.stop() == 0
    assert "a stopped" in diary.read_text()


def test_a_node_that_does_not_stop_is_killed(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", "Stubborn", stop_timeout_s=60), stop_timeout_s=0.2))
    here.client.describe()
    assert here.stop() == 0
    described = here.system.describe().nodes[0]
    assert described.state == "stopped"
    assert "did not stop within 0.2 s" in described.last_error


def test_a_second_request_stops_at_once(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", "Stubborn", stop_timeout_s=60), stop_timeout_s=60))
    here.system.request_stop()
    eventually(lambda: here.system.describe().nodes[0].state == "stopping")
    here.system.request_stop()
    assert here.wait() == 0


def test_a_second_system_in_the_same_place_is_refused_by_the_firsts_pid(
    stage: SetStage, tmp_path: Path
) -> None:
    stage(node("one", keeper("a")))
    second = System(name="again", nodes=(), messages=MESSAGES, run_dir=tmp_path / "run")
    with pytest.raises(SystemStartFailed, match=rf"process {os.getpid()}\)"):
        second.start()


def test_a_long_run_directory_is_no_problem(tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 30)
    system = System(name="test", nodes=(node("one", keeper("a")),), messages=MESSAGES, run_dir=deep)
    here = Stage(system, deep)
    try:
        sockets = here.client._registry._sockets
        assert sockets.stat().st_mode & 0o777 == 0o700
        here.who("a")
    finally:
        here.close()
    assert not sockets.exists()


def test_names_used_twice_are_refused_whole(tmp_path: Path) -> None:
    nodes = (node("one", keeper("a")), node("one", keeper("a")))
    with pytest.raises(SpecRefused, match=r"'one' is used twice; the name 'a' is used twice"):
        System(name="test", nodes=nodes, messages=MESSAGES, run_dir=tmp_path)


def test_hooks_run_in_the_main_loop_and_one_that_fails_changes_nothing(tmp_path: Path) -> None:
    system = System(
        name="test",
        nodes=(node("one", keeper("a")),),
        messages=MESSAGES,
        run_dir=tmp_path,
    )
    calls: list[str] = []
    states: list[str] = []
    threads: list[str] = []

    def work() -> None:
        calls.append("work")
        threads.append(threading.current_thread().name)
        if len(calls) >= 3 and states[-1] == "running":
            system.request_stop()
        if len(calls) == 1:
            raise ValueError("on purpose")

    system.every(0.01, work)
    system.on_change(lambda described: states.append(described.nodes[0].state))
    assert system.run() == 0
    assert len(calls) >= 3
    assert set(threads) == {threading.current_thread().name}
    assert states == ["starting", "running", "stopped"]


# --- other processes -------------------------------------------------------------------------

MAIN = """
import sys
from pathlib import Path
from kos.runtime import System, stop_on_signals
from tests.runtime.cast import MESSAGES
from tests.runtime.conftest import keeper, node
system = System(
    name="main",
    nodes=(node("one", keeper("a"), keeper("b")), node("two", keeper("c"))),
    messages=MESSAGES,
    run_dir=Path(sys.argv[1]),
)
stop_on_signals(system)
sys.exit(system.run())
"""


@contextlib.contextmanager
def _main(run_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A main process; killed at the end, if it still runs then."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, str(run_dir)], stdout=subprocess.DEVNULL
    )
    record = run_dir / "runtime.json"
    try:
        eventually(lambda: record.exists() and json.loads(record.read_text())["pid"] == process.pid)
        yield process
    finally:
        process.kill()
        process.wait()


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def test_no_orphan_is_left_when_the_main_process_is_killed(tmp_path: Path) -> None:
    with _main(tmp_path) as main, connect(tmp_path, MESSAGES) as client:
        eventually(lambda: all(each.pid for each in client.describe().nodes))
        eventually(lambda: client.ask("c", WhoAreYou(), 1))
        client._registry.tell(None, "b", Fail(how="spin"))
        pids = [each.pid for each in client.describe().nodes]
        assert all(map(_is_alive, pids))
        main.kill()
        main.wait()
        eventually(lambda: not any(map(_is_alive, pids)))
        with pytest.raises(SystemNotRunning, match="has ended"):
            client.describe()
    with pytest.raises(SystemNotRunning, match="has ended; restart it"):
        connect(tmp_path, MESSAGES, timeout_s=0.2)
    with _main(tmp_path) as again:  # neither the lock nor the sockets of the dead are in the way
        with connect(tmp_path, MESSAGES) as client:
            assert client.describe().pid == again.pid
        again.terminate()
        assert again.wait(20) == 0


def test_one_interrupt_of_the_whole_group_is_one_stop_in_order(tmp_path: Path) -> None:
    with _main(tmp_path) as main, connect(tmp_path, MESSAGES) as client:
        eventually(lambda: client.ask("c", WhoAreYou(), 1))
        for each in client.describe().nodes:
            os.kill(each.pid, signal.SIGINT)
            os.kill(each.pid, signal.SIGTERM)
        assert client.ask("a", Say(text="unmoved"), 5) == Say(text="unmoved")
        assert [each.restarts for each in client.describe().nodes] == [0, 0]
        main.send_signal(signal.SIGINT)
        assert main.wait(20) == 0
    assert not (tmp_path / "runtime.json").exists()


def test_the_example_of_the_packages_own_words_runs(tmp_path: Path) -> None:
    words = (kos.runtime.__doc__ or "").replace("/run/sums", str(tmp_path / "run"))
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", words)
    messages, actor, program, client = (textwrap.dedent(each) for each in blocks)
    imports = "from __future__ import annotations\nimport sys\nfrom pathlib import Path\n"
    imports += "from kos.runtime import *\n"
    (tmp_path / "sums.py").write_text(imports + messages + actor)
    (tmp_path / "main.py").write_text(imports + "from sums import *\n" + program)
    (tmp_path / "client.py").write_text(
        imports + "from sums import *\n" + client.replace("client.ask", "answer = client.ask")
        + "    assert answer == Total(amount=2)\n"
    )  # fmt: skip
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    main = subprocess.Popen(
        [sys.executable, "main.py"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        eventually((tmp_path / "run" / "runtime.json").exists)
        with connect(tmp_path / "run", ()) as waiting:
            eventually(lambda: waiting.describe().nodes[0].state == "running")
        subprocess.run([sys.executable, "client.py"], cwd=tmp_path, env=environment, check=True)
    finally:
        main.terminate()
        assert main.wait(20) == 0


def test_nodes_killed_at_random_leave_no_ask_without_a_word_and_all_come_back(
    stage: SetStage,
) -> None:
    generous = {"max_restarts": 1000}
    here = stage(
        node("one", keeper("a"), **generous),
        node("two", keeper("b"), **generous),
        node("three", keeper("c"), **generous),
    )
    chance = random.Random(7)
    answered: list[Message] = []
    faults: set[str] = set()
    over = threading.Event()

    def ask(actor: str, other: str) -> None:
        while not over.is_set():
            try:
                answered.append(here.ask(actor, Forward(to=other), 30))
            except ActorFailed as error:
                faults.add(error.error_type)
            except PeerDied:
                faults.add("PeerDied")

    askers = [threading.Thread(target=ask, args=pair) for pair in ("ab", "bc", "ac", "ab")]
    for each in askers:
        each.start()
    for _ in range(8):
        name = chance.choice(("one", "two", "three"))
        before = len(answered)
        pid = here.node(name).pid
        with contextlib.suppress(ProcessLookupError):  # it may be down from the last round
            os.kill(pid or 2**30, signal.SIGKILL)
        eventually(lambda before=before: len(answered) > before)  # type: ignore[misc]
    over.set()
    for each in askers:
        each.join(10)
        assert not each.is_alive()
    assert faults <= {"PeerDied"}
    for name in "abc":
        here.who(name)
    assert sum(each.restarts for each in here.client.describe().nodes) >= 1


def test_a_client_of_nothing_is_told_so_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemNotRunning, match=r"nothing is running in .*; start it first"):
        connect(tmp_path, MESSAGES)
    (tmp_path / "runtime.json").write_text(json.dumps({"name": 7}))
    with pytest.raises(SystemNotRunning, match="cannot be read"):
        connect(tmp_path, MESSAGES)


def test_the_runtime_brings_nothing_of_the_program_into_a_node() -> None:
    code = (
        "import sys, kos.runtime; "
        "print(','.join(sorted({'requests', 'peewee', 'typer', 'kos.domain', 'kos.messages'} & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == ""


def test_a_system_that_is_there_but_does_not_answer_is_told_from_none(
    stage: SetStage, tmp_path: Path
) -> None:
    stage(node("one", keeper("a")))
    record = tmp_path / "run"
    with pytest.raises(SystemNotAnswering, match="is not responding"):
        connect(record, MESSAGES, timeout_s=-1.0)
