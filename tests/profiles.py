"""The hypothesis profiles, and how many examples a property test asks for under each."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

USUAL = 100
"""What an unscaled property test runs, and what the counts given to `examples` are measured by."""

TIMES = 10
"""How many times as many the long profile runs."""

FAILURES = ".hypothesis/examples"
"""Where the long profile keeps the examples that failed, to try them first in the next run."""

# Derandomised, so that a run says the same twice.
settings.register_profile(
    "ci",
    max_examples=USUAL,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# More examples, and new ones in every run.
settings.register_profile(
    "long",
    settings.get_profile("ci"),
    max_examples=TIMES * USUAL,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(FAILURES),
    print_blob=True,
)
# A mutant is noticed by the first example that fails; the smallest one is no matter.
settings.register_profile(
    "mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def examples(count: int) -> int:
    """How many examples the loaded profile runs where the usual one runs `count`."""
    return count * settings().max_examples // USUAL
