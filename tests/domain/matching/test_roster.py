"""When another name of a list casts doubt on a match, and when it does not."""

from __future__ import annotations

import pytest

from kos.domain.market.quotes import Verdict
from kos.domain.matching import Matcher
from kos.domain.matching.events import SideReader
from kos.domain.matching.roster import Roster
from kos.domain.matching.sides import POSSIBLE, SURE
from tests.domain.matching.test_matcher import left, right

DAY = 1440
FILLERS = ("Alba", "Borea", "Corvo", "Drago", "Estel", "Fiora")


class Lists:
    """Both lists of one invented football league, without tables of known names."""

    def __init__(
        self, *rights: tuple[str, int] | tuple[str, int, str], lefts: tuple[str, ...] = ()
    ) -> None:
        """Exchange events by side, minute and competition; bookmaker sides, one a day."""
        self.reader = SideReader("soccer", None, {})
        events = [
            self.reader.right_event(
                right(f"{entry[0]} v Visitors{n}", competition="".join(entry[2:]) or "Pampa One", at=entry[1], event=f"R{n}")
            )
            for n, entry in enumerate(rights)
        ]  # fmt: skip
        self.roster = Roster(self.reader, [event for event in events if event is not None])
        for n, name in enumerate(lefts):
            fixture = left(name, f"Guests{n}", "soccer_pampa", at=n * DAY, name=f"L{n}")
            self.roster.add(self.reader.left_event(fixture))

    def doubt(self, one: str, other: str) -> str:
        sides = (self.reader.side(name, women=False, age="") for name in (one, other))
        return self.roster.weigh(*sides, learning=True)[1]


def beside(*names: str) -> tuple[str, ...]:
    """Bookmaker names with enough others for the roster to count as known."""
    return (*names, *FILLERS)


def filled() -> list[tuple[str, int]]:
    return [(name, n * DAY) for n, name in enumerate(FILLERS)]


@pytest.mark.parametrize(
    ("name", "listed", "rival", "is_doubted"),
    [
        # Sure names, 0.90 and 0.936; 0.936 and 0.96; 0.891 and 0.90.
        ("Rosario", "Rosario B93", "Rosario Union", True),
        ("Union Rosario Central", "Rosario Central", "Rosario Central Union", True),
        ("Rosario FC Palermo", "Rosario", "Rosario FC", False),
        # Only possible: 0.78 and 0.78, 0.778 and 0.748, 0.791 and 0.649.
        ("Rosario", "Western Rosario", "Rosario Central", True),
        ("Rosaria", "Rosario Union", "Rosario B93", True),
        ("Rosaria", "Rosario FC", "Rosario Central", False),
    ],
)
def test_a_sure_name_must_be_beaten_and_a_possible_one_must_stand_alone(
    name: str, listed: str, rival: str, *, is_doubted: bool
) -> None:
    lists = Lists((listed, 0), (rival, 0), *filled(), lefts=beside(name))
    assert (rival in lists.doubt(name, listed)) is is_doubted
    alone = Lists((listed, 0), *filled(), lefts=beside(name))
    assert alone.doubt(name, listed) == ""


BETTER = ("Rosario", "Rosario B93", "Rosario Union")


