"""Who has which role: from the settings first, then from the ledger; everyone else has none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from kos.asking import Asker
from kos.desk.arguments import tidy
from kos.domain.people.conversation import Person, Seat
from kos.errors import KosError
from kos.messages import LEDGER, GetPeople, PeopleListed

NO_PARTICIPANTS = "No participants yet. Add one: kos books record WHO joined name=NAME"
"""The refusal of what needs a participant."""
TERMINAL = "terminal:"

_FRESH = timedelta(seconds=10)
"""How long the list is used; the desk's own changes are seen immediately."""
_RETRY = timedelta(seconds=1)
_ATTEMPTS = 5
_ATTEMPTS_OF_ALL = 100
_WINDOW = timedelta(hours=1)


def role_of(seat: Seat) -> str:
    """A role with its article: ``an admin``, ``a participant``."""
    return f"{'a' if seat is Seat.PARTICIPANT else 'an'} {seat}"


class Seats:
    """The people with access to KOS.

    A terminal reaches the daemon only as its own user of the operating system, and is an admin.
    While the ledger does not answer, the people it listed last keep access.

    Args:
        asker: Asks the ledger.
        clock: The time, UTC.
        admins: Users that the settings make admins.
        operators: Users that the settings make operators.
    """

    def __init__(
        self,
        asker: Asker,
        clock: Callable[[], datetime],
        admins: Iterable[str] = (),
        operators: Iterable[str] = (),
    ) -> None:
        self._asker = asker
        self._clock = clock
        self._fixed = dict.fromkeys(operators, Seat.OPERATOR) | dict.fromkeys(admins, Seat.ADMIN)
        self._people: dict[str, Person] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = threading.Lock()

    def person(self, user: str, name: str = "") -> Person | None:
        """The person with this user ID; None for a stranger."""
        if user.startswith(TERMINAL):
            return Person(user=user, name=tidy(name, 64) or user, seat=Seat.ADMIN)
        fixed = self._fixed.get(user)
        if fixed is not None:
            return Person(user=user, name=tidy(name, 64) or user, seat=fixed)
        person = self.people().get(user)
        if person is None or not person.is_active:
            return None
        if person.seat is Seat.PARTICIPANT and not person.participant:
            return None
        return person

    def people(self) -> dict[str, Person]:
        """The ledger's people by user, at most a few seconds old while it answers."""
        now = self._clock()
        with self._lock:
            is_fresh = self._read_at is not None and now - self._read_at < _FRESH
            is_soon = self._tried_at is not None and now - self._tried_at < _RETRY
            if is_fresh or is_soon:
                return self._people
            self._tried_at = now
        try:
            listed = self._asker.ask(LEDGER, GetPeople(), PeopleListed, timeout_s=2.0)
        except KosError:
            return self._people
        with self._lock:
            self._people = {person.user: person for person in listed.people}
            self._read_at = now
            return self._people

    def forget(self) -> None:
        """Someone was changed: read the list again before the next command."""
        with self._lock:
            self._read_at = self._tried_at = None

    def fixed(self) -> dict[str, Seat]:
        """The people who have a role from the settings."""
        return dict(self._fixed)


class CodeAttempts:
    """How often strangers can try a code, each of them and in total."""

    def __init__(self) -> None:
        self._tried: dict[str, list[datetime]] = {}
        self._lock = threading.Lock()

    def is_allowed(self, user: str, now: datetime) -> bool:
        """Count one try; whether it is still allowed."""
        with self._lock:
            self._tried = {
                attempted_by: recent
                for attempted_by, tries in self._tried.items()
                if (recent := [at for at in tries if now - at < _WINDOW])
            }
            own = self._tried.get(user, [])
            if len(own) >= _ATTEMPTS or sum(map(len, self._tried.values())) >= _ATTEMPTS_OF_ALL:
                return False
            self._tried[user] = [*own, now]
            return True
