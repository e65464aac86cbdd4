"""Who lives where: names of actors across nodes, and the ways to reach them."""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from kos.runtime.codec import Codec, Frame, FrameKind
from kos.runtime.errors import (
    ActorFailed,
    AskTimeout,
    MailboxFull,
    MessageRefused,
    NoSuchActor,
    RuntimeFault,
)
from kos.runtime.frames import FrameReader
from kos.runtime.hangups import Hangups
from kos.runtime.jobs import current_job
from kos.runtime.link import Link
from kos.runtime.mailbox import Letter, Mailbox, ReplySink
from kos.runtime.outbox import Outbox, OutboxFull
from kos.runtime.protocol import Delivery, Message
from kos.runtime.reply import Waiter, WireReply
from kos.runtime.transport import Wire, peer_uid

SYSTEM = "@system"
"""The main process: its node name, and the actor name that answers Describe."""

Service = Callable[[Message, ReplySink], None]


def socket_path(folder: Path, node: str) -> Path:
    """Where ``node`` listens."""
    return folder / f"{node}.sock"


class Registry:
    """The names that one process knows, its own mailboxes and its links to other nodes.

    ``here`` is this process's node name; ``sockets`` the private folder where each node listens.
    """

    def __init__(self, here: str, codec: Codec, sockets: Path) -> None:
        self.here = here
        self.codec = codec
        self.refused_frames = 0
        self.strays: Counter[str] = Counter()
        """Messages lost on the way, by ``name: reason``."""
        self._sockets = sockets
        self._nodes: dict[str, str] = {SYSTEM: SYSTEM}
        self._boxes: dict[str, Mailbox] = {}
        self._services: dict[str, Service] = {}
        self._links: dict[str, Link] = {}
        self._hangups = Hangups()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    def learn(self, names: Mapping[str, str]) -> None:
        """Take over where actors live: node by actor name."""
        self._nodes.update(names)

    def forget(self, name: str) -> None:
        """No one of that name lives anywhere any more."""
        self._nodes.pop(name, None)

    def node_of(self, name: str) -> str | None:
        """The node that hosts ``name``, or None."""
        return self.here if name in self._boxes else self._nodes.get(name)

    def add(self, box: Mailbox) -> None:
        """Host an actor here."""
        self._boxes[box.owner] = box

    def remove(self, name: str) -> None:
        """Stop hosting it."""
        self._boxes.pop(name, None)

    def serve(self, name: str, service: Service) -> None:
        """Let ``service`` answer what is asked of ``name``, in the thread that reads the link."""
        self._services[name] = service

    def tell(self, sender: str | None, target: str, message: Message) -> None:
        """Send ``message``; see :meth:`kos.runtime.remote.ActorRef.tell`."""
        box = self._boxes.get(target)
        if box is not None:
            box.put(Letter(message, sender, None, current_job()))
            return
        data = self.codec.encode(FrameKind.TELL, 0, target, sender, message, current_job())
        key = None
        if message.delivery is Delivery.SNAPSHOT:
            key = (target, type(message), message.conflation_key())
        try:
            self._link_to(target).tell(data, key)
        except OutboxFull as error:
            self.strays[f"{target}: outbox_full"] += 1
            raise MailboxFull(target, "the way to its node is full") from error

    def ask(self, sender: str | None, target: str, message: Message, timeout_s: float) -> Message:
        """Send ``message`` and wait; see :meth:`kos.runtime.remote.ActorRef.ask`."""
        if sender is not None and sender == target:
            raise ActorFailed(target, "Deadlock", "an actor cannot wait for its own answer")
        box = self._boxes.get(target)
        if box is not None:
            waiter = Waiter()
            box.put(Letter(message, sender, waiter, current_job()))
            waiter.wait(timeout_s)
            if not waiter.is_done:
                raise AskTimeout(target, type(message).__name__, timeout_s)
            return waiter.result()
        try:
            return self._link_to(target).ask(target, sender, message, timeout_s)
        except OutboxFull as error:
            raise MailboxFull(target, "the way to its node is full") from error

    def listen(self) -> None:
        """Accept links from other processes of this user, from now on."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = socket_path(self._sockets, self.here)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        listener.bind(os.fspath(fresh))
        listener.listen(128)
        fresh.rename(path)  # a predecessor's socket gives way at once, with no gap
        self._listener = listener
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self, drain_s: float = 0.5) -> None:
        """Stop listening and end all links, after what waits in them has gone out."""
        if self._listener is not None:
            self._listener.close()
        for link in list(self._links.values()):
            link.close(drain_s)

    def _link_to(self, target: str) -> Link:
        node = self._nodes.get(target)
        if node is None or node == self.here:
            raise NoSuchActor(target)
        link = self._links.get(node)
        if link is not None:
            return link
        with self._lock:
            link = self._links.get(node)
            if link is None:
                link = self._links[node] = Link(
                    here=self.here,
                    peer=node,
                    address=socket_path(self._sockets, node),
                    codec=self.codec,
                    hangups=self._hangups,
                    on_lost=lambda reason, count: self._count_lost(node, reason, count),
                )
            return link

    def _count_lost(self, node: str, reason: str, count: int) -> None:
        if count:
            self.strays[f"{node}: {reason}"] += count

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101 - set before this thread starts
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if peer_uid(sock) not in (None, os.getuid()):
                sock.close()
                self.refuse("another user")
                continue
            Guest(sock, self).start()

    def refuse(self, _reason: str) -> None:
        """Count bytes that were no frame, or a message that is none of ours."""
        self.refused_frames += 1

    def deliver(self, peer: str, frame: Frame, reply: ReplySink | None) -> None:
        """Put what ``frame`` carries where it belongs; a refusal goes to ``reply``."""
        target, sender = frame.target, frame.sender
        if sender is not None and peer and sender not in self._nodes:
            self._nodes[sender] = peer
        box = self._boxes.get(target)
        try:
            message = self.codec.message(frame)
            if box is not None:
                box.put(Letter(message, sender, reply, frame.job))
                return
            service = self._service(target)
            if reply is not None:
                service(message, reply)
        except RuntimeFault as error:
            if isinstance(error, MessageRefused):
                self.refuse(error.detail)
                if box is not None:
                    box.dead["ill_shaped"] += 1
            if reply is not None:
                reply.fail(error)
        except Exception as error:  # noqa: BLE001 - a message's own key may fail; its link must not
            self.refuse(repr(error))
            if reply is not None:
                reply.fail(MessageRefused(target, repr(error)))

    def _service(self, target: str) -> Service:
        service = self._services.get(target)
        if service is None:
            self.strays[f"{target}: no_such_actor"] += 1
            raise NoSuchActor(target)
        return service


class Guest:
    """A link that another process has made to this one: read here, answered over the same."""

    def __init__(self, sock: socket.socket, registry: Registry) -> None:
        self._sock = sock
        self._registry = registry
        self._peer = ""
        self._wire = Wire(sock, Outbox(), "guest")
        self._reader = FrameReader(sock, registry.codec, self._on_frame, registry.refuse)

    def start(self) -> None:
        """Read in a thread of its own until the other side is gone."""
        threading.Thread(target=self._read, name="read guest", daemon=True).start()

    def _read(self) -> None:
        try:
            while self._reader.feed():
                pass
        finally:
            self._wire.shut()
            self._sock.close()

    def _on_frame(self, frame: Frame) -> None:
        match frame.kind:
            case FrameKind.HELLO:
                self._peer = frame.sender or ""
            case FrameKind.TELL:
                self._registry.deliver(self._peer, frame, None)
            case FrameKind.ASK:
                reply = WireReply(self._wire, self._registry.codec, frame.number, frame.target)
                self._registry.deliver(self._peer, frame, reply)
            case _:
                self._registry.refuse("an answer to nothing")
