"""What a person reads when something is refused."""

from __future__ import annotations

import pytest

from kos.errors import InvalidInput


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_was_left_out_is_not_called_forbidden(nothing: str | None) -> None:
    assert str(InvalidInput("stake", nothing, "pounds")) == (
        "stake: nothing is given; expected pounds"
    )


@pytest.mark.parametrize("value", ["x", 0, [], {}, False])
def test_what_was_given_is_shown(value: object) -> None:
    assert str(InvalidInput("stake", value, "pounds")) == (
        f"stake: {value!r} is not allowed; expected pounds"
    )


def test_a_long_value_is_cut() -> None:
    assert len(str(InvalidInput("stake", "9" * 10_000, "pounds"))) < 200
