"""Frames, outbox and wires, on real sockets within this process."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.runtime import Message, MessageRefused, UnencodableMessage
from kos.runtime.codec import MAX_FRAME_BYTES, Codec, Frame, FrameKind
from kos.runtime.control import Control, Ping, Stop
from kos.runtime.errors import (
    ActorFailed,
    AskTimeout,
    MailboxFull,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
    from_fault,
    to_fault,
)
from kos.runtime.frames import FrameReader
from kos.runtime.outbox import MAX_FRAMES, AskKey, Outbox, OutboxFull
from kos.runtime.transport import Wire, WireClosed
from tests.profiles import examples
from tests.runtime.cast import MESSAGES, Note, Price, Say, Unlisted
from tests.runtime.conftest import eventually

CODEC = Codec(MESSAGES)


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


class Reading:
    """What a reader hands out of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.messages: list[Message] = []
        self.refused: list[str] = []
        self.reader = FrameReader(sock, CODEC, self.take, self.refused.append)

    def take(self, frame: Frame) -> None:
        self.messages.append(CODEC.message(frame))


def encoded(message: Message) -> bytes:
    return CODEC.encode(FrameKind.TELL, 0, "a", None, message)


@settings(max_examples=examples(40))
@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.data())
def test_frames_come_out_whole_however_the_stream_is_cut(
    sizes: list[int], data: st.DataObject
) -> None:
    said = [Say(text=str(number), payload=b"p" * size) for number, size in enumerate(sizes)]
    stream = b"".join(map(encoded, said))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    with pair() as (one, other):
        reading = Reading(other)
        start = 0
        for cut in (*cuts, len(stream)):
            if cut > start:
                one.sendall(stream[start:cut])
                assert reading.reader.feed()
            start = cut
        one.close()
        assert not reading.reader.feed()
    assert reading.messages == said
    assert not reading.refused


@settings(max_examples=examples(60))
@given(st.binary(max_size=200))
def test_rubbish_in_a_frame_is_refused_and_the_next_frame_is_read(rubbish: bytes) -> None:
    with pair() as (one, other):
        heard: list[object] = []
        refused: list[str] = []

        def take(frame: Frame) -> None:
            try:
                heard.append(CODEC.message(frame))
            except MessageRefused as error:
                refused.append(error.detail)

        reader = FrameReader(other, CODEC, take, refused.append)
        one.sendall(len(rubbish).to_bytes(4, "little") + rubbish + encoded(Note(number=1)))
        one.shutdown(socket.SHUT_WR)
        while reader.feed():
            pass
    assert heard == [Note(number=1)]
    assert len(refused) == 1


def test_a_frame_too_long_ends_the_stream() -> None:
    with pair() as (one, other):
        reading = Reading(other)
        one.sendall((MAX_FRAME_BYTES + 1).to_bytes(4, "little"))
        assert not reading.reader.feed()
        assert "frame of" in reading.refused[0]


def test_what_cannot_be_encoded_fails_in_the_sender() -> None:
    with pytest.raises(UnencodableMessage, match="not among"):
        encoded(Unlisted())
    with pytest.raises(UnencodableMessage, match="object"):
        encoded(Say(text=object()))  # type: ignore[arg-type]
    with pytest.raises(UnencodableMessage, match="too many"):
        encoded(Say(text="x", payload=bytes(MAX_FRAME_BYTES)))


def test_two_messages_of_one_name_are_refused() -> None:
    other = type("Note", (Message,), {}, frozen=True, kw_only=True)
    with pytest.raises(ValueError, match="on the wire need different names: Note"):
        Codec((*MESSAGES, other))


@pytest.mark.parametrize(
    "error",
    [
        PeerDied("a", "why"),
        NoSuchActor("a"),
        MailboxFull("a", "4 wait"),
        ActorFailed("a", "ValueError", "text"),
        MessageRefused("a", "shape"),
    ],
)
def test_a_fault_crosses_as_itself(error: RuntimeFault) -> None:
    back = from_fault(to_fault(error, "b"))
    assert type(back) is type(error)
    assert (str(back), vars(back)) == (str(error), vars(error))


def test_any_other_error_crosses_as_the_actors_failure() -> None:
    back = from_fault(to_fault(AskTimeout("c", "Note", 1.0), "b"))
    assert isinstance(back, ActorFailed)
    assert (back.actor, back.error_type) == ("b", "AskTimeout")


def test_an_outbox_keeps_order_conflates_and_is_bounded() -> None:
    box = Outbox()
    with box.lock:
        box.put(b"one")
        box.put(b"old", "key")
        box.put(b"ask", AskKey(1))
        box.put(b"two")
        box.put(b"new", "key")
    box.drop_asks()
    with box.lock:
        assert box.take() == [b"one", b"new", b"two"]
        for _ in range(MAX_FRAMES):
            box.put(b"x")
        with pytest.raises(OutboxFull):
            box.put(b"y")
    assert box.empty_out() == MAX_FRAMES


def test_a_wire_never_blocks_its_caller_and_loses_nothing_on_the_way() -> None:
    with pair() as (one, other):
        wire = Wire(one, Outbox(), "test")
        said = [Say(text=str(number), payload=b"x" * 50_000) for number in range(60)]
        for number, each in enumerate(said):  # 3 MB: far more than the system takes at once
            wire.send(encoded(each), is_urgent=number % 2 == 0)
        assert not wire.is_drained()
        reading = Reading(other)
        while len(reading.messages) < len(said):
            assert reading.reader.feed()
        assert reading.messages == said
        eventually(wire.is_drained)
        wire.shut()
        with pytest.raises(WireClosed):
            wire.send(b"")


def test_a_wire_whose_peer_hangs_up_counts_what_may_be_lost() -> None:
    with pair() as (one, other):
        wire = Wire(one, Outbox(), "test")
        for _ in range(60):
            wire.send(encoded(Say(text="x", payload=b"x" * 50_000)))
        other.close()
        eventually(lambda: not wire.is_open)
        assert eventually(lambda: wire.unsure) >= 1


def test_a_control_pipe_reads_what_is_there_and_never_waits_for_a_torn_rest() -> None:
    with pair() as (one, other):
        ours, theirs = Control(one), Control(other)
        assert theirs.receive(may_wait=False) == []
        assert ours.send(Ping(number=1))
        assert ours.send(Stop(), may_wait=False)
        one.sendall(b"\x09\x00")
        assert theirs.receive(may_wait=True) == [Ping(number=1), Stop()]
        assert theirs.receive(may_wait=False) == []
        one.close()
        with pytest.raises(EOFError):
            theirs.receive(may_wait=True)
        assert not theirs.send(Stop())


def test_a_control_pipe_to_a_stuck_process_does_not_hold_the_sender() -> None:
    with pair() as (one, _other):
        control = Control(one)
        thread = threading.Thread(
            target=lambda: [control.send(Ping(number=n), may_wait=False) for n in range(50_000)]
        )
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert not control.send(Ping(number=1), may_wait=False)


def test_snapshots_of_one_key_conflate_on_the_way() -> None:
    box = Outbox()
    for number in range(10):
        with box.lock:
            box.put(encoded(Price(key="x", number=number)), ("a", Price, "x"))
    with box.lock:
        assert box.take() == [encoded(Price(key="x", number=9))]
