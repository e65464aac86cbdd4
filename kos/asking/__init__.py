"""The one way to ask an actor: a deadline, a safe repeat, and a fault as a sentence.

The desk, the page, the terminal and the alerts all ask through :class:`Asker`. A process outside
the daemon reaches its actors through :class:`DaemonLink`, which survives a restart of the daemon.
"""

from kos.asking.asker import Ask, Asker, Expected, checked, fault_words
from kos.asking.daemon import DaemonLink

__all__ = ["Ask", "Asker", "DaemonLink", "Expected", "checked", "fault_words"]
