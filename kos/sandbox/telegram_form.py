"""What a bot sends with a call: urlencoded, JSON and multipart bodies, read into one form."""

from __future__ import annotations

import email.parser
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from kos.sandbox.web import Answer, Request, as_json

STRUCTURED: Final = frozenset({
    "allowed_updates",
    "caption_entities",
    "commands",
    "entities",
    "link_preview_options",
    "reply_markup",
    "reply_parameters",
    "scope",
})  # fmt: skip
"""Parameters that hold JSON whatever the body's form."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """An error answer in Telegram's own form."""

    def __init__(
        self, status: int, description: str, parameters: dict[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def answer(self) -> Answer:
        """Gives the HTTP answer."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return Answer(self.status, as_json(body))


def bad(reason: str) -> Refusal:
    """Gives a refusal of the call's parameters."""
    return Refusal(400, f"Bad Request: {reason}")


def check_words(text: str) -> None:
    """Refuses text that has no UTF-8.

    Raises:
        Refusal: It holds half a surrogate pair, or bytes that were no UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8") from None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Form:
    """A call's parameters; every value is text, as Telegram sees them."""

    values: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    is_gone: Callable[[], bool] = lambda: False
    """Says whether the bot has hung up meanwhile."""

    def text(self, name: str) -> str:
        """Gives a parameter, or empty text.

        Raises:
            Refusal: It is not UTF-8.
        """
        value = self.values.get(name, "")
        check_words(value)
        return value

    def number(self, name: str, default: int = 0, low: int = 0, high: int = 2**53) -> int:
        """Gives a whole number, drawn into its bounds; the default where it is no number."""
        try:
            value = int(self.values.get(name, ""))
        except ValueError:
            value = default
        return min(max(value, low), high)

    def flag(self, name: str) -> bool:
        """Says whether a parameter is set to a true value."""
        return self.values.get(name, "").lower() in {"true", "yes", "1"}

    def structure(self, name: str, complaint: str) -> Any:
        """Gives a parameter's JSON; None where there is none.

        Raises:
            Refusal: With the complaint, when it is not JSON; or its text is not UTF-8.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            value = json.loads(text)
        except ValueError:
            raise bad(complaint) from None
        check_words(json.dumps(value, ensure_ascii=False))
        return value

    def upload(self, name: str) -> Upload | str | None:
        """Gives a file that came along, or a file id or address, or None."""
        value = self.text(name)
        if value.startswith("attach://"):
            return self.files.get(value.removeprefix("attach://"))
        return value or self.files.get(name)

    def described(self) -> dict[str, Any]:
        """Gives the parameters for the record: JSON decoded, files by name and size."""
        found: dict[str, Any] = {}
        for name, value in self.values.items():
            found[name] = value
            if name in STRUCTURED:
                try:
                    found[name] = json.loads(value)
                except ValueError:
                    continue
        for name, upload in self.files.items():
            found.setdefault(name, {"name": upload.name, "size": len(upload.content)})
        return found


def read(request: Request) -> Form:
    """Gives a call's parameters from its query and its body.

    Raises:
        Refusal: The body can't be read.
    """
    form = Form(dict(request.query), is_gone=request.is_gone)
    kind, _, _ = request.headers.get("content-type", "").partition(";")
    match kind.strip().lower():
        case "application/json":
            _read_json(request.body, form)
        case "multipart/form-data":
            _read_multipart(request, form)
        case _:
            text = request.body.decode("utf-8", "surrogateescape")
            form.values.update(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))
    return form


def _read_json(body: bytes, form: Form) -> None:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(values, dict):
        raise bad("object expected as request body")
    for name, value in values.items():
        if value is not None:
            form.values[name] = value if isinstance(value, str) else json.dumps(value)


def _read_multipart(request: Request, form: Form) -> None:
    parser = email.parser.BytesHeaderParser()
    outer = parser.parsebytes(b"Content-Type: " + request.headers["content-type"].encode())
    boundary = outer.get_param("boundary")
    if not isinstance(boundary, str):
        raise bad("boundary not found in multipart request")
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            return
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = parser.parsebytes(head)
        name = headers.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise bad("can't parse multipart request")
        file_name = headers.get_filename()
        if file_name is None:
            form.values[name] = content.decode("utf-8", "surrogateescape")
        else:
            form.files[name] = Upload(file_name, content, headers.get_content_type())
    raise bad("can't parse multipart request")
