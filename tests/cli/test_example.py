"""The sandbox's books begin with something to try."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kos.cli.example import OFFERS, PARTICIPANT, put_example
from kos.db import FILE_NAME, open_for_reading
from kos.messages import (
    CatalogueListed,
    GetBooks,
    GetCatalogue,
    GetParticipants,
    ParticipantsListed,
)
from kos.storage.answers import answer
from kos.storage.verify import verify


def test_a_newcomer_finds_offers_and_somebody_with_money_once(tmp_path: Path) -> None:
    state = tmp_path / "sandbox"
    put_example(state)
    put_example(state)
    path = state / FILE_NAME
    reader = open_for_reading(path)
    now = datetime.now(UTC)
    listed = answer(reader, path, GetCatalogue(), now)
    assert isinstance(listed, CatalogueListed)
    assert {each.key for each in listed.offers} == {each.key for each in OFFERS}
    people = answer(reader, path, GetParticipants(operator="ann"), now)
    assert isinstance(people, ParticipantsListed)
    assert [each.participant for each in people.participants] == [PARTICIPANT]
    books = answer(reader, path, GetBooks(participant=PARTICIPANT), now)
    assert books.capital == 100_000  # type: ignore[attr-defined]
    assert verify(reader, path).problems == ()
    reader.close()


def test_books_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"somebody's")
    put_example(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == b"somebody's"
