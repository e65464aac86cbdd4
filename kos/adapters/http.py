"""HTTP to one remote service: bounded in time and size, repeated with care, silent about secrets.

The only module that imports ``requests``. What it promises to the rooms beside it:

* Every call has a connect and a read timeout, a bound on its total time with all repeats, and a
  bound on the size of the decoded body (a gzip bomb ends at the bound, not in memory).
* No byte leaves for an address that the settings don't name: proxies and certificates of the
  environment are ignored, cookies are not kept, a redirect is followed only within the very same
  scheme, host and port, and only for a GET.
* No error, repr or log of this module holds a URL's query, a header, a body, a password or a
  proxy login. ``requests`` puts whole URLs into its exceptions, so none of them is kept, not even
  as the context of ours; ``urllib3`` logs whole URLs, so its loggers are cut off.
"""

from __future__ import annotations

import enum
import importlib.util
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, urlencode, urljoin, urlsplit

import msgspec
import requests
import structlog
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from kos import __version__
from kos.errors import (
    AccessRefused,
    InvalidSettings,
    KosError,
    RateLimited,
    RemoteUnavailable,
)
from kos.runtime import meters

log = structlog.get_logger(__name__)

ANY_STATUS: Collection[int] = range(100, 600)
"""For a caller that reads every status, 429 and 5xx included, by itself: nothing is repeated."""

PROXY_LOGIN = "PROXY_LOGIN"
"""Code of the AccessRefused that a proxy, and not the remote, gave."""

_CHUNK_BYTES = 64 * 1024
_MAX_REDIRECTS = 3
_MAX_RETRY_AFTER_S = 24 * 3600.0
_TOO_MANY_REQUESTS = 429
_PROXY_LOGIN_WANTED = 407
_MENDABLE_STATUSES = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _cut_off_url_loggers() -> None:
    """Keep urllib3, which logs every URL with its query, away from all handlers of the program."""
    logger = logging.getLogger("urllib3")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())


_cut_off_url_loggers()


class Repeat(enum.Enum):
    """When a failed call may be sent again, by what a second sending could cost."""

    ALWAYS = "always"
    """Reading twice does no harm: any failure that can mend is repeated."""
    IF_NOT_DONE = "if not done"
    """Only if the remote did nothing: no connection was made, or it answered 429. For calls
    that are paid for."""
    NEVER = "never"
    """One sending. For logins."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try.

    The n-th wait is drawn evenly from ``[d/2, d]`` with ``d = min(cap_s, base_s * 2**(n-1))``, or
    is what the remote asked for by Retry-After if that is longer.
    """

    attempts: int = 3
    """Sendings in all, 1 or more."""
    base_s: float = 0.5
    cap_s: float = 8.0
    total_s: float = 45.0
    """Bound on the whole call, waits included; a body still coming in then is given up."""

    def wait_s(
        self, attempt: int, chance: float, asked_s: float | None, left_s: float
    ) -> float | None:
        """Seconds to wait after so many sendings, or None to give up: no attempt or no time left.

        Args:
            attempt: Sendings so far.
            chance: Evenly from [0, 1).
            asked_s: What the remote asked for.
            left_s: Until the call's bound.
        """
        if attempt >= self.attempts:
            return None
        backoff_s = min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))
        wait_s = max(backoff_s * (1 + chance) / 2, asked_s or 0.0)
        return wait_s if wait_s < left_s else None


DEFAULT_RETRIES = RetryPolicy()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as it came. Its repr shows neither headers nor body: they may echo a secret."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    elapsed_ms: float
    """From the first byte sent to the last read, of the sending that brought this answer."""
    retry_after_s: float | None = None
    """What a Retry-After header asked for, where there was one."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """One sending that brought no answer to return."""

    error: KosError
    may_mend: bool
    was_done: bool
    """The remote may have done what was asked."""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class _HttpRequest:
    method: str
    url: str
    path: str
    """For the log: without the query."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    accept: Collection[int]


