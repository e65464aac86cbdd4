"""The tree of errors. A branch answers one question: who must act?

KosError
├── OperatorMustAct       a person has to change something; trying again alone is useless
│   ├── InvalidInput      an argument, a file or a command is refused as a whole
│   ├── InvalidSettings   the settings are invalid
│   ├── AccessRefused     a remote service refuses the key, login or plan
│   ├── CommandNotAllowed the rules of offers and books refuse a fact
│   └── DatabaseRefused   the database is another's, newer, damaged or not writable
├── WaitAndRetry          try again later
│   ├── ActorUnavailable  an actor of KOS does not answer now
│   ├── RemoteUnavailable no answer, a server error, or a body that cannot be read
│   ├── RateLimited       the remote service asks for fewer calls
│   ├── CreditsExhausted  no credits are available now
│   └── DatabaseUnavailable   a commit failed; nothing was saved
└── KosBug                KOS broke its own rules; report it

An error carries its facts as attributes. Its text says what is wrong, where, and what to do next.
No text contains a secret: redact before raising.
"""

from __future__ import annotations

from decimal import Decimal

_LONGEST_VALUE = 80


class KosError(Exception):
    """Base class of all errors that KOS raises on purpose."""


class OperatorMustAct(KosError):  # noqa: N818 - the name says who acts
    """A person has to change something before trying again."""

    needs_operator = True
    """Read by the actor runtime: a system that cannot start because of this should not be restarted."""


class InvalidInput(OperatorMustAct):
    """An argument, file or command that is refused as a whole.

    Args:
        field: The input's name as the person typed it.
        value: The input, shown as typed, its middle cut out beyond 80 characters; None or empty if it is missing,
            an exception if it cannot be read.
        allowed: What to enter instead, as the object of "Enter".
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        subject = field[:1].upper() + field[1:] if field.replace(" ", "").isalnum() else field
        super().__init__(f"{subject} {_fault(value)}. Enter {allowed}.")
        self.field = field
        self.value = value
        self.allowed = allowed


def _fault(value: object) -> str:
    shown = _shown(value)
    if len(shown) > _LONGEST_VALUE:
        half = _LONGEST_VALUE // 2
        shown = f"{shown[: half - 1]}…{shown[-half:]}"
    if isinstance(value, Exception):
        return f"cannot be read: {shown}"
    return f"cannot be {shown}" if shown else "is missing"


def _shown(value: object) -> str:
    match value:
        case None | "":
            return ""
        case str():
            return repr(value)
        case list() | tuple():
            return ", ".join(map(str, value))
        case int() | Decimal() if not isinstance(value, bool):
            return f"{value:,}"
        case _:
            return str(value)


class InvalidSettings(OperatorMustAct):
    """Invalid settings; carries every problem found, not only the first."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("Some settings are invalid:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


class AccessRefused(OperatorMustAct):
    """A remote service refuses the key, login or plan.

    Args:
        remote: The service's name, as in the settings.
        code: The service's own error code.
        remedy: What the operator should do.
    """

    def __init__(self, remote: str, code: str, remedy: str) -> None:
        super().__init__(f"{remote} refused access ({code}): {remedy}")
        self.remote = remote
        self.code = code
        self.remedy = remedy


class CommandNotAllowed(OperatorMustAct):
    """A fact that the rules of offers and books refuse; the text says why."""


class DatabaseRefused(OperatorMustAct):
    """A database file that must not be used as it is; the text says which, why and what to do."""


class WaitAndRetry(KosError):  # noqa: N818 - the name says who acts
    """Nothing to fix: try again later.

    Args:
        remote: The service's name, as in the settings.
        reason: What happened, without secrets.
        retry_after_s: Seconds to wait as the remote asked, or None.
    """

    def __init__(self, remote: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{remote}: {reason}")
        self.remote = remote
        self.reason = reason
        self.retry_after_s = retry_after_s


class ActorUnavailable(WaitAndRetry):
    """An actor of KOS did not answer.

    Args:
        actor: Its name.
        reason: What happened, as a sentence.
        advice: What to do about it, as sentences.
    """

    def __init__(self, actor: str, reason: str, advice: str = "") -> None:
        super().__init__(actor, reason)
        self.args = (f"{reason} {advice}".rstrip(),)


class RemoteUnavailable(WaitAndRetry):
    """No answer, a server error, or a body that cannot be read."""


class RateLimited(WaitAndRetry):
    """The remote service asks for fewer calls."""


class CreditsExhausted(WaitAndRetry):
    """No credits are available now."""


class DatabaseUnavailable(WaitAndRetry):
    """A commit failed: nothing was saved, and it can be sent again."""


class KosBug(KosError):  # noqa: N818 - the name says who acts
    """KOS broke its own rules. Report it with the log."""
