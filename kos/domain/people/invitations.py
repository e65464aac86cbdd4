"""One-time codes that make their bearer a person: how they look, and what of them is kept."""

from __future__ import annotations

import hashlib
from datetime import timedelta

CODE_BYTES = 12
"""Random bytes in a code; written in URL-safe base64 they are 16 characters."""

DEFAULT_LIFE = timedelta(hours=24)
"""How long a code is good for when no one says."""


def code_digest(code: str) -> str:
    """What the ledger keeps of a code: its SHA-256 in hex, of the text without outer blanks.

    >>> code_digest(" a ") == code_digest("a")
    True
    """
    return hashlib.sha256(code.strip().encode(errors="surrogatepass")).hexdigest()
