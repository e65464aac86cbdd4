"""The garbage collector, set for processes that hold much and make little garbage in circles."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 20


def settle_collector() -> None:
    """Take what lives now out of the collector's sight, and let it look seldom.

    A market picture is a few hundred thousand objects that reference counting frees as they are
    replaced. Walking them all to find circles that are not there is what makes a slow answer
    slow: it is the 99th percentile. Call it once in a process, after its imports.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
