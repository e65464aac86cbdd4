"""One session with Betfair: log in, keep alive, log in again once when it has ended, log out.

A session is a string that serves many calls, threads and connections at once, so KOS holds one
per account. All that changes it happens behind one lock, and nothing here logs in more often
than the back-off allows:

* what Betfair refuses on its merits (password, locked account, terms to accept) is remembered and
  answered from memory from then on, for to try on is to get the account locked;
* what may mend (no answer, a page instead of JSON, an internal error) is tried again when the
  next caller comes after the wait, which doubles;
* sessions that end soon after their login make the next login wait, so that two programs that
  throw each other out don't run into Betfair's ban.

The token, the password and the user name are in no log, error or repr of this module.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from kos.adapters.betfair.errors import (
    MENDABLE_LOGIN_CODES,
    UNREADABLE,
    code_of,
    login_refused,
)
from kos.adapters.betfair.fields import REMOTE
from kos.adapters.http import ANY_STATUS, HttpRemote, Repeat
from kos.adapters.json_fields import NotJson, parse
from kos.errors import AccessRefused, KosError, RemoteUnavailable
from kos.runtime import meters

log = structlog.get_logger(__name__)

KEEP_ALIVE_LEAST_S = 15 * 60.0
"""Betfair asks for no more than one keep-alive in this time."""

_FIRST_WAIT_S = 5.0
"""Between two logins; doubled each time, up to the longest."""
_LONGEST_WAIT_S = 900.0
_LASTING_S = 3600.0
"""A session that lasted so long clears the count of logins."""
_MAX_TOKEN = 512
_OK = 200


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in. The repr shows nothing."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    app_key: str = field(repr=False)


class BetfairSession:
    """The session of one account, shared by calls and streams. Safe in many threads.

    Args:
        credentials: Who logs in.
        identity: Betfair's identity service: interactive login, keep-alive, logout. A connection
            of its own, for it is used from whichever thread comes, one at a time.
        certificate_identity: The same for the certificate login, opened with the client
            certificate; where there is none, the interactive login is used.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        credentials: Credentials,
        identity: HttpRemote,
        certificate_identity: HttpRemote | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        self._identity = identity
        self._certificate_identity = certificate_identity
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._refusal: AccessRefused | None = None
        self._logged_in_at: float | None = None
        self._extended_at = 0.0
        self._quick_logins = 0
        self._not_before = 0.0

    def __repr__(self) -> str:
        """Whether there is a session; no secret."""
        return f"BetfairSession(open={self._token is not None})"

    @property
    def is_open(self) -> bool:
        """Whether there is a session that was not refused yet; asks no one."""
        return self._token is not None

    @property
    def app_key(self) -> str:
        """The application key that goes with every call."""
        return self._credentials.app_key

    def token(self) -> str:
        """The session's token; logs in where there is none.

        Raises:
            AccessRefused: Betfair refuses this login; asked once, remembered for good.
            RemoteUnavailable: No login now; carries the wait.
        """
        with self._lock:
            return self._token if self._token is not None else self._log_in()

    def renew(self, refused: str) -> str:
        """A token that is not ``refused``: logs in again unless another thread has done so.

        Raises:
            AccessRefused, RemoteUnavailable: as :meth:`token`.
        """
        with self._lock:
            if self._token is not None and self._token != refused:
                return self._token
            self._token = None
            return self._log_in()

    def keep_alive(self) -> bool:
        """Extend the session; True where a call was made.

        Does nothing where there is no session, or a quarter of an hour has not passed since it
        was opened or extended. A session that turns out to have ended is forgotten, so that the
        next :meth:`token` logs in.

        Raises:
            RemoteUnavailable: The service could not say; the session stays.
        """
        with self._lock:
            token = self._token
            if token is None or self._clock() - self._extended_at < KEEP_ALIVE_LEAST_S:
                return False
            status, code = self._answer_about_session("/api/keepAlive", token)
            if status == "SUCCESS":
                self._extended_at = self._clock()
                log.debug("betfair.session_extended")
            elif code == "NO_SESSION":
                self._token = None
                log.info("betfair.session_ended")
            else:
                raise RemoteUnavailable(REMOTE, f"keep-alive failed ({code})")
            return True

    def log_out(self) -> None:
        """End the session, at Betfair as well if it answers; never raises for a remote's trouble."""
        with self._lock:
            token, self._token = self._token, None
            if token is None:
                return
            try:
                status, code = self._answer_about_session("/api/logout", token)
            except KosError as error:
                log.warning("betfair.logout_failed", reason=str(error))
                return
            log.info("betfair.session_closed", status=status, code=code)

    def _answer_about_session(self, path: str, token: str) -> tuple[str, str]:
        """Status and code that the identity service gives for a session."""
        headers = {"X-Authentication": token, "X-Application": self.app_key}
        body = _body_of(self._identity, path, {}, headers)
        return code_of(body.get("status")), code_of(body.get("error"))

    def _log_in(self) -> str:
        """Log in, once. Called behind the lock."""
        if self._refusal is not None:
            # A fresh copy: an exception raised twice drags its old traceback along.
            raise AccessRefused(REMOTE, self._refusal.code, self._refusal.remedy)
        now = self._clock()
        if now < self._not_before:
            wait_s = self._not_before - now
            raise RemoteUnavailable(REMOTE, f"next login in {wait_s:.0f} s", wait_s)
        try:
            token, code = self._ask_for_token()
        except AccessRefused as refusal:
            self._refusal = refusal
            meters.count("logins_total", outcome="refused")
            log.error(  # noqa: TRY400 - the frames of a login may hold the password
                "betfair.login_refused", code=refusal.code, remedy=refusal.remedy
            )
            raise
        except RemoteUnavailable as error:
            self._postpone(at_least_one=True)
            meters.count("logins_total", outcome="failed")
            raise RemoteUnavailable(
                REMOTE, f"login failed: {error}", self._not_before - now
            ) from None
        lasted = self._logged_in_at is None or now - self._logged_in_at >= _LASTING_S
        self._quick_logins = 0 if lasted else self._quick_logins
        self._postpone(at_least_one=not lasted)
        self._token = token
        self._logged_in_at = self._extended_at = now
        meters.count("logins_total", outcome="done")
        log.info("betfair.logged_in", status=code, by_certificate=bool(self._certificate_identity))
        return token

    def _postpone(self, *, at_least_one: bool) -> None:
        """Set the earliest moment of the next login."""
        if at_least_one:
            self._quick_logins += 1
        if self._quick_logins:
            # The exponent is bounded long after the cap is reached.
            doubled = _FIRST_WAIT_S * 2.0 ** min(self._quick_logins - 1, 30)
            self._not_before = self._clock() + min(_LONGEST_WAIT_S, doubled)

    def _ask_for_token(self) -> tuple[str, str]:
        """The token and the status it came with."""
        form = {"username": self._credentials.username, "password": self._credentials.password}
        headers = {"X-Application": self.app_key}
        if self._certificate_identity is not None:
            body = _body_of(self._certificate_identity, "/api/certlogin", form, headers)
            return _read_token(body, body.get("sessionToken"), code_of(body.get("loginStatus")))
        body = _body_of(self._identity, "/api/login", form, headers)
        status = code_of(body.get("status"))
        if status not in {"SUCCESS", "LIMITED_ACCESS"}:
            error = code_of(body.get("error"))
            status = status if error == UNREADABLE else error
        return _read_token(body, body.get("token"), status)


