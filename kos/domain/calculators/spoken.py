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
    for typed, name, given in words:
        known = calculator.input_named(name)
        if known is None:
            raise InvalidInput(typed, given, f"an input of {calculator.kind}: {allowed}")
        if known.is_list:
            entries = inputs.setdefault(known.name, [])
            if isinstance(entries, list):
                entries.extend(_entries(typed, known, given))
        elif known.name in inputs:
            raise InvalidInput(typed, given, "this input only once")
        else:
            inputs[known.name] = given
    return inputs


def _entries(typed: str, known: Input, given: str) -> list[object]:
    if given.startswith(("[", "{")):
        try:
            decoded = msgspec.json.Decoder(float_hook=str).decode(given)
        except msgspec.DecodeError:
            raise InvalidInput(typed, given, f"JSON, {known.reader.allowed}") from None
        return decoded if isinstance(decoded, list) else [decoded]
    if known.fields and "=" in given:
        pairs = [pair.partition("=") for pair in given.split(",")]
        return [{name.strip().replace("-", "_"): value.strip() for name, _, value in pairs}]
    return [entry.strip() for entry in given.split(",")]


def label_of(output: str) -> str:
    """An output's name for people: ``lay_stake`` is ``Lay stake``."""
    label = output.removesuffix("_").removesuffix("_pct").replace("_", " ")
    return label[:1].upper() + label[1:]
