"""Every setting in words, from the structs of :mod:`kos.config.settings` alone: no list of its own.

``kos config show`` prints the rows, ``kos config init`` writes :func:`commented_file`, and the
reference page of the settings is made from the same rows.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from kos.config.load import Origin, credential_name, variable_name
from kos.config.settings import Secret, Settings, holds_secrets, tables

_WIDTH = 96
_HEAD = """\
# Settings for KOS. Each line that starts with "#" and a name shows a default: remove the "#" and
# change the value. The environment variable shown with each setting overrides this file.
# `kos config check` finds invalid settings. `kos config show` lists the values in use.
#
# Keep secrets out of this file: use a credentials directory, or a separate file (mode 0600) set
# with `<name>_file`. If this file contains secrets, its mode must be 0600.
"""


class SettingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One setting."""

    key: str
    """``odds_api.monthly_credits``."""
    table: str
    name: str
    meaning: str
    """With its unit in brackets, where it has one."""
    limits: str
    """What values are taken, in words; empty where any of its type is."""
    default: str
    """As TOML would have it; empty where there is none."""
    variable: str
    """Its environment variable; empty where no text can hold it."""
    is_secret: bool
    value: str
    """As TOML would have it; secrets as ``***``."""
    source: str
    """A file, a ``$VARIABLE``, or ``default``."""


def rows(
    settings: Settings | None = None, origins: Iterable[Origin] = ()
) -> tuple[SettingRow, ...]:
    """Every setting, in the order of the file; values are the defaults unless settings are given."""
    sources = {origin.key: origin.source for origin in origins}
    present = settings or Settings()
    defaults = Settings()
    return tuple(
        _row(table, name, getattr(defaults, table), getattr(present, table), sources)
        for table, table_type in tables().items()
        for name in table_type.__struct_fields__
    )


def _row(
    table: str,
    name: str,
    default: msgspec.Struct,
    present: msgspec.Struct,
    sources: Mapping[str, str],
) -> SettingRow:
    hint = get_type_hints(type(default), include_extras=True)[name]
    kind = get_type_hints(type(default))[name]
    key = f"{table}.{name}"
    return SettingRow(
        key=key,
        table=table,
        name=name,
        meaning=_meaning(hint),
        limits=_limits(hint, kind),
        default=toml_of(getattr(default, name)),
        variable=variable_name(table, name) if _fits_a_text(kind) else "",
        is_secret=holds_secrets(kind),
        value=toml_of(getattr(present, name)),
        source=sources.get(key, "default"),
    )


def commented_file() -> str:
    """A settings file that changes nothing: every setting with meaning, limits and default."""
    parts = [_HEAD]
    table = ""
    for row in rows():
        if row.table != table:
            table = row.table
            about = (tables()[table].__doc__ or "").strip().partition("\n\n")[0]
            parts += ["", *_comment(about), f"[{table}]", ""]
        parts += [*_about(row), f"# {row.name} = {row.default}".rstrip()]
        if row.is_secret and row.default == '""':
            parts.append(f'# {row.name}_file = ""')
        parts.append("")
    return "\n".join(parts)


def _about(row: SettingRow) -> list[str]:
    comment = row.meaning[:1].upper() + row.meaning[1:]
    if row.limits:
        comment += f"; {row.limits}"
    lines = _comment(comment.rstrip(".") + ".")
    ways = [f"${row.variable}"] if row.variable else []
    if row.is_secret and row.default == '""':
        ways.insert(0, f"credential {credential_name(row.key)}")
    return lines + (_comment("Also: " + ", ".join(ways)) if ways else [])


def _comment(text: str) -> list[str]:
    return [f"## {line}" for line in textwrap.wrap(" ".join(text.split()), _WIDTH)]


def _notes(hint: Any) -> list[Meta]:
    return [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Meta)]


def _meaning(hint: Any) -> str:
    return next((note.description for note in _notes(hint) if note.description), "")


def _limits(hint: Any, kind: Any) -> str:
    """What a value must be, beyond its type."""
    limits = []
    if isinstance(kind, type) and issubclass(kind, Enum):
        limits.append("one of " + ", ".join(str(choice.value) for choice in kind))
    for note in _notes(hint):
        limits += [
            f"{words} {limit:g}"
            for words, limit in (
                ("at least", note.ge),
                ("above", note.gt),
                ("at most", note.le),
                ("below", note.lt),
                ("no shorter than", note.min_length),
                ("no longer than", note.max_length),
            )
            if limit is not None
        ]
        if note.pattern:
            limits.append(f"matching {note.pattern}")
    return ", ".join(limits)


def _fits_a_text(kind: Any) -> bool:
    """Whether an environment variable can hold it: one value, or a list of texts."""
    origin = get_origin(kind)
    if origin is tuple:
        return all(part in {str, Ellipsis} for part in get_args(kind))
    return origin is not dict and not (isinstance(kind, type) and issubclass(kind, msgspec.Struct))


def toml_of(value: object) -> str:  # noqa: PLR0911 - one return per type
    """A value as TOML writes it on one line; a secret as ``***``, no value as nothing at all."""
    match value:
        case None:
            return ""
        case Secret():
            return '"***"' if value else '""'
        case bool():
            return str(value).lower()
        case Enum():
            return toml_of(value.value)
        case int() | float() | Decimal():
            return str(value)
        case str():
            return msgspec.json.encode(value).decode()
        case msgspec.Struct():
            return toml_of({name: getattr(value, name) for name in value.__struct_fields__})
        case Mapping():
            pairs = ", ".join(f"{_key(str(key))} = {toml_of(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(toml_of(item) for item in value)}]"
        case _:
            return toml_of(str(value))


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else toml_of(name)