@pytest.mark.parametrize(
    ("starts", "rival_starts", "competition", "is_rival"),
    [
        # Within 15 hours no side starts twice, whatever the competition.
        ((0,), (0,), "Pampa Cup", True),
        ((0,), (899,), "Pampa Cup", True),
        # In one competition, until either has started three times and never at once.
        ((0,), (900,), "Pampa One", True),
        ((0, 2 * DAY), (DAY, 3 * DAY, 5 * DAY), "Pampa One", True),
        ((0, 2 * DAY, 4 * DAY), (DAY, 3 * DAY, 5 * DAY), "Pampa One", False),
        ((0, 2 * DAY, 4 * DAY), (DAY, 3 * DAY, 4 * DAY), "Pampa One", True),
        # In two competitions of one country one start says little.
        ((0,), (DAY, 3 * DAY), "Pampa Cup", True),
        ((0, 2 * DAY), (DAY,), "Pampa Cup", True),
        ((0, 2 * DAY), (DAY, 3 * DAY), "Pampa Cup", False),
        # Of two countries.
        ((0,), (0,), "Andes One", False),
    ],
)
def test_two_exchange_names_are_two_teams_by_their_starts_and_competitions(
    starts: tuple[int, ...], rival_starts: tuple[int, ...], competition: str, *, is_rival: bool
) -> None:
    name, listed, rival = BETTER
    lists = Lists(
        *((listed, at) for at in starts),
        *((rival, at, competition) for at in rival_starts),
        lefts=(name,),
    )
    assert (rival in lists.doubt(name, listed)) is is_rival


@pytest.mark.parametrize(
    ("rival", "competition", "is_rival"),
    [
        ("Rosario FC", "Pampa One", False),
        ("Rosario FC", "Pampa Cup", False),
        ("Rosario Central", "Pampa One", True),
        ("Rosario Central", "Pampa Cup", True),
    ],
)
def test_another_spelling_of_a_name_is_no_rival_of_it(
    rival: str, competition: str, *, is_rival: bool
) -> None:
    name, listed = "Deportivo Rosario", "FC Rosario"
    if is_rival:
        name = "Rosario"
        listed = "Western Rosario"
    lists = Lists((listed, 0), (rival, DAY, competition), *filled(), lefts=beside(name))
    assert (rival in lists.doubt(name, listed)) is is_rival


@pytest.mark.parametrize(("rights", "lefts"), [(5, 5), (5, 6), (6, 5), (6, 6)])
def test_a_possible_name_is_taken_where_six_names_of_each_list_stand(
    rights: int, lefts: int
) -> None:
    def paired(name: str, count: int) -> list[tuple[str, str]]:
        names = (name, *FILLERS[: count - 1])
        return [(one, names[0 if n + 1 == count else n + 1]) for n, one in enumerate(names)]

    reader = SideReader("soccer", None, {})
    events = [reader.right_event(right(f"{one} v {other}", at=n * DAY)) for n, (one, other) in enumerate(paired("Western Rosario", rights))]  # fmt: skip
    roster = Roster(reader, [event for event in events if event is not None])
    for n, (one, other) in enumerate(paired("Rosario", lefts)):
        roster.add(reader.left_event(left(one, other, "soccer_pampa", at=n * DAY, name=f"L{n}")))
    sides = (reader.side(name, women=False, age="") for name in ("Rosario", "Western Rosario"))
    doubt = roster.weigh(*sides, learning=True)[1]
    assert ("too few" in doubt) is ((rights, lefts) != (6, 6))


@pytest.mark.parametrize(
    ("name", "printed", "verdict"),
    [("Rosario", "Western Rosario", Verdict.MATCH), ("Rosaria", "Rosario Central", Verdict.NONE)],
)
def test_a_possible_side_is_taken_beside_a_sure_one_and_a_lesser_one_is_not(
    name: str, printed: str, verdict: Verdict
) -> None:
    games = [left(name, "Borea", "soccer_pampa", name="L")]
    games += [
        left(one, f"Guests{n}", "soccer_pampa", at=n * DAY, name=f"L{n}")
        for n, one in enumerate(FILLERS)
    ]
    listed = [right(f"{printed} v Borea", competition="Pampa One")]
    listed += [right(f"{one} v Visitors{n}", competition="Pampa One", at=n * DAY, event=f"R{n}") for n, one in enumerate(FILLERS)]  # fmt: skip
    assert Matcher(tables=None, learning=False).match(games, listed)[0].verdict is verdict


