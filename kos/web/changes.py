"""The contents of a page, as rows with versions: a reader gets the changes since it last looked.

A slow browser has no other buffer. It remembers one number, and when it is ready again it gets
the latest version of each row once, however often the row has changed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

MAX_GONE = 20_000
"""Removed rows that are remembered; a reader from before the oldest gets everything."""


class Picture(msgspec.Struct, frozen=True):
    """The result of one query."""

    rows: Mapping[str, bytes]
    """Row id to the row as JSON, in the order of the answer."""
    facts: Mapping[str, bytes]
    """Facts beside the rows, by name, as JSON."""


def picture_of(parts: Mapping[str, str], **facts: bytes) -> Picture:
    """Parts of a page by the id of their place, and further facts as JSON."""
    texts = {f"#{name}": msgspec.json.encode(part) for name, part in parts.items()}
    return Picture(rows={}, facts=texts | facts)


class Changes:
    """The current picture, and the version at which each of its parts last changed."""

    def __init__(self) -> None:
        self.version = 0
        self._rows: dict[str, tuple[int, bytes]] = {}
        self._facts: dict[str, tuple[int, bytes]] = {}
        self._gone: dict[str, int] = {}
        self._forgotten = 0
        self._order: tuple[str, ...] = ()
        self._order_version = 0
        self._told: dict[int, bytes] = {}

    def show(self, picture: Picture) -> bool:
        """Take in a new picture; whether anything in it is new."""
        version = self.version + 1
        is_new = _note(self._rows, picture.rows, version)
        for name in picture.rows.keys() & self._gone.keys():
            del self._gone[name]
        for name in [name for name in self._rows if name not in picture.rows]:
            del self._rows[name]
            self._gone[name] = version
            is_new = True
        order = tuple(picture.rows)
        if order != self._order:
            self._order, self._order_version = order, version
            is_new = True
        is_new |= _note(self._facts, picture.facts, version)
        return self._settle(version, is_new=is_new)

    def note(self, facts: Mapping[str, bytes]) -> bool:
        """Take in facts only; whether anything is new."""
        version = self.version + 1
        return self._settle(version, is_new=_note(self._facts, facts, version))

    def since(self, version: int) -> bytes:
        """The changes after a version (0: everything), as one JSON object.

        ``{"all": rows}`` or ``{"set": rows, "gone": ids}``, with ``order`` if it changed,
        ``facts`` that changed, and ``version``. The same for every reader at that version.
        """
        payload = self._told.get(version)
        if payload is None:
            payload = self._told[version] = self._tell(version)
        return payload

    def _settle(self, version: int, *, is_new: bool) -> bool:
        if is_new:
            self.version = version
            self._told.clear()
            while len(self._gone) > MAX_GONE:
                oldest = next(iter(self._gone))
                self._forgotten = self._gone.pop(oldest)
        return is_new

    def _tell(self, version: int) -> bytes:
        is_whole = version == 0 or version < self._forgotten
        seen = 0 if is_whole else version
        changed = [row for at, row in self._rows.values() if at > seen]
        parts = [b'"version":%d' % self.version]
        parts.append((b'"all":[' if is_whole else b'"set":[') + b",".join(changed) + b"]")
        if not is_whole:
            gone = [name for name, at in self._gone.items() if at > version]
            parts.append(b'"gone":' + msgspec.json.encode(gone))
        if self._order_version > seen:
            parts.append(b'"order":' + msgspec.json.encode(self._order))
        facts = [
            msgspec.json.encode(name) + b":" + fact
            for name, (at, fact) in self._facts.items()
            if at > seen
        ]
        parts.append(b'"facts":{' + b",".join(facts) + b"}")
        return b"{" + b",".join(parts) + b"}"


def _note(kept: dict[str, tuple[int, bytes]], parts: Mapping[str, bytes], version: int) -> bool:
    """Keep the parts that differ, under this version; whether there are any."""
    new = {
        name: (version, part)
        for name, part in parts.items()
        if name not in kept or kept[name][1] != part
    }
    kept.update(new)
    return bool(new)
