"""A calculator's inputs from words that a person typed: ``back_stake`` with ``10``, lists with commas."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kos.domain.calculators.table import Calculator, Input
from kos.errors import InvalidInput


def spoken_inputs(
    calculator: Calculator, words: Iterable[tuple[str, str, str]], allowed: str
) -> dict[str, object]:
    """Inputs by name from words as typed.

    A list is given with commas or by repeating its word. An entry with fields is
    ``name=value,name=value``, or its values in order as ``1.60:1.63:0.02``, or JSON.

    Args:
        calculator: The kind.
        words: Each as typed, the input it names, and its value.
        allowed: The inputs there are, in the spelling of the screen.

    Raises:
        InvalidInput: A word is no input of this kind, or is given twice.
    """
    inputs: dict[str, object] = {}
    lists: dict[str, list[object]] = {}
    for typed, name, value in words:
        calculator_input = calculator.input_named(name)
        if calculator_input is None:
            raise InvalidInput(typed, value, f"an input of {calculator.kind}: {allowed}")
        if calculator_input.is_list:
            inputs[calculator_input.name] = entries = lists.setdefault(calculator_input.name, [])
            entries.extend(_entries(typed, calculator_input, value))
        elif calculator_input.name in inputs:
            raise InvalidInput(typed, value, "this input only once")
        else:
            inputs[calculator_input.name] = value
    return inputs


def _entries(typed: str, calculator_input: Input, text: str) -> list[object]:
    if text.startswith(("[", "{")):
        try:
            decoded = msgspec.json.Decoder(float_hook=str).decode(text)
        except msgspec.DecodeError:
            raise InvalidInput(typed, text, f"JSON, {calculator_input.reader.allowed}") from None
        return decoded if isinstance(decoded, list) else [decoded]
    if calculator_input.fields and "=" in text:
        pairs = [pair.partition("=") for pair in text.split(",")]
        return [{name.strip().replace("-", "_"): value.strip() for name, _, value in pairs}]
    return [entry.strip() for entry in text.split(",")]


def label_of(output: str) -> str:
    """An output's name for people: ``lay_stake`` is ``Lay stake``."""
    label = output.removesuffix("_").removesuffix("_pct").replace("_", " ")
    return label[:1].upper() + label[1:]
