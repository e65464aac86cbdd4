"""The names of bookmakers and exchanges as people read them."""

from __future__ import annotations

import pytest

from kos.domain.market.places import place_name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("sport888", "888sport"),
        ("betfair_ex_uk", "Betfair"),
        ("new_book_uk", "New Book"),
        ("new_book", "New Book"),
        ("Casa d'apostas", "Casa d'apostas"),
    ],
)
def test_a_place_is_named_as_its_brand_writes_it_or_made_readable(key: str, name: str) -> None:
    assert place_name(key) == name