class HttpRemote:
    """One remote service, spoken to from one thread (connections are kept and reused).

    Args:
        name: The service's name as in the settings; it stands in every error and log.
        base_url: ``http(s)://host[:port][/path]``; paths of calls are appended to it.
        timeout_s: Seconds to connect, and seconds of silence while reading.
        proxy: ``scheme://[login:password@]host:port`` for this remote alone, or None; the scheme
            is http, https, socks5h (names are resolved by the proxy) or socks5.
        secrets: Texts that :meth:`redact` replaces by ``***``; the proxy's login is added.
        client_cert: Files of certificate and key, for services that want them.
        ca: A PEM file of the authorities to trust in place of the system's own.
        retries: How often and how long to try.
        max_body_bytes: Bound on a decoded body.
        headers: Sent with every call.
        clock: Monotonic seconds. ``sleep``: waits that many seconds. ``now``: UTC, to read a
            Retry-After that is a date. ``chance``: evenly from [0, 1).

    Raises:
        InvalidSettings: An address or a file does not hold; the text shows no login.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        timeout_s: tuple[float, float] = (5.0, 20.0),
        proxy: str | None = None,
        secrets: Collection[str] = (),
        client_cert: tuple[str, str] | None = None,
        ca: str | None = None,
        retries: RetryPolicy = DEFAULT_RETRIES,
        max_body_bytes: int = 64 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        problems = [
            *_address_problems(f"{name} base_url", base_url, may_have_login=False),
            *(_proxy_problems(f"{name} proxy", proxy) if proxy else ()),
            *(
                f"{name}: cannot read the file {file}"
                for file in (*(client_cert or ()), *((ca,) if ca else ()))
                if not Path(file).is_file()
            ),
        ]
        if problems:
            raise InvalidSettings(tuple(problems))
        self.name = name
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._own_secrets = tuple(secrets)
        self._secrets: tuple[str, ...] = ()
        self._retries = retries
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._chance = chance
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update(
            {
                "User-Agent": f"kos/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                **(headers or {}),
            }
        )
        self._session.verify = ca or True
        self._session.cert = client_cert
        self._proxy: str | None = ""
        self.go_through(proxy)

    def __repr__(self) -> str:
        """Name and host, no secret."""
        return f"HttpRemote({self.name!r}, {urlsplit(self._base_url).hostname!r})"

    def close(self) -> None:
        """Give the connections back. A later call opens new ones."""
        self._session.close()

    def go_through(self, proxy: str | None) -> None:
        """Send what follows by another way: a proxy's address as at the start, or None.

        Connections of the former way are given up: a tunnel stays tied to the exit it began with.
        """
        if proxy == self._proxy:
            return
        self._session.close()
        self._session.proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._proxy = proxy
        parts = urlsplit(proxy or "")
        logins = parts.username or "", parts.password or ""
        self._secrets = _with_spellings((*self._own_secrets, *logins))

    def redact(self, text: str) -> str:
        """The text with every known secret replaced by ``***``."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        accept: Collection[int] = (200,),
        repeat: Repeat = Repeat.ALWAYS,
    ) -> HttpResponse:
        """Read ``base_url + path``.

        A status in ``accept`` is returned at once. Any other 429 or 5xx is repeated as
        ``repeat`` allows and then raised.

        Raises:
            RemoteUnavailable: No connection, no answer in time, 5xx, a cut or oversized body, a
                redirect elsewhere, or a status outside ``accept`` that nothing else covers.
            RateLimited: 429; carries the wait that the remote asked for.
            AccessRefused: 401, 403, or a proxy's 407.
        """
        query = f"?{urlencode(params)}" if params else ""
        request = self._request("GET", path + query, headers or {}, None, accept)
        return self._call(request, repeat)

    def post(
        self,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (200,),
        repeat: Repeat = Repeat.NEVER,
    ) -> HttpResponse:
        """Post a form or a JSON value (encoded by msgspec); otherwise as :meth:`get`."""
        if form is not None:
            kind, body = "application/x-www-form-urlencoded", urlencode(form).encode("ascii")
        else:
            kind, body = "application/json", msgspec.json.encode(json_body)
        sent = {"Content-Type": kind, **(headers or {})}
        return self._call(self._request("POST", path, sent, body, accept), repeat)

    def _request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        accept: Collection[int],
    ) -> _HttpRequest:
        rooted = "/" + target.lstrip("/")
        shown = self.redact(rooted.partition("?")[0])
        return _HttpRequest(method, self._base_url + rooted, shown, headers, body, accept)

    def _call(self, request: _HttpRequest, repeat: Repeat) -> HttpResponse:
        deadline = self._clock() + self._retries.total_s
        attempt = 0
        while True:
            attempt += 1
            result = self._send(request, deadline)
            meters.count("http_requests_total", remote=self.name, outcome=_outcome(result))
            if isinstance(result, HttpResponse):
                return result
            wait_s = self._wait_before_next(result, attempt, repeat, deadline)
            if wait_s is None:
                # Raised out of any except block, so that no foreign exception is its context.
                raise result.error
            log.warning(
                "http.repeated",
                remote=self.name,
                path=request.path,
                attempt=attempt,
                wait_s=round(wait_s, 3),
                reason=str(result.error),
            )
            self._sleep(wait_s)

    def _wait_before_next(
        self, failure: _Failure, attempt: int, repeat: Repeat, deadline: float
    ) -> float | None:
        """Seconds to wait before sending again, or None to give up now."""
        if not failure.may_mend or repeat is Repeat.NEVER:
            return None
        if repeat is Repeat.IF_NOT_DONE and failure.was_done:
            return None
        left_s = deadline - self._clock()
        return self._retries.wait_s(attempt, self._chance(), failure.retry_after_s, left_s)

    def _send(self, request: _HttpRequest, deadline: float) -> HttpResponse | _Failure:
        """One sending, with the redirects that stay on the very same host."""
        started = self._clock()
        url = request.url
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._exchange(request, url, started, deadline)
            if isinstance(answer, _Failure):
                return answer
            if answer.status not in _REDIRECTS or answer.status in request.accept:
                return self._judge(request, answer)
            target = urljoin(url, answer.headers.get("location", ""))
            if request.method != "GET" or _origin(target) != _origin(url):
                return self._broken("answered with a redirect, which KOS does not follow")
            url = target
        return self._broken("redirects in a circle")

    def _exchange(
        self, request: _HttpRequest, url: str, started: float, deadline: float
    ) -> HttpResponse | _Failure:
        """Send and read whole. No exception of requests or urllib3 gets out."""
        connect_s, read_s = self._timeout_s
        left_s = max(0.001, deadline - self._clock())
        try:
            with self._session.request(
                request.method,
                url,
                data=request.body,
                headers=dict(request.headers),
                timeout=(min(connect_s, left_s), min(read_s, left_s)),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                # One read of the socket each, so that a trickle is noticed.
                while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                    body += chunk
                    if len(body) > self._max_body_bytes:
                        return self._broken(f"body larger than {self._max_body_bytes} bytes")
                    if self._clock() > deadline:
                        return self._broken(
                            f"body still incomplete after {self._retries.total_s:g} s"
                        )
                headers = {key.lower(): value for key, value in response.headers.items()}
                elapsed_ms = (self._clock() - started) * 1000
                asked_s = read_retry_after(headers.get("retry-after"), self._now())
                return HttpResponse(response.status_code, headers, bytes(body), elapsed_ms, asked_s)
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            return self._explain(error)

    def _explain(self, error: Exception) -> _Failure:  # noqa: PLR0911 - one return per cause
        """What an exception of the libraries means, in words of our own."""
        match error:
            case requests.exceptions.ConnectTimeout():
                return self._broken("no connection in time", may_mend=True, was_done=False)
            case requests.exceptions.ReadTimeout() | ReadTimeoutError():
                return self._broken("no reply in time", may_mend=True)
            case requests.RequestException() if self._proxy and _is_login_refused(error):
                return self._refused(PROXY_LOGIN, "check the proxy login in the settings")
            case requests.exceptions.ProxyError():
                return self._broken("the proxy does not connect", may_mend=True, was_done=False)
            case requests.exceptions.SSLError():
                return self._broken("TLS failed; check the address, this machine's clock and ca")
            case requests.exceptions.ConnectionError() if _is_never_connected(error):
                return self._broken("no connection", may_mend=True, was_done=False)
            case requests.exceptions.ContentDecodingError():
                return self._broken("body cannot be decompressed", may_mend=True)
            case requests.exceptions.InvalidURL() | UnicodeError():
                return self._broken("the address cannot be used; check base_url in the settings")
            case _:
                kind = type(error).__name__
                return self._broken(f"the connection broke ({kind})", may_mend=True)

    def _judge(self, request: _HttpRequest, answer: HttpResponse) -> HttpResponse | _Failure:
        status, retry_after_s = answer.status, answer.retry_after_s
        if status in request.accept:
            meters.observe("http_seconds", answer.elapsed_ms / 1000, remote=self.name)
            return answer
        if status == _TOO_MANY_REQUESTS:
            limited = RateLimited(self.name, "asks for fewer calls (HTTP 429)", retry_after_s)
            return _Failure(limited, may_mend=True, was_done=False, retry_after_s=retry_after_s)
        if status == _PROXY_LOGIN_WANTED:
            return self._refused(PROXY_LOGIN, "check the proxy login in the settings")
        if status in {401, 403}:
            return self._refused(f"HTTP {status}", "check key, login and plan in the settings")
        unavailable = RemoteUnavailable(self.name, f"answered HTTP {status}", retry_after_s)
        may_mend = status in _MENDABLE_STATUSES
        return _Failure(unavailable, may_mend, was_done=True, retry_after_s=retry_after_s)

    def _broken(self, reason: str, *, may_mend: bool = False, was_done: bool = True) -> _Failure:
        return _Failure(RemoteUnavailable(self.name, reason), may_mend, was_done)

    def _refused(self, code: str, remedy: str) -> _Failure:
        return _Failure(AccessRefused(self.name, code, remedy), may_mend=False, was_done=False)


def _outcome(result: HttpResponse | _Failure) -> str:
    """How a sending went, in few words, fit to be a counter's label."""
    if isinstance(result, HttpResponse):
        return f"{result.status // 100}xx" if result.status != _TOO_MANY_REQUESTS else "429"
    if isinstance(result.error, RateLimited):
        return "429"
    return "refused" if isinstance(result.error, AccessRefused) else "failed"


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After header (seconds or an HTTP date), 0 to one day.

    None where the header is missing or means nothing.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)


