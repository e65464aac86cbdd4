"""The supervisor of a node, without its process: what it logs of dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kos.runtime import ChildSpec, MailboxFull, NodeSpec
from kos.runtime.codec import Codec
from kos.runtime.registry import Registry
from kos.runtime.supervisor import Supervisor
from tests.runtime.cast import KEEPER, MESSAGES, Myself, Note, WhoAreYou

CHILDREN = (
    ChildSpec(name="crowded", factory=KEEPER, mailbox_capacity=1),
    ChildSpec(name="idle", factory=KEEPER),
)


def flood(registry: Registry, times: int) -> None:
    """Tell an actor that has not started more than its mailbox holds."""
    for number in range(times):
        with pytest.raises(MailboxFull):
            registry.tell(None, "crowded", Note(number=number))


def test_dead_letters_are_logged_when_they_have_doubled_and_nobody_elses() -> None:
    registry = Registry("n", Codec(MESSAGES), Path())
    supervisor = Supervisor(
        NodeSpec(name="n", children=()), registry, on_names=lambda _added, _gone: None
    )
    for child in CHILDREN:
        supervisor.start_child(child)  # it has a mailbox from now on, and starts at the next step
    registry.tell(None, "crowded", Note(number=0))
    logged = []
    for times in (0, 1, 0, 1, 1, 1, 3, 1):
        flood(registry, times)
        with capture_logs() as lines:
            supervisor.log_dead_letters()
        logged.append([(each["event"], each["actor"], each["total"]) for each in lines])
    assert logged == [
        [],
        [("letters.dead", "crowded", 1)],
        [],
        [("letters.dead", "crowded", 2)],
        [],
        [("letters.dead", "crowded", 4)],
        [],
        [("letters.dead", "crowded", 8)],
    ]
    assert lines[0]["by_reason"] == {"mailbox_full": 8}
    assert lines[0]["log_level"] == "warning"


@pytest.mark.parametrize(
    ("factory", "shown"), [(KEEPER, "old"), ("tests.runtime.cast:Adopter", "new")]
)
def test_an_actor_shows_new_args_once_it_has_taken_them_in_and_not_before(
    factory: str, shown: str
) -> None:
    registry = Registry("n", Codec(MESSAGES), Path())
    old, new = (
        NodeSpec(name="n", children=(ChildSpec(name="one", factory=factory, args=args),))
        for args in ("old", "new")
    )
    supervisor = Supervisor(old, registry, on_names=lambda _added, _gone: None)
    supervisor.start()
    supervisor.respecify(new)
    # The supervisor takes no step: whoever has not taken them in waits for its restart.
    answer = registry.ask(None, "one", WhoAreYou(), 30.0)
    supervisor.stop()
    assert isinstance(answer, Myself)
    assert (answer.incarnation, answer.args) == (1, shown)
