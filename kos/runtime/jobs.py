"""Jobs: what one thing set in motion, in however many processes, has one id in every log line.

Each message belongs to a job: that of the message in whose handling it was sent, or, where none
was (a timer, a client, a thread of its own), a new one. An id is made when it is first wanted,
so that messages which set nothing in motion cost nothing. A job goes along with what an actor
tells and asks; a timer ends it, unless :meth:`kos.runtime.Context.after` is told that it goes on.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_prefix = secrets.token_hex(3)
_numbers = itertools.count(1)
_job: ContextVar[str | None] = ContextVar("kos_job", default="")
"""None in place of an id: one is made as soon as someone asks."""


def new_job_id() -> str:
    """An id that no other process and no other call gives: six signs of the process, a number."""
    return f"{_prefix}-{next(_numbers):x}"


def current_job() -> str:
    """The id of the job that this thread or task works for; empty where it works for none."""
    job = _job.get()
    if job is None:
        job = new_job_id()
        _job.set(job)
    return job


def enter_job(job_id: str) -> None:
    """Work for ``job_id`` from here on in this thread or task; empty: for a new one."""
    _job.set(job_id or None)


@contextmanager
def job(job_id: str = "") -> Iterator[str]:
    """Work for ``job_id``, or for a new job, until the block ends; gives the id."""
    entered = job_id or new_job_id()
    token = _job.set(entered)
    try:
        yield entered
    finally:
        _job.reset(token)
