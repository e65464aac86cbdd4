"""What a person reads when something is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kos.errors import InvalidInput


@pytest.mark.parametrize("nothing", [None, "", []])
def test_what_was_left_out_is_not_called_forbidden(nothing: object) -> None:
    assert str(InvalidInput("stake", nothing, "pounds")) == ("Stake is missing. Enter pounds.")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "'x'"),
        (0, "0"),
        (Decimal(200000), "200,000"),
        (["date", "hue"], "date, hue"),
        ({}, "{}"),
        (False, "False"),
    ],
)
def test_a_value_is_shown_as_typed(value: object, shown: str) -> None:
    assert str(InvalidInput("stake", value, "pounds")) == (
        f"Stake cannot be {shown}. Enter pounds."
    )


def test_an_option_keeps_its_spelling() -> None:
    assert str(InvalidInput("--stake", "x", "pounds")).startswith("--stake cannot be 'x'.")
    assert str(InvalidInput("min_odds", "x", "odds")).startswith("min_odds cannot be 'x'.")


def test_what_cannot_be_read_is_given_with_its_reason() -> None:
    refused = InvalidInput("line 2", ValueError("no type"), "a line of the export")
    assert str(refused) == "Line 2 cannot be read: no type. Enter a line of the export."


def test_a_long_value_is_cut() -> None:
    assert len(str(InvalidInput("stake", "9" * 10_000, "pounds"))) < 200
