"""Memory, set for processes that hold much, make little garbage in circles, and have many threads."""

from __future__ import annotations

import gc
import os

_ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"}

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


def settle_children() -> None:
    """Have the processes that are started from here on give memory back.

    The C library (glibc; others ignore it) keeps a heap of its own for each of many threads, and
    raises the size from which it asks the system for a block that it can return. With seventy
    threads that each read a large answer now and then, each heap keeps the largest it ever
    held: measured with 66 fetchers, 96 MB and rising, against 82 MB. It can be set by the
    environment alone, before a process begins; what the operator has set stays.
    """
    for name, value in _ALLOCATOR.items():
        os.environ.setdefault(name, value)
