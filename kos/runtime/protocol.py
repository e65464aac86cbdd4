"""The base of all messages, and how a mailbox treats them.

A message is a frozen, keyword-only, tagged msgspec struct. It says by its class how a full
mailbox treats it, so that a producer never has to think about its consumers:

* ``COMMAND`` and other requests are refused when the box is full, with an error that says so;
* ``SNAPSHOT`` conflates: a newer one with the same :meth:`Message.conflation_key` takes the
  place of the one still waiting, so that a slow consumer sees the latest world;
* ``CONTROL`` overtakes everything that waits.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import ClassVar

import msgspec


class Delivery(Enum):
    """What a mailbox does with a message when others wait."""

    COMMAND = "command"
    SNAPSHOT = "snapshot"
    CONTROL = "control"


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of every message. Subclasses inherit frozen, keyword-only and the tag (their name)."""

    delivery: ClassVar[Delivery] = Delivery.COMMAND

    def conflation_key(self) -> Hashable:
        """Which waiting snapshot this one replaces; only asked of ``SNAPSHOT`` messages."""
        return None
