"""Settings: defaults, then one TOML file, then the environment; checked whole, secrets masked.

Every setting is a field here with its type, range and meaning; the file's tables are the
fields of :class:`Settings`. The environment name of ``[odds_api] key`` is ``KOS_ODDS_API__KEY``.
A secret is looked for, in this order, in ``$CREDENTIALS_DIRECTORY`` (systemd's, a file named
``odds-api-key``), in the file that ``key_file`` names (mode 0600), in the environment, and in
the TOML file itself, which must then be readable by its owner alone. What others can read is
refused, but in the credentials directory: who may look into that is its maker's care.

:func:`load` reports every problem at once, each with key, value, reason and remedy.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

from kos import NAME
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidSettings

ENVIRONMENT_PREFIX = "KOS_"

SERVICE_CONFIG = Path("/etc/kos/kos.toml")
"""The service's settings, used by anyone without a file of their own."""
SERVICE_STATE = Path("/var/lib/kos")
"""Where the service keeps its state; taken by a user who owns it, which is the service's own."""

RUN_DIR_NAME = "run"
"""The folder in the state folder by which a running daemon is found: locks and addresses."""

_EXECUTE = stat.S_IXGRP | stat.S_IXOTH

_MIN_SECRET = 4
"""Shorter texts cannot be masked in a log without blanking ordinary words."""


class Secret:
    """A text that never shows itself: ``str`` and ``repr`` print ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***" if self._value else "(not set)"

    __str__ = __repr__


def _measured(unit: str, description: str, **limits: Any) -> Meta:
    """A number with its unit; not negative unless the limits say otherwise."""
    return Meta(description=f"{description} ({unit})", **(limits or {"ge": 0}))


class OddsApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Odds API, the source of bookmaker prices."""

    key: Annotated[
        Secret, Meta(description="API key; without it KOS runs on simulated markets")
    ] = Secret()
    url: Annotated[str, Meta(description="base address", pattern=r"^https?://")] = (
        "https://api.the-odds-api.com"
    )
    regions: Annotated[tuple[str, ...], Meta(description="region keys (each costs credits)")] = (
        "uk",
    )
    bookmakers: Annotated[
        tuple[str, ...],
        Meta(
            description="bookmakers to use instead of regions; every ten cost the same as one region"
        ),
    ] = ()
    sports: Annotated[
        tuple[str, ...],
        Meta(description="sports to poll (full keys or prefixes); empty means all in season"),
    ] = ()
    sports_excluded: Annotated[
        tuple[str, ...], Meta(description="sports never to poll (full keys or prefixes)")
    ] = ("politics", "golf")
    max_sports: Annotated[
        int, Meta(description="maximum number of sport keys polled", ge=1, le=500)
    ] = 66
    include_bet_limits: Annotated[
        bool, Meta(description="request exchange bet limits (costs no credits)")
    ] = True
    include_links: Annotated[
        bool, Meta(description="request bet slip links (costs no credits)")
    ] = True
    monthly_credits: Annotated[int, _measured("credits", "monthly credits in your plan")] = 500
    reserve_credits: Annotated[int, _measured("credits", "kept back for on-demand checks")] = 25
    min_interval_s: Annotated[
        float, _measured("seconds", "shortest time between polls of one sport key", gt=0)
    ] = 60.0
    max_interval_s: Annotated[
        float, _measured("seconds", "longest time between polls of a sport key within budget", gt=0)
    ] = 86_400.0
    sports_interval_s: Annotated[
        float, _measured("seconds", "how often to read the free list of sports", ge=1)
    ] = 3_600.0
    timeout_s: Annotated[float, _measured("seconds", "request timeout", gt=0, le=120)] = 20.0


class BetfairSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Betfair Exchange, read only. Without ``app_key`` lay prices come from the odds feed."""

    app_key: Annotated[Secret, Meta(description="application key of the account's owner")] = (
        Secret()
    )
    username: Annotated[Secret, Meta(description="the account's user name")] = Secret()
    password: Annotated[Secret, Meta(description="the account's password")] = Secret()
    certificate: Annotated[str, Meta(description="client certificate, PEM file")] = ""
    certificate_key: Annotated[str, Meta(description="its private key, PEM file, mode 0600")] = ""
    identity_url: Annotated[
        str, Meta(description="interactive login, keep-alive", pattern=r"^https?://")
    ] = "https://identitysso.betfair.com"
    identity_cert_url: Annotated[
        str, Meta(description="certificate login", pattern=r"^https?://")
    ] = "https://identitysso-cert.betfair.com"
    api_url: Annotated[str, Meta(description="betting API", pattern=r"^https?://")] = (
        "https://api.betfair.com"
    )
    ca_file: Annotated[
        str, Meta(description="extra certificate authority, PEM; leave empty for the system's")
    ] = ""
    price_ttl_s: Annotated[
        float, _measured("seconds", "how long a price is used before it is refreshed", gt=0)
    ] = 120.0
    keep_alive_s: Annotated[float, _measured("seconds", "session keep-alive", ge=900)] = 3_600.0
    call_spacing_s: Annotated[
        float, _measured("seconds", "time between the starts of two price calls", ge=0.05)
    ] = 1.0
    depth: Annotated[int, Meta(description="price levels to read on each side", ge=1, le=10)] = 3
    use_stream: Annotated[
        bool,
        Meta(
            description="read the nearest 200 markets from the Exchange Stream instead of polling;"
            " your key must have stream access"
        ),
    ] = False
    stream_host: Annotated[str, Meta(description="the stream's host")] = "stream-api.betfair.com"
    stream_port: Annotated[int, Meta(description="the stream's port, TLS", ge=1, le=65_535)] = 443
    timeout_s: Annotated[float, _measured("seconds", "request timeout", gt=0, le=120)] = 15.0


class ProxySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proxies, only for KOS's own calls to the data services; off by default."""

    used_by: Annotated[
        tuple[Literal["odds_api", "betfair"], ...],
        Meta(description="services whose calls go through the proxies; leave empty for none"),
    ] = ()
    url: Annotated[
        str,
        Meta(
            description="a proxy's address: http, https, socks5h or socks5, with {username},"
            " {password}, {session}, {country} and {minutes} where needed; leave empty for Decodo's"
        ),
    ] = ""
    username: Annotated[Secret, Meta(description="user name of the login")] = Secret()
    password: Annotated[Secret, Meta(description="password of the login")] = Secret()
    country: Annotated[
        str, Meta(description="two letters, for {country}", pattern="^[a-z]{2}$")
    ] = "gb"
    sessions: Annotated[
        int, Meta(description="number of proxy sessions, each with its own {session}", ge=1, le=64)
    ] = 4
    session_minutes: Annotated[
        int, Meta(description="how long an address is kept, for {minutes}", ge=1, le=1440)
    ] = 30
    check_every_s: Annotated[
        float, _measured("seconds", "check a session after this long unused", ge=1)
    ] = 120.0


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Telegram bot. Without ``token`` there is no bot."""

    token: Annotated[Secret, Meta(description="the bot's token, from @BotFather")] = Secret()
    admins: Annotated[tuple[int, ...], Meta(description="Telegram user IDs of admins")] = ()
    operators: Annotated[tuple[int, ...], Meta(description="Telegram user IDs of operators")] = ()
    groups: Annotated[
        tuple[int, ...],
        Meta(
            description="group chats where these people can also use the bot; otherwise private chats only"
        ),
    ] = ()
    url: Annotated[str, Meta(description="the Bot API's address", pattern=r"^https?://")] = (
        "https://api.telegram.org"
    )
    proxy: Annotated[
        Secret, Meta(description="proxy URL for Telegram only, including the login: http or socks5")
    ] = Secret()
    poll_s: Annotated[int, _measured("seconds", "longest wait in one poll", ge=1, le=50)] = 30


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The daemon itself."""

    state_dir: Annotated[
        str,
        Meta(description="folder for the database, heartbeat and locks; leave empty for your own"),
    ] = ""
    log_level: Annotated[
        str,
        Meta(description="debug, info, warning or error", pattern="^(debug|info|warning|error)$"),
    ] = "info"
    heartbeat_s: Annotated[
        float, _measured("seconds", "how often heartbeat.json is written", ge=0.2)
    ] = 5.0
    is_simulated: Annotated[
        bool, Meta(description="markets are simulated; set by KOS and shown on every screen")
    ] = False


class LogsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log file in the state folder, and repeats. KOS always logs to standard output too."""

    file_mb: Annotated[
        int,
        _measured("MB", "size at which a new kos.log starts; 0 writes no file", ge=0, le=10_000),
    ] = 20
    files_kept: Annotated[int, Meta(description="older log files kept", ge=1, le=100)] = 4
    fold_s: Annotated[
        float,
        _measured("seconds", "how often to log a repeated warning, with a count; 0 logs every one"),
    ] = 60.0


class HeartbeatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outside monitor to call, in addition to ``heartbeat.json``."""

    ping_url: Annotated[
        Secret,
        Meta(
            description="address KOS calls while it is healthy; set an alarm for when the calls stop"
        ),
    ] = Secret()
    ping_interval_s: Annotated[
        float, _measured("seconds", "time between calls of ping_url", ge=10)
    ] = 60.0


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures for Prometheus at ``http://host:port/metrics``."""

    is_enabled: Annotated[bool, Meta(description="serve metrics; needs kos-engine[metrics]")] = (
        False
    )
    host: Annotated[
        str, Meta(description="address to listen on; anyone who can reach it can read the figures")
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(description="port to listen on; 0 picks a free one", ge=0, le=65535)
    ] = 9464


