"""Other args for actors that live, in real processes."""

from __future__ import annotations

import pytest

from kos.runtime import NodeSpec, SpecRefused
from tests.runtime.cast import Kept, Myself, Recall
from tests.runtime.conftest import SetStage, Stage, eventually, keeper, node


def nodes(args: str, factory: str = "Keeper") -> tuple[NodeSpec, ...]:
    return (
        node("one", keeper("renewed", factory, args=args), keeper("bystander", args="same")),
        node("two", keeper("other", args="same")),
    )


def respecify(stage: Stage, specs: tuple[NodeSpec, ...]) -> None:
    stage.system.call_soon(lambda: stage.system.respecify(specs, None))


def who_with(stage: Stage, name: str, args: str) -> Myself:
    def look() -> Myself | None:
        found = stage.who(name)
        return found if found.args == args else None

    return eventually(look)


def test_an_actor_that_takes_new_args_in_lives_on(stage: SetStage) -> None:
    set_up = stage(*nodes("old", "Adopter"))
    before = set_up.who("renewed")
    respecify(set_up, nodes("new", "Adopter"))
    after = who_with(set_up, "renewed", "new")
    assert (after.pid, after.incarnation) == (before.pid, 1)
    assert set_up.ask("renewed", Recall()) == Kept(seen=("renewed new",))


def test_one_that_does_not_is_restarted_in_order_and_alone(stage: SetStage) -> None:
    set_up = stage(*nodes("old"))
    before = set_up.who("renewed")
    respecify(set_up, nodes("new"))
    after = who_with(set_up, "renewed", "new")
    assert (after.pid, after.incarnation) == (before.pid, 2)
    assert set_up.who("bystander").incarnation == 1
    assert set_up.who("other").incarnation == 1
    described = set_up.actor("renewed")
    assert described is not None
    assert described.last_error == ""


def test_one_that_fails_over_its_new_args_starts_with_them(stage: SetStage) -> None:
    set_up = stage(*nodes("old", "Adopter"))
    respecify(set_up, nodes("poison", "Adopter"))
    assert who_with(set_up, "renewed", "poison").incarnation == 2


def test_a_node_that_comes_back_starts_with_the_new_args(stage: SetStage) -> None:
    set_up = stage(*nodes("old", "Adopter"))
    respecify(set_up, nodes("new", "Adopter"))
    before = who_with(set_up, "renewed", "new")
    set_up.kill("one")

    def look() -> Myself | None:
        found = set_up.who("renewed")
        return found if found.pid != before.pid else None

    assert eventually(look).args == "new"


def test_other_nodes_or_actors_are_refused_and_nothing_changes(stage: SetStage) -> None:
    set_up = stage(*nodes("old"))
    with pytest.raises(SpecRefused):
        set_up.system.respecify((node("one", keeper("stranger")),), None)
    assert set_up.who("renewed").args == "old"
