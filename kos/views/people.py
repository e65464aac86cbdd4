"""People with access, as a table."""

from __future__ import annotations

from collections.abc import Iterable

from kos.domain.people.conversation import Person
from kos.views.offers import shown_time
from kos.views.table import TableView, table_of


def people_table(people: Iterable[Person]) -> TableView:
    """People with their roles, and who added them."""
    rows = (
        (
            person.user,
            person.name,
            person.seat.value if person.is_active else f"none (was {person.seat.value})",
            person.participant,
            person.added_by,
            "" if person.added_at is None else shown_time(person.added_at),
        )
        for person in people
    )
    return table_of("People", ("user", "name", "role", "participant", "added by", "added at"), rows)
