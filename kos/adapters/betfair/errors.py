"""What the service's refusals mean, and who acts on each.

A fault comes in three shapes: a JSON-RPC ``error`` with an exception of the operation or only a
transport code, a REST fault body, or no JSON at all (a page of the edge, at maintenance too).
Codes are the service's own words, cut down to letters, digits, ``_`` and ``-``: no other text of
a body ever gets into an error.

Login refusals are never repeated by machine: the service locks accounts that try on.
"""

from __future__ import annotations

import enum
import re
from typing import Any, Final

import msgspec

from kos.adapters.betfair.fields import REMOTE
from kos.errors import AccessRefused, KosBug, KosError, RateLimited, RemoteUnavailable


class Reaction(enum.Enum):
    """What KOS does about a fault."""

    SMALLER_BATCH = "ask for less at once"
    LOGIN_AGAIN = "log in once, repeat once"
    BACK_OFF = "repeat later"
    FEWER_CALLS = "repeat later, more slowly"
    OPERATOR = "a person must change something"
    BUG = "our request was wrong; never repeat it"


class ServiceFault(msgspec.Struct, frozen=True):
    """One refusal of the service."""

    code: str
    reaction: Reaction
    retry_after_s: float | None = None


_CODES: Final[dict[Reaction, tuple[str, ...]]] = {
    Reaction.SMALLER_BATCH: (
        "TOO_MUCH_DATA", "REQUEST_SIZE_EXCEEDS_LIMIT", "SUBSCRIPTION_LIMIT_EXCEEDED",
    ),
    Reaction.BUG: (
        "INVALID_INPUT_DATA", "INVALID_INPUT", "INVALID_REQUEST", "INVALID_CLOCK",
        "DSC-0008", "DSC-0009", "DSC-0018", "RPC-32700", "RPC-32602",
    ),
    # Credentials that the transport does not know may be a session that ended.
    Reaction.LOGIN_AGAIN: (
        "INVALID_SESSION_INFORMATION", "NO_SESSION", "DSC-0015", "DSC-0035", "DSC-0036",
    ),
    Reaction.OPERATOR: (
        "NO_APP_KEY", "INVALID_APP_KEY", "ACCESS_DENIED", "NOT_AUTHORIZED",
        "DSC-0021", "DSC-0023", "DSC-0034", "DSC-0037", "DSC-0038", "RPC-32601",
    ),
    Reaction.FEWER_CALLS: ("TOO_MANY_REQUESTS", "MAX_CONNECTION_LIMIT_EXCEEDED"),
}  # fmt: skip
"""Codes of the operations, the stream, the transport (DSC) and JSON-RPC (RPC); any other is the
service's own trouble: :attr:`Reaction.BACK_OFF`."""
_BY_CODE: Final = {code: reaction for reaction, codes in _CODES.items() for code in codes}

_BY_NUMBER: Final[dict[str, str]] = {
    "ANGX-0001": "TOO_MUCH_DATA",
    "ANGX-0002": "INVALID_INPUT_DATA",
    "ANGX-0003": "INVALID_SESSION_INFORMATION",
    "ANGX-0004": "NO_APP_KEY",
    "ANGX-0005": "NO_SESSION",
    "ANGX-0006": "UNEXPECTED_ERROR",
    "ANGX-0007": "INVALID_APP_KEY",
    "ANGX-0008": "TOO_MANY_REQUESTS",
    "ANGX-0009": "SERVICE_BUSY",
    "ANGX-0010": "TIMEOUT_ERROR",
    "ANGX-0014": "REQUEST_SIZE_EXCEEDS_LIMIT",
    "ANGX-0015": "ACCESS_DENIED",
}

_CHECK_KEY: Final = "check the application key in the settings; it must be active on this account"
_CHECK_ADDRESS: Final = "check the address of the betting API in the settings"
_KEY_REMEDIES: Final[dict[str, str]] = {
    "NO_APP_KEY": "set the application key in the settings",
    "ACCESS_DENIED": "this application key cannot read prices; activate it with Betfair",
    "DSC-0015": "Betfair does not accept this session for this key; check both in the settings",
    "DSC-0021": _CHECK_ADDRESS,
    "DSC-0023": _CHECK_ADDRESS,
    "RPC-32601": _CHECK_ADDRESS,
    "DSC-0038": "this application key cannot read prices; activate it with Betfair",
    "NOT_AUTHORIZED": "this application key cannot use the stream; turn the stream off",
}
"""What to do about any other code: check the key."""

