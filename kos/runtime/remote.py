"""References to actors: a name, wherever its actor lives and however often it restarts."""

from __future__ import annotations

from kos.runtime.protocol import Message
from kos.runtime.registry import Registry


class ActorRef:
    """A reference to an actor by its name.

    It resolves at each use, so it may be made before its actor exists and outlives all its
    restarts. It is the same for an actor in this process, which is handed the very object,
    and for one in another, for which the message is encoded at the call.

    Args:
        name: The actor's name.
        registry: What this process knows of names.
        sender: The actor that uses the reference, or None.
    """

    __slots__ = ("_registry", "_sender", "name")

    def __init__(self, name: str, registry: Registry, sender: str | None) -> None:
        self.name = name
        self._registry = registry
        self._sender = sender

    def __repr__(self) -> str:
        return f"ActorRef({self.name!r})"

    def tell(self, message: Message) -> None:
        """Send ``message`` and go on. It arrives at most once, in the order sent by this actor.

        A node that is down is no error here: what is told waits some seconds for its return.
        A message that gets lost on its way is counted where it was lost.

        Raises:
            NoSuchActor: No one of that name is known.
            MailboxFull: The mailbox here, or the way to the other process, is full.
            UnencodableMessage: It cannot be put on the wire.
        """
        self._registry.tell(self._sender, self.name, message)

    def ask(self, message: Message, timeout_s: float) -> Message:
        """Send ``message`` and wait for its answer in this thread.

        An actor that asks handles nothing meanwhile: ask downwards, never in a circle.

        Args:
            message: The request.
            timeout_s: How long to wait, in seconds.

        Raises:
            AskTimeout: No answer in time; it may or may not have been carried out.
            PeerDied: Its process is not up, or died while we waited.
            ActorFailed: It raised instead of answering.
            NoSuchActor: No one of that name is known.
            MailboxFull: It is full.
            MessageRefused: Its process does not know the message.
            UnencodableMessage: It cannot be put on the wire.
        """
        return self._registry.ask(self._sender, self.name, message, timeout_s)
