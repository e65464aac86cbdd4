"""Access to the web page: host names, login, and no forged requests.

The page listens on loopback, but any web site in the same browser can still send it requests. So
a foreign host name is refused (a name rebound to 127.0.0.1 is foreign), a POST must come from the
page itself and carry its token, and no site can frame or read anything.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kos.config.settings import WebSettings

COOKIE = "kos_session"
SESSION_S = 30 * 24 * 3600
MAX_TOKEN = 1000
_LOOPBACK_NAMES = frozenset({"localhost"})
_OPEN = frozenset({"/login", "/healthz", "/readyz"})
_STATIC = "/static/"
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self';"
    " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Not "no-referrer": browsers then send a form with the origin "null".
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Sessions:
    """Logins as signed cookies: nothing is stored, so a restart of the page logs no one out.

    Args:
        token: The login token; empty for no login.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._key = (
            hashlib.sha256(b"kos web session\0" + token.encode()).digest()
            if token
            else secrets.token_bytes(32)
        )

    @property
    def is_needed(self) -> bool:
        """Whether a person must log in."""
        return bool(self._token)

    def is_token(self, typed: str) -> bool:
        """Whether the token is right; takes the same time for every wrong one."""
        return hmac.compare_digest(_digest(typed), _digest(self._token)) and self.is_needed

    def begin(self, now_s: float) -> str:
        """A cookie that is valid for a month."""
        said = f"{int(now_s) + SESSION_S}.{secrets.token_hex(16)}"
        return f"{said}.{self._sign('session', said)}"

    def is_good(self, cookie: str, now_s: float) -> bool:
        """Whether a cookie was issued here and has not expired."""
        said, _, signature = cookie.rpartition(".")
        ends, _, _ = said.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", said).encode()):
            return False
        return ends.isdecimal() and now_s < int(ends)

    def form_token(self, cookie: str) -> str:
        """The token with which a form proves that this page made it for this login."""
        return self._sign("form", cookie if self.is_needed else "")

    def is_form_token(self, cookie: str, brought: str) -> bool:
        """Whether a form has the right token."""
        return hmac.compare_digest(brought.encode(), self.form_token(cookie).encode())

    def _sign(self, what: str, said: str) -> str:
        return hmac.new(self._key, f"{what}\0{said}".encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text[:MAX_TOKEN].encode()).digest()


class FailedLogins:
    """Failed logins of the last minute: a few for each address, some more in total."""

    WITHIN_S = 60.0
    EACH = 5
    ALL = 40

    def __init__(self) -> None:
        self._failed: deque[tuple[float, str]] = deque(maxlen=self.ALL)

    def may_try(self, who: str, now_s: float) -> bool:
        """Whether another attempt is allowed."""
        while self._failed and now_s - self._failed[0][0] > self.WITHIN_S:
            self._failed.popleft()
        theirs = sum(each == who for _, each in self._failed)
        return theirs < self.EACH and len(self._failed) < self.ALL

    def failed(self, who: str, now_s: float) -> None:
        """Record a failed attempt."""
        self._failed.append((now_s, who))


def session_of(request: Request) -> str:
    """The session cookie as received, not verified."""
    return request.cookies.get(COOKIE, "")


class Guard:
    """Checks every request.

    Args:
        app: The application it guards.
        web: The settings of the page.
        sessions: The logins.
    """

    def __init__(self, app: ASGIApp, web: WebSettings, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._names = _LOOPBACK_NAMES | {name.lower() for name in (web.host, *web.allowed_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the headers of every answer."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.is_own(host):
            return PlainTextResponse(
                "This host name is not allowed. Add it to web.allowed_hosts, or use the"
                " address that KOS printed.\n",
                400,
            )
        method, path = scope["method"], scope["path"]
        if method not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse("Only GET, HEAD and POST are allowed.\n", 405)
        if method == "POST" and not _is_from_the_page(headers, host):
            return PlainTextResponse("Request refused: it did not come from a KOS page.\n", 403)
        return self._login_asked(headers, method, path)

    def _login_asked(self, headers: Headers, method: str, path: str) -> ASGIApp | None:
        is_open = path in _OPEN or path.startswith(_STATIC)
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        if is_open or not self._sessions.is_needed or self._sessions.is_good(cookie, time.time()):
            return None
        if method == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return PlainTextResponse("Log in first.\n", 401)

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this page. An address cannot be rebound, a name can."""
        name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else ""
        name = name or host.partition(":")[0]
        if name.lower().rstrip(".") in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _is_from_the_page(headers: Headers, host: str) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    if site not in {None, "same-origin"}:
        return False
    return origin is None or _is_same(origin, (f"http://{host}", f"https://{host}"))


def _is_same(origin: str, own: Iterable[str]) -> bool:
    return origin.lower() in {each.lower() for each in own}
