"""Every message: frozen, keyword-only, and the same after a border as before it."""

from __future__ import annotations

import inspect
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.inspect import (
    BoolType,
    BytesType,
    DateTimeType,
    DateType,
    DecimalType,
    DictType,
    EnumType,
    FloatType,
    FrozenSetType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    TupleType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from kos import messages
from kos.messages import MESSAGES
from kos.runtime import Message
from kos.runtime.codec import LENGTH_BYTES, Codec, FrameKind
from tests.profiles import examples
from tests.strategies import moments

CODEC = Codec(MESSAGES)


def parts_of(kind: Type) -> tuple[Type, ...]:  # noqa: PLR0911 - one arm a type
    """The types within a type."""
    match kind:
        case Metadata():
            return (kind.type,)
        case StructType():
            return tuple(field.type for field in kind.fields)
        case UnionType():
            return kind.types
        case TupleType():
            return kind.item_types
        case VarTupleType() | ListType() | FrozenSetType():
            return (kind.item_type,)
        case DictType():
            return (kind.key_type, kind.value_type)
        case _:
            return ()


def structs_in(kind: Type) -> set[type[msgspec.Struct]]:
    """The structs that a value of a type is made of."""
    own = {kind.cls} if isinstance(kind, StructType) else set()
    return own.union(*map(structs_in, parts_of(kind)))


@cache
def built(struct: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Values of a struct, each field filled in."""
    kind = type_info(struct)
    assert isinstance(kind, StructType)
    return st.builds(struct, **{field.name: values(field.type) for field in kind.fields})


def values(kind: Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912 - one arm a type
    """Values of a type, few of each so that a whole message is built quickly."""
    match kind:
        case Metadata():
            return values(kind.type)
        case NoneType():
            return st.none()
        case BoolType():
            return st.booleans()
        case IntType():
            least = 0 if kind.gt is None and kind.ge is None else (kind.ge or (kind.gt or 0) + 1)
            return st.integers(least, kind.le if kind.le is not None else least + 2**40)
        case FloatType():
            return st.floats(0.0, 1e9)
        case StrType():
            return st.text(string.ascii_lowercase + "é ½£", min_size=1, max_size=8)
        case BytesType():
            return st.binary(max_size=8)
        case DecimalType():
            return st.decimals(Decimal("1.01"), Decimal(1000), places=2)
        case DateTimeType():
            return moments()
        case DateType():
            return st.dates(date(2026, 1, 1), date(2026, 12, 31))
        case EnumType():
            members: type[Enum] = kind.cls
            return st.sampled_from(list(members))
        case LiteralType():
            return st.sampled_from(kind.values)
        case StructType():
            return built(kind.cls)
        case UnionType():
            return st.one_of(*map(values, kind.types))
        case VarTupleType():
            return st.lists(values(kind.item_type), max_size=2).map(tuple)
        case TupleType():
            return st.tuples(*map(values, kind.item_types))
        case ListType():
            return st.lists(values(kind.item_type), max_size=2)
        case FrozenSetType():
            return st.frozensets(values(kind.item_type), max_size=2)
        case DictType():
            return st.dictionaries(values(kind.key_type), values(kind.value_type), max_size=2)
        case _:
            raise TypeError(f"no values of {kind}")


def test_every_message_of_the_module_can_be_sent() -> None:
    declared = {
        found
        for found in vars(messages).values()
        if isinstance(found, type) and issubclass(found, Message) and found is not Message
    }
    bases = {base for message in declared for base in message.__mro__[1:]}
    assert set(MESSAGES) == declared - bases


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_frozen_and_so_is_what_it_is_made_of(message: type[Message]) -> None:
    mutable = [
        struct.__name__
        for struct in structs_in(type_info(message))
        if not struct.__struct_config__.frozen
    ]
    assert mutable == []


@pytest.mark.parametrize("message", MESSAGES)
def test_the_fields_of_a_message_are_keyword_only(message: type[Message]) -> None:
    kinds = {each.kind for each in inspect.signature(message).parameters.values()}
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("message", MESSAGES)
@settings(max_examples=examples(10))
@given(data=st.data())
def test_a_message_is_the_same_on_the_other_side_of_a_border(
    message: type[Message], data: st.DataObject
) -> None:
    sent: Message = data.draw(built(message))
    frame = CODEC.frame(
        memoryview(CODEC.encode(FrameKind.TELL, 1, "to", "from", sent, "job"))[LENGTH_BYTES:]
    )
    assert (frame.target, frame.sender, frame.job) == ("to", "from", "job")
    received = CODEC.message(frame)
    assert type(received) is message
    assert received == sent


def test_times_of_a_message_keep_their_zone() -> None:
    sent = messages.GetCreditsSpent(
        since=datetime(2026, 3, 1, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC)
    )
    frame = CODEC.frame(memoryview(CODEC.encode(FrameKind.ASK, 1, "a", None, sent))[LENGTH_BYTES:])
    received = CODEC.message(frame)
    assert isinstance(received, messages.GetCreditsSpent)
    assert received.since.utcoffset() is not None