def _read_token(body: Mapping[str, Any], token: Any, status: str) -> tuple[str, str]:
    """The token of a login that came through; anything else raises."""
    if status in MENDABLE_LOGIN_CODES:
        raise RemoteUnavailable(REMOTE, f"has trouble ({status})")
    if status == UNREADABLE and not body:
        raise RemoteUnavailable(REMOTE, "answered with an empty object")
    if status not in {"SUCCESS", "LIMITED_ACCESS"}:
        raise login_refused(status)
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN or not _is_header(token):
        raise RemoteUnavailable(REMOTE, "promised a session without a usable token")
    return token, status


def _is_header(value: str) -> bool:
    """True for text that can stand in a header: printable ASCII without blanks."""
    return value.isascii() and all("!" <= char <= "~" for char in value)


def _body_of(
    remote: HttpRemote, path: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> Mapping[str, Any]:
    """A JSON object that the identity service answers with.

    Raises:
        RemoteUnavailable: No answer, or a page instead of JSON.
    """
    answer = remote.post(path, form=form, headers=headers, accept=ANY_STATUS, repeat=Repeat.NEVER)
    if answer.status != _OK:
        raise RemoteUnavailable(REMOTE, f"answered HTTP {answer.status}")
    try:
        body = parse(answer.body)
    except NotJson:
        body = None
    if not isinstance(body, dict):
        raise RemoteUnavailable(REMOTE, "answered with a page instead of JSON")
    return body
