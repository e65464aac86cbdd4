"""How fixtures are read into sides, and what a runner adds to the name of its event."""

from __future__ import annotations

import pytest

from kos.domain.matching.aliases import knowledge
from kos.domain.matching.events import RightEvent, SideReader
from kos.domain.matching.sides import SURE
from tests.domain.matching.test_matcher import right


def read(
    name: str, runners: tuple[str, ...], sport: str = "soccer", competition: str = "English League"
) -> RightEvent | None:
    fixture = right(name, sport, competition, runners=runners)
    return SideReader(sport, knowledge(), {}).right_event(fixture)


def names(event: RightEvent | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert event is not None
    return tuple(s.name for s in event.home), tuple(s.name for s in event.away)


@pytest.mark.parametrize(
    "runners",
    [
        (),
        ("Chelsea FC",),
        ("The Draw",),
        ("Chelsea", "Arsenal"),
        ("Arsenal", "The Draw", "Chelsea"),
        ("Chelsea FC", "Arsenal FC", "Any other"),
        ("Chelsea FC", "Arsenal FC", "Leeds", "The Draw"),
    ],
)
def test_an_event_of_other_than_two_runners_goes_by_its_own_names(runners: tuple[str, ...]) -> None:
    assert names(read("Chelsea v Arsenal", runners)) == (("Chelsea",), ("Arsenal",))


@pytest.mark.parametrize("runners", [("Sydney", "NZ Warriors"), ("NZ Warriors", "Sydney")])
def test_a_team_goes_by_its_runner_too_wherever_that_stands(runners: tuple[str, ...]) -> None:
    event = read("Sydney Roosters v New Zealand Warriors", runners, "rugbyleague", "NRL")
    assert names(event) == (
        ("Sydney Roosters", "Sydney"),
        ("New Zealand Warriors", "NZ Warriors"),
    )


def test_a_team_whose_runner_has_its_name_goes_by_one() -> None:
    event = read("Chelsea v Arsenal", ("Chelsea", "Arsenal FC"))
    assert names(event) == (("Chelsea",), ("Arsenal", "Arsenal FC"))
    event = read("Chelsea v Arsenal", ("Chelsea FC", "Arsenal"))
    assert names(event) == (("Chelsea", "Chelsea FC"), ("Arsenal",))


@pytest.mark.parametrize(
    "runners", [("Alexander Zverev", "Norrie"), ("Norrie", "Alexander Zverev")]
)
def test_a_person_goes_by_the_fuller_name(runners: tuple[str, ...]) -> None:
    event = read("A Zverev v Cameron Norrie", runners, "tennis", "ATP Paris")
    assert names(event) == (("Alexander Zverev",), ("Cameron Norrie",))


@pytest.mark.parametrize(
    ("name", "runners"),
    [("Chelsea v Arsenal", ("Wigan", "Leeds")), ("Chelsea v Chelsea FC", ("FC Chelsea", "Chelsea "))],
)  # fmt: skip
def test_runners_that_fit_neither_side_or_both_are_left_out(
    name: str, runners: tuple[str, ...]
) -> None:
    home, away = names(read(name, runners))
    assert (len(home), len(away)) == (1, 1)
    assert f"{home[0]} v {away[0]}" == name


def test_the_better_of_two_printed_names_is_the_one_compared() -> None:
    reader = SideReader("rugbyleague", None, {})
    event = reader.right_event(
        right("Sydney v NZ Warriors", runners=("Sydney Roosters", "New Zealand Warriors"))
    )
    assert event is not None
    assert len(event.home) == 2
    for printed in ("Sydney Roosters", "Sydney"):
        side = reader.side(printed, women=False, age="")
        score, chosen = reader.best(side, event.home)
        assert (score.value, chosen.name) == (1.0, printed)


@pytest.mark.parametrize(
    ("name", "competition"),
    [("Chelsea", "Cup"), ("xxDNDxx A v B", "Cup"), ("A v B", "xxDNDxx Cup"), ("A v B", "Do not display")],
)  # fmt: skip
def test_an_event_that_is_hidden_or_not_of_two_sides_is_not_read(
    name: str, competition: str
) -> None:
    assert read(name, (), competition=competition) is None


def test_two_clubs_of_one_name_and_two_countries_are_never_one() -> None:
    reader = SideReader("soccer", None, {})
    uruguay, paraguay, bare = (
        reader.side(name, women=False, age="")
        for name in ("Nacional (Uru)", "Nacional (Par)", "Nacional")
    )
    score = reader.score(uruguay, paraguay)
    assert (score.value, score.is_final) == (0, True)
    assert "uruguay" in score.why
    assert "paraguay" in score.why
    assert reader.score(uruguay, bare).value >= SURE
    assert reader.score(uruguay, reader.side("Nacional (Uru)", women=None, age="")).value == 1


@pytest.mark.parametrize(
    ("full", "short", "value"),
    [
        ("Robert Smithson", "Bob Smithson", 0.95 * 0.96),
        ("Bob Smithson", "Robert Smithson", 0.95 * 0.96),
        ("Bob Smithson", "Bobby Smithson", 0.95 * 0.98),
        ("Robert James Smithson", "Bob Smithson", 0.95 * 0.96),
        ("Robert Smithson", "Bill Smithson", 0),
        ("Robert Smithson", "Bob Carter", 0),
    ],
)
def test_given_names_that_mean_one_person_leave_a_little_doubt(
    full: str, short: str, value: float
) -> None:
    reader = SideReader("tennis", knowledge(), {})
    one, other = (reader.side(name, women=None, age="") for name in (full, short))
    assert reader.score(one, other).value == pytest.approx(value)
    unknowing = SideReader("tennis", None, {})
    one, other = (unknowing.side(name, women=None, age="") for name in (full, short))
    if value == pytest.approx(0.95 * 0.96):
        assert unknowing.score(one, other).value == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ram/Salisbury/Murray", "Ram/Salisbury/Murray"),
        ("Ram /", "Salisbury/Ram"),
        ("Rajeev Ram", "Ram / Salisbury"),
    ],
)
def test_what_is_not_two_against_two_is_no_pair(one: str, other: str) -> None:
    reader = SideReader("tennis", knowledge(), {})
    sides = [reader.side(name, women=None, age="") for name in (one, other)]
    assert reader.score(sides[0], sides[1]).value == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("Novak Djokovic", "Novak Djokovicc"), ("Giovanni Perricard", "Giovani Perricard"), ("Song Yadong", "SongYadong")],
)  # fmt: skip
def test_a_slip_in_a_persons_name_is_forgiven(one: str, other: str) -> None:
    reader = SideReader("tennis", knowledge(), {})
    sides = [reader.side(name, women=None, age="") for name in (one, other)]
    assert SURE <= reader.score(sides[0], sides[1]).value < 1


def test_a_side_shows_its_name_to_whoever_debugs() -> None:
    assert repr(SideReader("soccer", None, {}).side("Leeds", women=None, age="")) == "Side('Leeds')"


@pytest.mark.parametrize(
    ("full", "printed", "is_one"),
    [
        ("Bartholomew Hollingworthington", "Bartholomew Hollingwort", True),
        ("Bart Hollingworthington", "Bart Hollingwort", False),
    ],
)
def test_a_surname_may_be_cut_where_the_list_had_no_room_for_it(
    full: str, printed: str, *, is_one: bool
) -> None:
    reader = SideReader("tennis", None, {})
    one, other = (reader.side(name, women=None, age="") for name in (full, printed))
    assert (reader.score(one, other).value >= SURE) is is_one