def _is_never_connected(error: requests.exceptions.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port or default


def _is_login_refused(error: Exception) -> bool:
    """What proxies say, in a tunnel's 407 and in SOCKS; it is only ever looked at, never shown."""
    text = str(error)
    return "407" in text or "SOCKS5 authentication" in text or "SOCKS5 server requires" in text


def _proxy_problems(what: str, url: str) -> Iterator[str]:
    scheme = url.partition("://")[0]
    if scheme in {"socks5", "socks5h"}:
        if importlib.util.find_spec("socks") is None:
            yield f"{what} uses SOCKS and a package is missing: install kos-engine[socks]"
        url = url.replace(scheme, "http", 1)
    yield from _address_problems(what, url, may_have_login=True)


def _address_problems(what: str, url: str, *, may_have_login: bool) -> Iterator[str]:
    """Why an address cannot be used; never shows it, for it may hold a login."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        yield f"{what} is not an address; expected http(s)://host[:port]"
        return
    if parts.scheme not in {"http", "https"} or not has_host:
        yield f"{what} is not an address; expected http(s)://host[:port]"
    if parts.username is not None and not may_have_login:
        yield f"{what} contains a login; it belongs in its own setting"
    if parts.query or parts.fragment:
        yield f"{what} has a query or a fragment; expected http(s)://host[:port][/path]"


def _with_spellings(secrets: Collection[str]) -> tuple[str, ...]:
    """Each secret as it is and as a URL spells it, longest first."""
    spelled = {
        form
        for secret in secrets
        if secret
        for form in (secret, quote(secret, safe=""), quote_plus(secret), unquote(secret))
    }
    return tuple(sorted(spelled, key=lambda text: (-len(text), text)))
