from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.offices import Building, fill_scorer


@pytest.fixture
def building(tmp_path: Path) -> Iterator[Building]:
    made = Building(tmp_path)
    fill_scorer(made.scorer)
    yield made
    made.close()
