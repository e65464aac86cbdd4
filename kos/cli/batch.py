"""Calculations by the thousand: one JSON object a line in, one a line out, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from kos.domain.calculators import calculate
from kos.domain.money import MAX_DIGITS
from kos.errors import InvalidInput

MAX_LINE_BYTES = 1_000_000
_NULL = msgspec.Raw(b"null")


class BatchRequest(msgspec.Struct):
    """One line asked: an id to tell it by, a kind and its inputs."""

    kind: str
    inputs: dict[str, Any]
    id: msgspec.Raw = _NULL


class BatchAnswer(msgspec.Struct):
    """One line answered."""

    id: msgspec.Raw
    kind: str
    outputs: dict[str, str]


class BatchRefusal(msgspec.Struct):
    """One line refused, and why."""

    id: msgspec.Raw
    error: str


# Numbers keep the digits they were written with; a binary float would not.
_decode = msgspec.json.Decoder(BatchRequest, float_hook=str).decode
_encode = msgspec.json.Encoder().encode


def answer(line: bytes) -> bytes:
    """The answer to one line, as JSON without the newline; never raises on bad input."""
    try:
        request = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        return _answer_leniently(line, str(problem))
    return _answered(request)


def _answered(request: BatchRequest) -> bytes:
    try:
        outputs = calculate(request.kind, request.inputs)
    except InvalidInput as refusal:
        return _encode(BatchRefusal(request.id, str(refusal)))
    return _encode(BatchAnswer(request.id, request.kind, outputs))


def _answer_leniently(line: bytes, problem: str) -> bytes:
    """The refusal of a bad line with its id and the input at fault, where they can be read.

    The standard decoder takes NaN and Infinity, which programs do print into JSON.
    """
    try:
        read = json.loads(line, parse_int=_whole, parse_float=str, parse_constant=str)
        request_id = msgspec.Raw(_encode(read.get("id")))
        kind, inputs = read.get("kind"), read.get("inputs")
    except (ValueError, AttributeError, RecursionError, msgspec.EncodeError):
        return _encode(BatchRefusal(_NULL, f"not a request: {problem}"))
    if isinstance(kind, str) and isinstance(inputs, dict):
        return _answered(BatchRequest(kind, inputs, request_id))
    return _encode(BatchRefusal(request_id, f"not a request: {problem}"))


def _whole(digits: str) -> int | str:
    """A whole number, or its digits where there are too many for one to be meant."""
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def answers(stream: BinaryIO) -> Iterator[bytes]:
    """An answer for every line of a stream that is not blank, as it comes."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            refusal = f"not a request: longer than {MAX_LINE_BYTES} bytes"
            yield _encode(BatchRefusal(_NULL, refusal))
        elif line.strip():
            yield answer(line)
