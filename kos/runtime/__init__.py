"""The actor runtime: supervised actors on several processes. It knows nothing of betting.

An *actor* is an object with a mailbox and a thread of its own. A *node* is an operating-system
process that hosts actors and supervises them. A *system* is the main process: it hosts no one,
and supervises the nodes. Any code with an actor's name can tell it or ask it something, from
any node, and the name stays good through every restart.

A program says in a module, here ``sums``, what its messages are::

    class Add(Message, frozen=True, kw_only=True):
        amount: int

    class Total(Message, frozen=True, kw_only=True):
        amount: int

what its actors do with them::

    class Adder(Actor):
        total = 0

        def receive(self, message: Message) -> Message | None:
            match message:
                case Add():
                    self.total += message.amount
                    return Total(amount=self.total)
            return None

and in its main program what runs where::

    system = System(
        name="sums",
        nodes=(
            NodeSpec(name="one", children=(ChildSpec(name="adder", factory="sums:Adder"),)),
        ),
        messages=(Add, Total),
        run_dir=Path("/run/sums"),
    )
    stop_on_signals(system)
    sys.exit(system.run())

Another process of the same user joins in as a client::

    with connect(Path("/run/sums"), (Add, Total)) as client:
        client.ask("adder", Add(amount=2), timeout_s=1.0)  # Total(amount=2)

What holds, whatever dies:

* A message arrives at most once, and in the order in which one sender told one receiver.
* A waiting ask ends with an answer or a named error: at once when the other process dies.
* No mailbox and no outbox grows without a bound; what is refused is refused with an error or
  counted.
* Bytes from another process become values of the types in ``messages``, or are refused.
* An ended actor or node is started again as its specification says, or someone above gives up.
* No node outlives the main process by more than about a second.
"""

from kos.runtime.actor import DEFERRED, Actor, Context, Deferred, Reply
from kos.runtime.client import Client, connect
from kos.runtime.description import ActorDescribed, Describe, NodeDescribed, SystemDescribed
from kos.runtime.errors import (
    ActorExists,
    ActorFailed,
    AskTimeout,
    MailboxFull,
    MessageRefused,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
    SystemNotAnswering,
    SystemNotRunning,
    SystemStartFailed,
    UnencodableMessage,
)
from kos.runtime.jobs import current_job, job, new_job_id
from kos.runtime.meters import Meter, meters
from kos.runtime.protocol import Delivery, Message
from kos.runtime.registry import SYSTEM
from kos.runtime.remote import ActorRef
from kos.runtime.signals import call_on_hangup, dump_on_signal, stop_on_signals
from kos.runtime.spec import ChildSpec, NodeSpec, OnExhausted, Restart, SpecRefused, Strategy
from kos.runtime.system import System
from kos.runtime.timers import Timer

__all__ = [
    "DEFERRED",
    "SYSTEM",
    "Actor",
    "ActorDescribed",
    "ActorExists",
    "ActorFailed",
    "ActorRef",
    "AskTimeout",
    "ChildSpec",
    "Client",
    "Context",
    "Deferred",
    "Delivery",
    "Describe",
    "MailboxFull",
    "Message",
    "MessageRefused",
    "Meter",
    "NoSuchActor",
    "NodeDescribed",
    "NodeSpec",
    "OnExhausted",
    "PeerDied",
    "Reply",
    "Restart",
    "RuntimeFault",
    "SpecRefused",
    "Strategy",
    "System",
    "SystemDescribed",
    "SystemNotAnswering",
    "SystemNotRunning",
    "SystemStartFailed",
    "Timer",
    "UnencodableMessage",
    "call_on_hangup",
    "connect",
    "current_job",
    "dump_on_signal",
    "job",
    "meters",
    "new_job_id",
    "stop_on_signals",
]
