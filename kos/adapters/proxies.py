"""A proxy's address for one session, and whether a session lets anything through."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from kos.adapters.http import ANY_STATUS, PROXY_LOGIN, HttpRemote, RetryPolicy
from kos.config.settings import ProxySettings
from kos.errors import AccessRefused, KosError, RemoteUnavailable

DECODO: Final = (
    "http://user-{username}-country-{country}-session-{session}"
    "-sessionduration-{minutes}:{password}@gate.decodo.com:7000"
)
"""The residential gateway's form, user name and password as its dashboard shows them."""

_GAP = re.compile(r"\{(\w*)\}")


def proxy_url(settings: ProxySettings, session_id: str) -> str:
    """The address of one session, the login percent-encoded. It is a secret."""
    values = {
        "username": settings.username.reveal(),
        "password": settings.password.reveal(),
        "session": session_id,
        "country": settings.country,
        "minutes": str(settings.session_minutes),
    }
    return _GAP.sub(lambda gap: quote(values[gap.group(1)], safe=""), settings.url or DECODO)


def is_proxys_fault(error: KosError) -> bool:
    """Whether a call failed on its way and not by the remote's word."""
    if isinstance(error, AccessRefused):
        return error.code == PROXY_LOGIN
    return isinstance(error, RemoteUnavailable)


def check_session(settings: ProxySettings, session_id: str, target: str) -> None:
    """Ask the target for anything at all through a session; any status is an answer.

    Args:
        settings: The proxies.
        session_id: Which way.
        target: A service of the settings; no key and no login goes with the call.

    Raises:
        KosError: Nothing came through; the text holds no login.
    """
    remote = HttpRemote(
        "proxy",
        target,
        timeout_s=(5.0, 10.0),
        proxy=proxy_url(settings, session_id),
        retries=RetryPolicy(attempts=1, total_s=15.0),
        max_body_bytes=1024 * 1024,
    )
    try:
        remote.get("/", accept=frozenset(ANY_STATUS) - _GATEWAYS_OWN)
    finally:
        remote.close()


_GATEWAYS_OWN: Final = frozenset({407, 502, 503, 504, 522})
"""Over plain HTTP these are as likely the gateway's word as the target's."""
