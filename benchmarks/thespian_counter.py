"""What Thespian hosts in the benchmark of the runtime; imported where Thespian is installed."""

from __future__ import annotations

from thespian.actors import Actor


class ThespianCounter(Actor):  # type: ignore[misc]
    """Counts what it is told, and gives back what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def receiveMessage(self, message: object, sender: object) -> None:  # noqa: N802 - Thespian's
        match message:
            case "taken":
                self.send(sender, self.count)
            case ("ask", what):
                self.send(sender, what)
            case _ if type(message).__name__ in ("Quote", "Snapshot"):
                self.count += 1
