"""The actor runtime: supervised actors on several processes. It knows nothing of betting."""

from kos.runtime.actor import DEFERRED, Actor, Context, Deferred, Reply
from kos.runtime.client import Client, connect
from kos.runtime.described import ActorDescribed, Describe, NodeDescribed, SystemDescribed
from kos.runtime.errors import (
    ActorExists,
    ActorFailed,
    AskTimeout,
    MailboxFull,
    MessageRefused,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
    SystemNotRunning,
    SystemStartFailed,
    UnencodableMessage,
)
from kos.runtime.protocol import Delivery, Message
from kos.runtime.remote import ActorRef
from kos.runtime.signals import stop_on_signals
from kos.runtime.spec import (
    ESCALATE,
    ONE_FOR_ALL,
    ONE_FOR_ONE,
    PARK,
    PERMANENT,
    REST_FOR_ONE,
    TEMPORARY,
    TRANSIENT,
    ChildSpec,
    NodeSpec,
    OnExhausted,
    Restart,
    SpecRefused,
    Strategy,
)
from kos.runtime.system import System
from kos.runtime.timers import Timer

__all__ = [
    "DEFERRED",
    "ESCALATE",
    "ONE_FOR_ALL",
    "ONE_FOR_ONE",
    "PARK",
    "PERMANENT",
    "REST_FOR_ONE",
    "TEMPORARY",
    "TRANSIENT",
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
    "SystemNotRunning",
    "SystemStartFailed",
    "Timer",
    "UnencodableMessage",
    "connect",
    "stop_on_signals",
]
