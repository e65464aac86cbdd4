"""What Telegram's refusals mean."""

from __future__ import annotations

import pytest

from kos.adapters.telegram.api import FaultKind, _kind_of


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Bad Request: message is not modified: specified new content", FaultKind.UNCHANGED),
        ("Bad Request: message to edit not found", FaultKind.NOT_EDITABLE),
        ("Bad Request: message can't be edited", FaultKind.NOT_EDITABLE),
        ("Bad Request: there is no text in the message to edit", FaultKind.NOT_EDITABLE),
        ("Bad Request: query is too old and response timeout expired", FaultKind.TOO_OLD),
        ("Bad Request: query ID is invalid", FaultKind.TOO_OLD),
        ("Bad Request: chat not found", FaultKind.FORBIDDEN),
        ("Forbidden: user is deactivated", FaultKind.FORBIDDEN),
        ("Bad Request: can't parse entities", FaultKind.REFUSED),
    ],
)
def test_each_refusal_of_a_message_has_its_kind(message: str, kind: FaultKind) -> None:
    assert _kind_of(message) is kind
