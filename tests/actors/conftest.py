"""A stage for one actor: see :mod:`tests.actors.stage`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from structlog.testing import capture_logs

from kos.runtime import ChildSpec
from kos.runtime.jobs import job
from tests.actors.stage import Nursery, Stage


class Staging(Protocol):
    """Puts an actor on a stage of its own; it has not started yet."""

    def __call__(self, spec: ChildSpec, *, nursery: Nursery | None = None) -> Stage: ...


@pytest.fixture
def put_on_stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Staging]:
    # The actor runs on this thread: whatever job it enters ends with the test.
    with job(), capture_logs() as logs:

        def put(spec: ChildSpec, *, nursery: Nursery | None = None) -> Stage:
            return Stage(spec, monkeypatch, logs, nursery)

        yield put
