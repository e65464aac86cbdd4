"""Settings: what there is to set, with its type, range, default and meaning.

Every setting is a field here; the file's tables are the fields of :class:`Settings`. Where the
values come from is :mod:`kos.config.load`'s.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

from kos import NAME
from kos.domain.opportunities.scoring import ScoringRules

SERVICE_STATE = Path("/var/lib/kos")
"""Where the service keeps its state; taken by a user who owns it, which is the service's own."""

RUN_DIR_NAME = "run"
"""The folder in the state folder by which a running daemon is found: locks and addresses."""


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

    def kept_in(self, folder: Path | None) -> Settings:
        """The same settings with the state in another folder, if one is given."""
        if folder is None:
            return self
        replace, place = msgspec.structs.replace, str(folder.expanduser().resolve())
        return replace(self, service=replace(self.service, state_dir=place))

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
        return any(holds_secrets(part) for part in get_type_hints(kind).values())
    return any(holds_secrets(part) for part in get_args(kind))


def tables() -> dict[str, type[msgspec.Struct]]:
    """The tables of the settings file by name, in the order of :class:`Settings`."""
    return dict(get_type_hints(Settings))


def _is_own(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid() != 0
    except OSError:
        return False
