"""What a league of the sandbox is: its place in both services, its sides and its habits."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Style(Enum):
    """How the exchange writes an event of the sport, and what may differ from the feed."""

    TEAMS = "Home v Away"
    AWAY_AT_HOME = "Away @ Home"
    PEOPLE = "surnames, at times the other way round"


@dataclass(frozen=True, slots=True)
class Discipline:
    """What all leagues of one sport share."""

    group: str
    """The feed's group."""
    event_type_id: str
    event_type: str
    """The exchange's number and name of the sport."""
    has_draw: bool
    style: Style
    duration_s: int
    """From kickoff to the end."""
    start_shift_s: tuple[int, ...]
    """How far the exchange's start may lie from the feed's; drawn from these."""
    market_type: str = "MATCH_ODDS"
    market_name: str = "Match Odds"
    totals_line: float | None = None
    totals_spread: float = 1.0
    """Standard deviation of the score's sum, in points or goals."""
    draw_base: float = 0.27
    """Probability of a draw between equals."""
    minute_grid: int = 15
    """Kickoffs lie on this many minutes."""


SOCCER: Final = Discipline(
    "Soccer",
    "1",
    "Soccer",
    has_draw=True,
    style=Style.TEAMS,
    duration_s=6900,
    start_shift_s=(0,) * 14 + (60, -300),
    totals_line=2.5,
    totals_spread=1.6,
    minute_grid=15,
)
BASKETBALL_US: Final = Discipline(
    "Basketball",
    "7522",
    "Basketball",
    has_draw=False,
    style=Style.AWAY_AT_HOME,
    duration_s=9000,
    start_shift_s=(600, 600, 600, 0, 300),
    market_name="Moneyline",
    totals_line=224.5,
    totals_spread=18.0,
)
BASKETBALL: Final = Discipline(
    "Basketball",
    "7522",
    "Basketball",
    has_draw=False,
    style=Style.TEAMS,
    duration_s=7200,
    start_shift_s=(0, 0, 0, 300),
    market_name="Moneyline",
    totals_line=163.5,
    totals_spread=15.0,
)
HOCKEY_US: Final = Discipline(
    "Ice Hockey",
    "7524",
    "Ice Hockey",
    has_draw=False,
    style=Style.AWAY_AT_HOME,
    duration_s=9000,
    start_shift_s=(0, 0, 420, 480),
    market_type="MONEY_LINE",
    market_name="Moneyline",
    totals_line=6.5,
    totals_spread=2.2,
    draw_base=0.23,
)
HOCKEY: Final = Discipline(
    "Ice Hockey",
    "7524",
    "Ice Hockey",
    has_draw=True,
    style=Style.TEAMS,
    duration_s=8400,
    start_shift_s=(0, 0, 0, 300),
    totals_line=5.5,
    totals_spread=2.1,
    draw_base=0.23,
)
FOOTBALL_US: Final = Discipline(
    "American Football",
    "6423",
    "American Football",
    has_draw=False,
    style=Style.AWAY_AT_HOME,
    duration_s=11700,
    start_shift_s=(0, 0, 0, 300, 300),
    market_name="Moneyline",
    totals_line=45.5,
    totals_spread=13.0,
)
BASEBALL_US: Final = Discipline(
    "Baseball",
    "7511",
    "Baseball",
    has_draw=False,
    style=Style.AWAY_AT_HOME,
    duration_s=10800,
    start_shift_s=(0, 0, 60, 300),
    market_name="Moneyline",
    totals_line=8.5,
    totals_spread=4.2,
    minute_grid=5,
)
BASEBALL: Final = Discipline(
    "Baseball",
    "7511",
    "Baseball",
    has_draw=False,
    style=Style.TEAMS,
    duration_s=11400,
    start_shift_s=(0, 0, 0, 300),
    market_name="Moneyline",
    totals_line=7.5,
    totals_spread=4.0,
    minute_grid=30,
)
TENNIS: Final = Discipline(
    "Tennis",
    "2",
    "Tennis",
    has_draw=False,
    style=Style.PEOPLE,
    duration_s=7200,
    start_shift_s=(0, 0, 300, 900, 1800, -1800, 3600, 7200),
    totals_line=22.5,
    totals_spread=4.5,
    minute_grid=5,
)
MMA: Final = Discipline(
    "Mixed Martial Arts",
    "26420387",
    "Mixed Martial Arts",
    has_draw=False,
    style=Style.PEOPLE,
    duration_s=1800,
    start_shift_s=(0, 0, 1800, 3600, 7200, -3600),
    minute_grid=15,
)
BOXING: Final = Discipline(
    "Boxing",
    "6",
    "Boxing",
    has_draw=False,
    style=Style.PEOPLE,
    duration_s=3600,
    start_shift_s=(0, 0, 3600, 7200, -3600),
    minute_grid=30,
)
CRICKET: Final = Discipline(
    "Cricket",
    "4",
    "Cricket",
    has_draw=False,
    style=Style.TEAMS,
    duration_s=12600,
    start_shift_s=(0, 0, 0, 0, 900, -1800),
    minute_grid=30,
)
CRICKET_TEST: Final = Discipline(
    "Cricket",
    "4",
    "Cricket",
    has_draw=True,
    style=Style.TEAMS,
    duration_s=28800,
    start_shift_s=(0, 0, 0, 1800),
    draw_base=0.22,
    minute_grid=30,
)
AFL: Final = Discipline(
    "Aussie Rules",
    "61420",
    "Australian Rules",
    has_draw=False,
    style=Style.TEAMS,
    duration_s=9600,
    start_shift_s=(0, 0, 0, 300, 600),
    totals_line=165.5,
    totals_spread=28.0,
    minute_grid=5,
)
RUGBY_LEAGUE: Final = Discipline(
    "Rugby League",
    "1477",
    "Rugby League",
    has_draw=False,
    style=Style.TEAMS,
    duration_s=6600,
    start_shift_s=(0, 0, 0, 300),
    totals_line=42.5,
    totals_spread=11.0,
    minute_grid=5,
)
RUGBY_UNION: Final = Discipline(
    "Rugby Union",
    "5",
    "Rugby Union",
    has_draw=True,
    style=Style.TEAMS,
    duration_s=6600,
    start_shift_s=(0, 0, 0, 300),
    totals_line=47.5,
    totals_spread=12.0,
    draw_base=0.04,
    minute_grid=5,
)
HANDBALL: Final = Discipline(
    "Handball",
    "468328",
    "Handball",
    has_draw=True,
    style=Style.TEAMS,
    duration_s=5400,
    start_shift_s=(0, 0, 0, 300),
    totals_line=60.5,
    totals_spread=7.0,
    draw_base=0.09,
    minute_grid=30,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One team or person, as each service prints it."""

    feed: str
    exchange: str
    """In the event's name; cut at 23 characters where the exchange cuts."""
    runner: str
    """In the list of runners."""


@dataclass(frozen=True, slots=True)
class League:
    """One sport key of the feed and the competition it is on the exchange."""

    key: str
    title: str
    description: str
    competition: str
    country: str
    """ISO code as the exchange prints it; GB where it has no better idea; empty where it has none."""
    popularity: float
    """0 to 1: depth of the exchange's books and number of bookmakers."""
    hours: tuple[int, int]
    """First and last UTC hour of kickoffs."""
    sides: tuple[Side, ...]
    """Strongest first; an even number."""
    discipline: Discipline
    women: bool = False


_CUT: Final = 23


def _teams(text: str) -> tuple[Side, ...]:
    sides = []
    for entry in text.split(","):
        feed, _, exchange = entry.strip().partition("=")
        short = (exchange or feed)[:_CUT].rstrip()
        sides.append(Side(feed=feed, exchange=short, runner=short))
    return tuple(sides[: len(sides) // 2 * 2])


_PLAIN: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ß": "ss", "\u0131": "i"}
)


def _ascii(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    return "".join(character for character in parts if not unicodedata.combining(character))


def _people(text: str) -> tuple[Side, ...]:
    names = [entry.strip() for entry in text.split(",")]
    surnames = [name.split(" ", 1)[1] for name in names]
    sides = []
    for index, (name, surname) in enumerate(zip(names, surnames, strict=True)):
        plain, given = _ascii(name), _ascii(name)[0]
        shared = surnames.count(surname) > 1
        short = f"{given} {_ascii(surname)}" if shared or index % 5 == 0 else _ascii(surname)
        runner = f"{given} {_ascii(surname)}" if index % 4 == 3 else plain
        sides.append(Side(feed=name, exchange=short[:_CUT].rstrip(), runner=runner[:_CUT].rstrip()))
    return tuple(sides[: len(sides) // 2 * 2])


def teams(
    discipline: Discipline,
    key: str,
    title: str,
    description: str,
    competition: str,
    country: str,
    popularity: float,
    hours: tuple[int, int],
    names: str,
) -> League:
    """Gives a league of teams from its text table."""
    return League(
        key,
        title,
        description,
        competition,
        country,
        popularity,
        hours,
        _teams(names),
        discipline,
        women="women" in key or "wnba" in key,
    )


def people(
    discipline: Discipline,
    key: str,
    title: str,
    description: str,
    competition: str,
    country: str,
    popularity: float,
    hours: tuple[int, int],
    names: str,
) -> League:
    """Gives a tournament or a card of persons; the exchange's spellings follow its rule."""
    return League(
        key,
        title,
        description,
        competition,
        country,
        popularity,
        hours,
        _people(names),
        discipline,
        women="wta" in key,
    )
