"""Reads the settings: defaults, one TOML file, the environment; checked whole, secrets masked.

The environment name of ``[odds_api] key`` is ``KOS_ODDS_API__KEY``.
A secret is looked for, in this order, in ``$CREDENTIALS_DIRECTORY`` (systemd's, a file named
``odds-api-key``), in the file that ``key_file`` names (mode 0600), in the environment, and in
the TOML file itself, which must then be readable by its owner alone. What others can read is
refused, but in the credentials directory: who may look into that is its maker's care.

:func:`load` reports every problem at once, each with key, value, reason and remedy.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from msgspec import Meta

from kos.config.settings import (
    MIN_WEB_TOKEN,
    ProxySettings,
    Secret,
    Settings,
    holds_secrets,
    tables,
)
from kos.errors import InvalidSettings

ENVIRONMENT_PREFIX = "KOS_"

SERVICE_CONFIG = Path("/etc/kos/kos.toml")
"""The service's settings, used by anyone without a file of their own."""

_EXECUTE = stat.S_IXGRP | stat.S_IXOTH

_MIN_SECRET = 4
"""Shorter texts cannot be masked in a log without blanking ordinary words."""


class Origin(msgspec.Struct, frozen=True):
    """Where a setting's value comes from, for ``kos config show``."""

    key: str
    source: str


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings file: ``$KOS_CONFIG``, systemd's, the user's, or the service's."""
    if explicit := environ.get("KOS_CONFIG"):
        return Path(explicit).expanduser()
    if directory := environ.get("CONFIGURATION_DIRECTORY"):
        return Path(directory) / "kos.toml"
    own = Path(environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "kos" / "kos.toml"
    return SERVICE_CONFIG if not own.exists() and os.access(SERVICE_CONFIG, os.R_OK) else own


def load(
    path: Path | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[Settings, tuple[Origin, ...]]:
    """Read and check all settings.

    Args:
        path: The TOML file; None takes :func:`default_path`, which may be absent.
        environ: The environment.

    Returns:
        The settings and, for each that is not a default, where it comes from.

    Raises:
        InvalidSettings: With every problem found.
    """
    problems: list[str] = []
    origins: list[Origin] = []
    file = path or default_path(environ)
    document = _read_file(file, is_required=path is not None, problems=problems)
    raw: dict[str, dict[str, Any]] = {}
    for table_name, table_type in tables().items():
        in_file = document.pop(table_name, {})
        if not isinstance(in_file, dict):
            problems.append(f"[{table_name}] in {file}: must be a table; write [{table_name}]")
            in_file = {}
        raw[table_name] = _gather(table_name, table_type, in_file, file, environ, origins, problems)
    problems += [
        f"[{name}] in {file}: unknown table; known are {', '.join(tables())}" for name in document
    ]
    problems += _unknown_variables(environ)
    values: dict[str, Any] = {
        name: _convert_table(name, table_type, raw[name], problems)
        for name, table_type in tables().items()
    }
    if not problems:
        settings = Settings(**values)
        problems += _contradictions(settings)
        if not problems:
            return settings, tuple(origins)
    raise InvalidSettings(tuple(problems))


def _read_file(file: Path, *, is_required: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if is_required:
            problems.append(f"{file}: no such file; give the path of a kos.toml")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file}: cannot be read: {error}; fix the file")
    return {}


def _gather(  # noqa: PLR0917 - one caller, and each argument is a thing of its own
    table: str,
    table_type: type[msgspec.Struct],
    values: dict[str, Any],
    file: Path,
    environ: Mapping[str, str],
    origins: list[Origin],
    problems: list[str],
) -> dict[str, Any]:
    """One table's raw values by rising precedence, each with its origin noted."""
    gathered: dict[str, Any] = {}
    types = get_type_hints(table_type)
    for name, kind in types.items():
        key = f"{table}.{name}"
        variable = variable_name(table, name)
        source = ""
        if name in values:
            gathered[name], source = values.pop(name), str(file)
            if holds_secrets(kind) and _is_open_to_others(file):
                problems.append(f"{key} in {file}: others can read the file; chmod 600 {file}")
        if variable in environ:
            gathered[name], source = _from_text(environ[variable], kind), f"${variable}"
        if kind is Secret:
            pointer = _secret_file(name, variable, values, file, environ)
            if pointer is not None:
                source = str(pointer)
                if _is_open_to_others(pointer):
                    problems.append(
                        f"{key}_file {pointer}: others can read it; chmod 600 {pointer}"
                    )
                _read_secret(f"{key}_file {pointer}", name, pointer, gathered, problems)
            credential = credential_path(key, environ)
            if credential is not None and credential.is_file():
                source = str(credential)
                _read_secret(f"{key} in {credential}", name, credential, gathered, problems)
        if source:
            origins.append(Origin(key, source))
    names = ", ".join(types)
    problems += [f"{table}.{name} in {file}: unknown setting; known are {names}" for name in values]
    return gathered


def credential_name(key: str) -> str:
    """The name of a secret's file in a credentials directory: ``odds-api-key``."""
    return key.translate(str.maketrans("._", "--"))


def credential_path(key: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where a secret would stand in the credentials directory; None where there is none."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    return Path(directory) / credential_name(key) if directory else None


def variable_name(table: str, name: str) -> str:
    """The environment variable of a setting: ``KOS_ODDS_API__KEY``."""
    return f"{ENVIRONMENT_PREFIX}{table}__{name}".upper()


def _secret_file(
    name: str, variable: str, values: dict[str, Any], file: Path, environ: Mapping[str, str]
) -> Path | None:
    """The file that is said to hold a secret; the settings file speaks of its own folder."""
    named = values.pop(f"{name}_file", None)
    if path := environ.get(f"{variable}_FILE"):
        return Path(path).expanduser()
    return file.parent / Path(str(named)).expanduser() if named else None


def _is_open_to_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~_EXECUTE)
    except OSError:
        return False  # reading it says what is wrong


def _read_secret(
    what: str, name: str, file: Path, gathered: dict[str, Any], problems: list[str]
) -> None:
    try:
        gathered[name] = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        problems.append(f"{what}: cannot be read: {reason}; give a file that this user can read")


def _from_text(text: str, kind: Any) -> Any:
    """An environment text as TOML would have it: lists by commas, tables not at all."""
    if getattr(kind, "__origin__", None) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    variables = {
        variable_name(table, name)
        for table, table_type in tables().items()
        for name in table_type.__struct_fields__
    }
    variables |= {f"{name}_FILE" for name in variables}
    return [
        f"${name}: no such setting; see kos config show for the names"
        for name in environ
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name and name not in variables
    ]


def _convert_table(
    table: str, table_type: type[msgspec.Struct], raw: dict[str, Any], problems: list[str]
) -> msgspec.Struct | None:
    """Each value by itself, so that one bad value does not hide the next."""
    hints = get_type_hints(table_type, include_extras=True)
    values: dict[str, Any] = {}
    for name, value in raw.items():
        try:
            values[name] = msgspec.convert(value, hints[name], strict=False, dec_hook=_decode)
        except (msgspec.ValidationError, ValueError) as error:
            is_secret = holds_secrets(get_type_hints(table_type)[name])
            shown = "***" if is_secret else repr(value)
            problems.append(f"{table}.{name} = {shown}: {error}; {_meaning(hints[name])}")
    try:
        return table_type(**values)
    except (TypeError, ValueError) as error:
        problems.append(f"[{table}]: {error}")
        return None


def _decode(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        if len(value) < _MIN_SECRET and value:
            raise ValueError(f"must be at least {_MIN_SECRET} characters")
        return Secret(value)
    raise ValueError(f"{kind.__name__} cannot be made of {type(value).__name__}")


def _meaning(hint: Any) -> str:
    notes = [m.description for m in getattr(hint, "__metadata__", ()) if isinstance(m, Meta)]
    return "it is the " + notes[0] if notes and notes[0] else "see the settings reference"


def _contradictions(settings: Settings) -> list[str]:
    """What no single value shows."""
    problems = []
    odds, betfair = settings.odds_api, settings.betfair
    if odds.reserve_credits >= odds.monthly_credits:
        problems.append(
            f"odds_api.reserve_credits = {odds.reserve_credits}: must be below monthly_credits"
            f" ({odds.monthly_credits}); nothing would be left for polling; lower it"
        )
    if odds.max_interval_s < odds.min_interval_s:
        problems.append(
            f"odds_api.max_interval_s = {odds.max_interval_s}: below min_interval_s"
            f" ({odds.min_interval_s}); raise it"
        )
    if not odds.regions and not odds.bookmakers:
        problems.append("odds_api.regions = []: no bookmakers either; name a region such as uk")
    if betfair.app_key and not (betfair.username and betfair.password):
        problems.append(
            "betfair.app_key is set but username or password is not; set all three or none"
        )
    problems += _proxy_contradictions(settings.proxies)
    if bool(betfair.certificate) != bool(betfair.certificate_key):
        problems.append("betfair.certificate and certificate_key go together; set both or neither")
    web = settings.web
    if web.is_enabled and not web.is_local and len(web.token.reveal()) < MIN_WEB_TOKEN:
        problems.append(
            f"web.host = {web.host!r}: others could reach the web page; set web.token to"
            f" {MIN_WEB_TOKEN} or more characters, or listen on 127.0.0.1"
        )
    return problems


_PROXY_URL = re.compile(r"(https?|socks5h?)://[^\s/]+")
_PROXY_GAPS = frozenset({"username", "password", "session", "country", "minutes"})


def _proxy_contradictions(proxies: ProxySettings) -> list[str]:
    problems = []
    if proxies.url and not _PROXY_URL.fullmatch(proxies.url):
        problems.append(
            "proxies.url: is not a proxy address; write scheme://{username}:{password}@host:port"
            " with the scheme http, https, socks5h or socks5"
        )
    unknown = set(re.findall(r"\{(\w*)\}", proxies.url)) - _PROXY_GAPS
    if unknown:
        problems.append(
            f"proxies.url: unknown {{{min(unknown)}}}; known are {', '.join(sorted(_PROXY_GAPS))}"
        )
    is_login_wanted = not proxies.url or "{username}" in proxies.url
    if proxies.used_by and is_login_wanted and not (proxies.username and proxies.password):
        problems.append(
            "proxies.used_by is set but proxies.username or password is not; set them, or a url"
            " without them"
        )
    if proxies.url and "{session}" not in proxies.url and proxies.sessions > 1:
        problems.append(
            f"proxies.sessions = {proxies.sessions}: the url has no {{session}}, so all would be"
            " one; set sessions = 1 or put {session} into the url"
        )
    return problems