_ON_SITE: Final = "log in to betfair.com in a browser, do what it asks, then restart KOS"
_LOCKED: Final = "the account is locked; unlock it on betfair.com, then restart KOS"
_CLOSED: Final = "this account cannot be used; leave Betfair out of the settings"
_LOCATION: Final = (
    "Betfair is not available in this machine's location; run KOS from an allowed one"
)
_LOGIN_REMEDIES: Final[dict[str, str]] = {
    "INVALID_USERNAME_OR_PASSWORD": "correct the user name and password, then restart KOS",
    "CERT_AUTH_REQUIRED": "upload the client certificate to the account, or correct the files",
    "INVALID_PIN": "append the two-factor code to the password, or use a certificate",
    "FORBIDDEN": _CHECK_KEY,
    "INPUT_VALIDATION_ERROR": "correct the user name and password, then restart KOS",
    "ACCOUNT_NOW_LOCKED": _LOCKED,
    "ACCOUNT_ALREADY_LOCKED": _LOCKED,
    "SECURITY_QUESTION_WRONG_3X": _LOCKED,
    "CLOSED": _CLOSED,
    "SELF_EXCLUDED": _CLOSED,
    "CHANGE_PASSWORD_REQUIRED": "change the password on betfair.com and in the settings",
    "ACCOUNT_PENDING_PASSWORD_CHANGE": "finish the password change on betfair.com",
    "BETTING_RESTRICTED_LOCATION": _LOCATION,
    "SECURITY_RESTRICTED_LOCATION": _LOCATION,
    "EMAIL_LOGIN_NOT_ALLOWED": "use the user name instead of the e-mail address",
    "MULTIPLE_USERS_WITH_SAME_CREDENTIAL": "use the user name instead of the e-mail address",
    "TEMPORARY_BAN_TOO_MANY_REQUESTS": (
        "too many logins; check for another program using this account, wait 20 minutes, then restart KOS"
    ),
}
"""What to do about any other code: :data:`_ON_SITE`."""

MENDABLE_LOGIN_CODES: Final = frozenset({"INTERNAL_ERROR"})
"""Login failures that are the service's own and may be tried again."""

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_-]{1,60}", re.ASCII)
UNREADABLE: Final = "UNREADABLE"


def code_of(value: Any) -> str:
    """A code as it may be shown; UNREADABLE for anything that is not in the form of one."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else UNREADABLE


def reaction_to(code: str) -> Reaction:
    """What KOS does about a code of the service, its stream or its transport."""
    return _BY_CODE.get(code, Reaction.BACK_OFF)


def fault_in(value: Any) -> ServiceFault | None:
    """The fault that a parsed body tells of, in either shape; None where it tells of none."""
    if not isinstance(value, dict):
        return None
    if "faultcode" in value or "faultstring" in value:
        return _judge(value.get("faultstring"), value.get("detail"))
    error = value.get("error")
    if not isinstance(error, dict):
        return None
    fault = _judge(error.get("message"), error.get("data"))
    number = error.get("code")
    if fault.code == UNREADABLE and isinstance(number, int) and not isinstance(number, bool):
        rpc_code = f"RPC{number}"[:12]
        return ServiceFault(rpc_code, reaction_to(rpc_code))
    return fault


def _judge(message: Any, data: Any) -> ServiceFault:
    """The exception's own code is the most precise; then the number, then the transport's code."""
    code = UNREADABLE
    if isinstance(data, dict):
        name = data.get("exceptionname")
        exception = data.get(name if isinstance(name, str) else "APINGException")
        if isinstance(exception, dict):
            code = code_of(exception.get("errorCode"))
    if code == UNREADABLE:
        number = code_of(message)
        code = _BY_NUMBER.get(number, number)
    return ServiceFault(code, reaction_to(code))


def page_fault(status: int, retry_after_s: float | None = None) -> ServiceFault:
    """The fault of an answer that is not JSON: always the service's trouble, never ours."""
    is_too_fast = status == 429  # noqa: PLR2004 - Too Many Requests
    reaction = Reaction.FEWER_CALLS if is_too_fast else Reaction.BACK_OFF
    return ServiceFault(f"HTTP-{status}", reaction, retry_after_s)


def error_of(fault: ServiceFault) -> KosError:
    """The error that says who must act on a fault that could not be mended here."""
    match fault.reaction:
        case Reaction.OPERATOR | Reaction.LOGIN_AGAIN:
            return AccessRefused(REMOTE, fault.code, _KEY_REMEDIES.get(fault.code, _CHECK_KEY))
        case Reaction.FEWER_CALLS:
            return RateLimited(REMOTE, f"asks for fewer calls ({fault.code})", fault.retry_after_s)
        case Reaction.BUG:
            return KosBug(
                f"{REMOTE} refused the format of a request ({fault.code}); report it with the log"
            )
        case Reaction.SMALLER_BATCH:
            return RemoteUnavailable(REMOTE, f"refuses even one market ({fault.code})")
        case Reaction.BACK_OFF:
            return RemoteUnavailable(REMOTE, f"is busy ({fault.code})", fault.retry_after_s)


def login_refused(code: str) -> AccessRefused:
    """The error of a login that no machine may try again."""
    return AccessRefused(REMOTE, code, _LOGIN_REMEDIES.get(code, _ON_SITE))
