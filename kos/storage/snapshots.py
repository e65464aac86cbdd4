"""The last poll of each sport key as a file, so that a restart costs no credit.

A cache and nothing more: it may be deleted at any time, and a file that cannot be read is no
file. Prices keep the time of their fetch, so that an old file shows as old.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kos.messages import QuotesFetched


class SnapshotFile:
    """One sport key's file, written by its fetcher alone."""

    def __init__(self, directory: Path, sport_key: str) -> None:
        self._path = directory / f"{sport_key}.msgpack"

    def save(self, quotes: QuotesFetched) -> None:
        """Replace the file whole; a reader never sees half of one.

        Raises:
            OSError: The disk is full or the directory is not writable; the former file stays.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.msgpack.encode(quotes))
        temporary.replace(self._path)

    def load(self) -> QuotesFetched | None:
        """The last poll, or None where there is none that can be read."""
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=QuotesFetched)
        except (OSError, msgspec.MsgspecError):
            return None
