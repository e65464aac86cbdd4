"""The tree of errors. A branch answers one question: who must act?

KosError
├── OperatorMustAct       a person has to change something; trying again alone is useless
│   ├── InvalidInput      an argument, a file or a command is refused whole
│   ├── InvalidSettings   the settings do not hold together
│   ├── AccessRefused     a remote service refuses our key, login or plan
│   ├── CommandNotAllowed the rules of offers and books refuse a fact
│   └── DatabaseRefused   the database is another's, newer, damaged or not writable
├── WaitAndRetry          nothing to do but try again later
│   ├── RemoteUnavailable no answer, a server error, or a body that cannot be read
│   ├── RateLimited       the remote asks for fewer calls
│   ├── CreditsExhausted  the credit budget grants nothing at present
│   └── DatabaseUnavailable   a commit did not come through; nothing of it is stored
└── KosBug                KOS broke its own rules; report it

An error carries its facts as attributes, and its text says what, where and what to do next.
No text here ever holds a secret: whoever raises an error redacts first.
"""

from __future__ import annotations


class KosError(Exception):
    """Root of all errors that KOS raises on purpose."""


class OperatorMustAct(KosError):  # noqa: N818 - the name says who acts
    """A person has to change something before another try makes sense."""

    needs_operator = True
    """Read by the actor runtime: a system that cannot start over this should not be restarted."""


class InvalidInput(OperatorMustAct):
    """An argument, file or command that is refused whole.

    Args:
        field: The input's name as the person typed it.
        value: What was given (its repr is shown, cut at 80 characters); None or empty: nothing.
        allowed: What would have been accepted, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        shown = repr(value)
        if len(shown) > 80:  # noqa: PLR2004 - the docstring says 80
            shown = shown[:77] + "..."
        is_given = value is not None and value != ""
        fault = f"{shown} is not allowed" if is_given else "nothing is given"
        super().__init__(f"{field}: {fault}; expected {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


class InvalidSettings(OperatorMustAct):
    """Settings that do not hold together; carries every problem found, not only the first."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("settings refused:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


class AccessRefused(OperatorMustAct):
    """A remote service refuses our key, login or plan.

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
    """A fact that the rules of offers and books refuse: where things stand, what was asked, why."""


class DatabaseRefused(OperatorMustAct):
    """A database file that must not be used as it is: the text says which, why and the remedy."""


class WaitAndRetry(KosError):  # noqa: N818 - the name says who acts
    """Nothing to fix here: try again later.

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


class RemoteUnavailable(WaitAndRetry):
    """No answer, a server error, or a body that cannot be read."""


class RateLimited(WaitAndRetry):
    """The remote asks for fewer calls."""


class CreditsExhausted(WaitAndRetry):
    """The credit budget grants nothing at present."""


class DatabaseUnavailable(WaitAndRetry):
    """A commit did not come through: nothing of it is stored, and it may be sent again."""


class KosBug(KosError):  # noqa: N818 - the name says who acts
    """KOS broke its own rules. Report it with the log."""