@pytest.mark.parametrize(
    ("opponent", "printed", "verdict"),
    [
        # Sure at 0.84 and at 0.811.
        ("Keltis", "Keltis Tovara Zemun", Verdict.MATCH),
        ("Keltis Velgrad", "Keltisk Velgrad Tovara Zemun", Verdict.DOUBT),
    ],
)
def test_a_possible_side_needs_an_opponent_that_is_more_than_just_sure(
    opponent: str, printed: str, verdict: Verdict
) -> None:
    games = [left("Rosario", opponent, "soccer_pampa", name="L")]
    games += [
        left(one, f"Guests{n}", "soccer_pampa", at=n * DAY, name=f"L{n}")
        for n, one in enumerate(FILLERS)
    ]
    listed = [right(f"Western Rosario v {printed}", competition="Pampa One")]
    listed += [right(f"{one} v Visitors{n}", competition="Pampa One", at=n * DAY, event=f"R{n}") for n, one in enumerate(FILLERS)]  # fmt: skip
    assert Matcher(tables=None, learning=False).match(games, listed)[0].verdict is verdict


@pytest.mark.parametrize(("at", "verdict"), [(30, Verdict.MATCH), (31, Verdict.DOUBT)])
def test_a_possible_side_needs_a_near_kickoff(at: int, verdict: Verdict) -> None:
    games = [left("Rosario", "Keltis", "soccer_pampa", name="L")]
    games += [
        left(one, f"Guests{n}", "soccer_pampa", at=n * DAY, name=f"L{n}")
        for n, one in enumerate(FILLERS)
    ]
    listed = [right("Western Rosario v Keltis", competition="Pampa One", at=at)]
    listed += [right(f"{one} v Visitors{n}", competition="Pampa One", at=n * DAY, event=f"R{n}") for n, one in enumerate(FILLERS)]  # fmt: skip
    assert Matcher(tables=None, learning=False).match(games, listed)[0].verdict is verdict


def test_a_person_who_is_only_possible_is_not_doubted_for_a_short_list() -> None:
    reader = SideReader("tennis", None, {})
    sides = [reader.side(name, women=None, age="") for name in ("Yadong Song", "Yadong")]
    similarity, doubt = Roster(reader).weigh(*sides, learning=False)
    assert similarity.value < SURE
    assert doubt == ""


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_telling_word_in_another_place_counts_only_where_rosters_are_known(
    *, is_filled: bool
) -> None:
    name, listed = "Saski Baskonia", "Baskonia Vitoria"
    lists = Lists((listed, 0), lefts=(name,))
    if is_filled:
        lists = Lists((listed, 0), *filled(), lefts=beside(name))
    sides = (lists.reader.side(one, women=False, age="") for one in (name, listed))
    assert (lists.roster.weigh(*sides, learning=True)[0].value >= POSSIBLE) is is_filled


def events(*pairs: tuple[str, str, str, str]) -> list[tuple[Verdict, str | None]]:
    games = [
        left(home, away, "soccer_pampa", at=n * DAY, name=f"L{n}")
        for n, (home, away, _, _) in enumerate(pairs)
    ]
    listed = [
        right(f"{home} v {away}", competition="Pampa One", at=n * DAY, event=f"R{n}")
        for n, (_, _, home, away) in enumerate(pairs)
    ]
    found = Matcher(tables=None, learning=False).match(games, listed)
    return [(each.verdict, each.right_id) for each in found]


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [
        # Both sides print the same: 0.936 and 0.90 the other way round.
        (("Rosario", "Rosario Union", "Rosario", "Rosario Union"), Verdict.DOUBT),
        (("Rosario", "Rosario B93", "Rosario", "Rosario B93"), Verdict.MATCH),
        # The weaker side 0.93 against 0.791, and 0.936 against 0.778.
        (("Rosario FC", "Rosaria", "AC Rosario", "Rosaria"), Verdict.DOUBT),
        (("Rosario", "Rosaria", "Rosario Union", "Rosaria"), Verdict.MATCH),
    ],
)
def test_sides_that_fit_nearly_as_well_turned_round_are_a_doubt(
    pair: tuple[str, str, str, str], verdict: Verdict
) -> None:
    assert events(pair) == [(verdict, "R0")]