MIN_WEB_TOKEN = 16
"""Characters of a token that may stand between strangers and the page."""


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local web page."""

    is_enabled: Annotated[bool, Meta(description="turn the web page on")] = True
    host: Annotated[
        str, Meta(description="address to listen on; any address except loopback needs a token")
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(description="port to listen on; 0 picks a free one", ge=0, le=65535)
    ] = 8700
    token: Annotated[
        Secret, Meta(description="login token; leave empty for no login (local access only)")
    ] = Secret()
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(description="other host names allowed for the web page"),
    ] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the page."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def address(self) -> str:
        """The page's address as a person on this machine types it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, by table of the file."""

    odds_api: OddsApiSettings = OddsApiSettings()
    betfair: BetfairSettings = BetfairSettings()
    scoring: ScoringRules = ScoringRules()
    proxies: ProxySettings = ProxySettings()
    telegram: TelegramSettings = TelegramSettings()
    service: ServiceSettings = ServiceSettings()
    logs: LogsSettings = LogsSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    metrics: MetricsSettings = MetricsSettings()
    web: WebSettings = WebSettings()

    @property
    def state_dir(self) -> Path:
        """Where KOS keeps its state: the setting, else systemd's, else the user's."""
        chosen = self.service.state_dir or os.environ.get("STATE_DIRECTORY", "")
        if chosen:
            return Path(chosen).expanduser()
        if _is_own(SERVICE_STATE):
            return SERVICE_STATE
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(base).expanduser() / NAME

    @property
    def sandbox_state_dir(self) -> Path:
        """Where a daemon on the sandbox keeps its state: simulated money never mixes with real."""
        return self.state_dir / "sandbox"

    def secrets(self) -> tuple[str, ...]:
        """Every secret's literal value, for the redactor."""
        return tuple(dict.fromkeys(_revealed(self)))


def _revealed(value: object) -> Iterator[str]:
    """The text of every secret that is set anywhere within a value."""
    match value:
        case Secret():
            if value:
                yield value.reveal()
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from _revealed(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _revealed(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from _revealed(item)


def holds_secrets(kind: Any) -> bool:
    """Whether a value of a type is a secret or may have one in it."""
    if kind is Secret:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(holds_secrets(each) for each in get_type_hints(kind).values())
    return any(holds_secrets(each) for each in get_args(kind))


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


def _is_own(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid() != 0
    except OSError:
        return False


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
        given = document.pop(table_name, {})
        if not isinstance(given, dict):
            problems.append(f"[{table_name}] in {file}: must be a table; write [{table_name}]")
            given = {}
        raw[table_name] = _gather(table_name, table_type, given, file, environ, origins, problems)
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


def tables() -> dict[str, type[msgspec.Struct]]:
    """The tables of the settings file by name, in the order of :class:`Settings`."""
    return dict(get_type_hints(Settings))


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
    given: dict[str, Any],
    file: Path,
    environ: Mapping[str, str],
    origins: list[Origin],
    problems: list[str],
) -> dict[str, Any]:
    """One table's raw values by rising precedence, each with its origin noted."""
    found: dict[str, Any] = {}
    types = get_type_hints(table_type)
    for name, kind in types.items():
        key = f"{table}.{name}"
        variable = variable_name(table, name)
        source = ""
        if name in given:
            found[name], source = given.pop(name), str(file)
            if holds_secrets(kind) and _is_open_to_others(file):
                problems.append(f"{key} in {file}: others can read the file; chmod 600 {file}")
        if variable in environ:
            found[name], source = _from_text(environ[variable], kind), f"${variable}"
        if kind is Secret:
            pointer = _secret_file(name, variable, given, file, environ)
            if pointer is not None:
                source = str(pointer)
                if _is_open_to_others(pointer):
                    problems.append(
                        f"{key}_file {pointer}: others can read it; chmod 600 {pointer}"
                    )
                _read_secret(f"{key}_file {pointer}", name, pointer, found, problems)
            credential = credential_path(key, environ)
            if credential is not None and credential.is_file():
                source = str(credential)
                _read_secret(f"{key} in {credential}", name, credential, found, problems)
        if source:
            origins.append(Origin(key, source))
    known = ", ".join(types)
    problems += [f"{table}.{name} in {file}: unknown setting; known are {known}" for name in given]
    return found


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
    name: str, variable: str, given: dict[str, Any], file: Path, environ: Mapping[str, str]
) -> Path | None:
    """The file that is said to hold a secret; the settings file speaks of its own folder."""
    named = given.pop(f"{name}_file", None)
    if said := environ.get(f"{variable}_FILE"):
        return Path(said).expanduser()
    return file.parent / Path(str(named)).expanduser() if named else None


def _is_open_to_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~_EXECUTE)
    except OSError:
        return False  # reading it says what is wrong


def _read_secret(
    what: str, name: str, file: Path, found: dict[str, Any], problems: list[str]
) -> None:
    try:
        found[name] = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        problems.append(f"{what}: cannot be read: {reason}; give a file that this user can read")


def _from_text(text: str, kind: Any) -> Any:
    """An environment text as TOML would have it: lists by commas, tables not at all."""
    if getattr(kind, "__origin__", None) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {
        variable_name(table, name)
        for table, table_type in tables().items()
        for name in table_type.__struct_fields__
    }
    known |= {f"{name}_FILE" for name in known}
    return [
        f"${name}: no such setting; see kos config show for the names"
        for name in environ
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name and name not in known
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
