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
from collections import deque
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kos.config.settings import WebSettings

COOKIE = "kos_session"
MAX_TOKEN = 1000
_SESSION_S = 30 * 24 * 3600
_FORM_TOKEN = "form_token"  # noqa: S105 - a name
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
        self._open_form_token = secrets.token_hex(16)
        self.key = (
            hashlib.sha256(b"kos web session\0" + token.encode()).hexdigest()
            if token
            else secrets.token_hex(32)
        )
        """Signs the cookies."""

    @property
    def is_needed(self) -> bool:
        """Whether a person must log in."""
        return bool(self._token)

    def is_token(self, typed: str) -> bool:
        """Whether the token is right; takes the same time for every wrong one."""
        return hmac.compare_digest(_digest(typed), _digest(self._token)) and self.is_needed

    def begin(self, session: dict[str, str]) -> None:
        """Log in: the cookie is good for a month."""
        session[_FORM_TOKEN] = secrets.token_hex(16)

    def is_good(self, session: Mapping[str, str]) -> bool:
        """Whether this session has logged in, or need not."""
        return not self.is_needed or _FORM_TOKEN in session

    def form_token(self, session: Mapping[str, str]) -> str:
        """What a form must bring back to prove that this page made it for this login."""
        return session.get(_FORM_TOKEN, "") if self.is_needed else self._open_form_token

    def is_form_token(self, session: Mapping[str, str], brought: str) -> bool:
        """Whether a form brought it back."""
        token = self.form_token(session)
        return bool(token) and hmac.compare_digest(brought.encode(), token.encode())


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
        theirs = sum(address == who for _, address in self._failed)
        return theirs < self.EACH and len(self._failed) < self.ALL

    def failed(self, who: str, now_s: float) -> None:
        """Record a failed attempt."""
        self._failed.append((now_s, who))


class Guard:
    """Checks every request before the application gets it."""

    def __init__(self, app: ASGIApp, web: WebSettings, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._with_session = {
            is_https: SessionMiddleware(
                self._logged_in,
                sessions.key,
                COOKIE,
                max_age=_SESSION_S,
                same_site="strict",
                https_only=is_https,
            )
            for is_https in (False, True)
        }
        self._names = _LOOPBACK_NAMES | {name.lower() for name in (web.host, *web.allowed_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the headers of every answer."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        is_https = headers.get("origin", "").startswith("https://")
        refusal = self._refusal(scope, headers)
        await (refusal or self._with_session[is_https])(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        host = headers.get("host", "")
        if not self.is_own(host):
            return PlainTextResponse(
                "This host name is not allowed. Add it to web.allowed_hosts, or use the"
                " address that KOS printed.\n",
                400,
            )
        method = scope["method"]
        if method not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse("Only GET, HEAD and POST are allowed.\n", 405)
        if method == "POST" and not _is_from_the_page(headers, host):
            return PlainTextResponse("Request refused: it did not come from a KOS page.\n", 403)
        return None

    async def _logged_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, accept = scope["path"], Headers(scope=scope).get("accept", "")
        app = self._app
        if path in _OPEN or path.startswith(_STATIC) or self._sessions.is_good(scope["session"]):
            pass
        elif scope["method"] == "GET" and "text/html" in accept:
            app = RedirectResponse("/login", 303)
        else:
            app = PlainTextResponse("Log in first.\n", 401)
        await app(scope, receive, send)

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
    if (site is None and origin is None) or site not in {None, "same-origin"}:
        return False
    own = {f"http://{host}".lower(), f"https://{host}".lower()}
    return origin is None or origin.lower() in own
