"""Texts as they were last agreed: what people and scripts read changes on purpose only.

``UPDATE_AGREED=1 pytest tests/…`` writes them again; the diff is then read like code.
"""

from __future__ import annotations

import os
from pathlib import Path

AGREED = Path(__file__).parent / "data" / "agreed"


def assert_agreed(name: str, text: str) -> None:
    """Fail where the text is not the one that stands under this name."""
    path = AGREED / name
    if os.environ.get("UPDATE_AGREED"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip("\n") + "\n", "utf-8")
    assert text.splitlines() == path.read_text("utf-8").splitlines()
