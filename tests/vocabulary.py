"""What the vocabulary has against a line of the log."""

from __future__ import annotations

from kos.observability.vocabulary import COMMON_KEYS, EVENTS


def problems_of(event: str, level: str, keys: frozenset[str]) -> list[str]:
    """What the vocabulary has against a line, in words; empty when nothing."""
    declared = EVENTS.get(event)
    if declared is None:
        return [f"{event!r} is not in the vocabulary; add it to kos/observability/vocabulary.py"]
    problems = []
    if level not in declared.levels:
        problems.append(
            f"{event!r} is logged as {level}, declared as {' or '.join(declared.levels)}"
        )
    strange = sorted(keys - set(declared.keys) - set(COMMON_KEYS))
    if strange:
        problems.append(f"{event!r} has keys that it does not declare: {', '.join(strange)}")
    return problems
