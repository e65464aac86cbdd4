"""How single names are read and compared."""

from __future__ import annotations

import pytest

from kos.domain.matching.aliases import knowledge, teams_of
from kos.domain.matching.events import SideReader, country_of
from kos.domain.matching.normalise import (
    Marks,
    competition_gate,
    fold,
    name_words,
    split_event,
    strip_marks,
)
from kos.domain.matching.sides import POSSIBLE, SURE

SPORTS = ("soccer", "basketball", "icehockey", "americanfootball", "baseball", "cricket",
          "rugbyleague", "rugbyunion", "aussierules", "handball")  # fmt: skip


def sureness(one: str, other: str, sport: str = "soccer", *, tables: bool = True) -> float:
    reader = SideReader(sport, knowledge() if tables else None, {})
    women = None if sport in {"tennis", "mma"} else False
    left, right = (reader.side(name, women=women, age="") for name in (one, other))
    return reader.score(left, right).value


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Østers IF", "osters if"),
        ("Górnik Łęczna", "gornik leczna"),
        ("Beşiktaş", "besiktas"),
        ("Зенит", "zenit"),
        ("Ολυμπιακός", "olympiakos"),
        ("Qarabağ Ağdam", "qarabag agdam"),
    ],
)
def test_foreign_letters_become_plain(name: str, plain: str) -> None:
    assert fold(name) == plain


@pytest.mark.parametrize(
    ("name", "base", "marks"),
    [
        ("Chelsea (W)", "chelsea", Marks(women=True)),
        ("Mazatlan FC(W)", "mazatlan fc", Marks(women=True)),
        ("Arsenal Wowen", "arsenal", Marks(women=True)),
        ("Chelsea FCW", "chelsea", Marks(women=True)),
        ("New Zealand Warriors Wo", "new zealand warriors", Marks(women=True)),
        ("Spain U-21", "spain", Marks(age="u21")),
        ("Chelsea Under 23s", "chelsea", Marks(age="u23")),
        ("Chelsea U19 (W)", "chelsea", Marks(women=True, age="u19")),
        ("Rapid Vienna (Am)", "rapid vienna", Marks(reserve="b")),
        ("Jong Ajax", "ajax", Marks(reserve="b")),
        ("Bilbao Athletic", "athletic bilbao", Marks(reserve="b")),
        ("Dortmund II", "dortmund", Marks(reserve="b")),
        ("Arsenal (E)", "arsenal", Marks(simulated=True)),
        ("Willem II", "willem ii", Marks()),
        ("Qingdao Youth Island", "qingdao youth island", Marks()),
        ("Young Boys", "young boys", Marks()),
        ("B 93", "b 93", Marks()),
    ],
)
def test_marks_stand_at_the_end_only(name: str, base: str, marks: Marks) -> None:
    found = strip_marks(name)
    assert (found.base, found.marks) == (base, marks)


def test_a_country_in_brackets_is_kept_apart() -> None:
    assert strip_marks("Univ Catolica (Ecu)").country == "ecuador"
    assert strip_marks("Al Faisaly ( KSA )").country == "saudi"
    assert strip_marks("Miami (OH)", "basketball").base == "miami (oh)"


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("Celtics @ Lakers", ("Lakers", "Celtics")),
        ("Man Utd v Chelsea", ("Man Utd", "Chelsea")),
        ("India v Bangladesh (1st ODI)", ("India", "Bangladesh")),
        (" A Zverev vs Norrie ", ("A Zverev", "Norrie")),
        ("xxDNDxx A v B", None),
        ("Premier League", None),
        ("A v B v C", None),
    ],
)
def test_event_names_are_split_home_first(name: str, sides: tuple[str, str] | None) -> None:
    assert split_event(name) == sides


@pytest.mark.parametrize(
    ("competition", "women"),
    [
        ("Icelandic Women's Matches", True),
        ("NRLW", True),
        ("English FA Ladies Super League 1", True),
        ("WTA Dubai", True),
        ("ATP Matches", False),
        ("English Premier League", None),
        ("Swedish Damallsvenskan", True),
    ],
)
def test_a_competition_tells_whose_it_is(competition: str, women: bool | None) -> None:
    assert competition_gate(competition).women is women


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wolverhampton Wanderers", "Wolves"),
        ("Borussia Mönchengladbach", "Mgladbach"),
        ("Stade Lavallois", "Laval"),
        ("St. Patrick's Athletic", "St Patricks"),
        ("D.C. United", "DC Utd"),
        ("LAFC", "Los Angeles FC"),
        ("FC Red Bull Salzburg", "RB Salzburg"),
        ("1. FC Köln", "FC Cologne"),
        ("Brothers Leichhardt Wanderers", "Brothers Leichhardt Wa"),
    ],
)
def test_short_forms_need_no_table(one: str, other: str) -> None:
    assert sureness(one, other, tables=False) >= SURE


@pytest.mark.parametrize(
    ("one", "other"),
    [("Kuopion PS", "KuPS"), ("Odense BK", "OB"), ("Queens Park Rangers", "QPR")],
)
def test_initials_are_possible_and_no_more(one: str, other: str) -> None:
    assert POSSIBLE <= sureness(one, other, tables=False) < SURE


@pytest.mark.parametrize(
    ("one", "other", "sport"),
    [
        ("Manchester City", "Man Utd", "soccer"),
        ("Dundee", "Dundee Utd", "soccer"),
        ("Inter Milan", "AC Milan", "soccer"),
        ("Sevilla", "Sevilla Atletico", "soccer"),
        ("Arsenal", "Arsenal Legends", "soccer"),
        ("Sydney FC", "Western Sydney", "soccer"),
        ("Fortaleza", "Ceara SC Fortaleza", "soccer"),
        ("Michigan State Spartans", "Michigan", "basketball"),
        ("Miami Hurricanes", "Miami (OH)", "basketball"),
        ("Illinois Fighting Illini", "E Illinois", "basketball"),
        ("Louisiana Ragin' Cajuns", "SE Louisiana", "basketball"),
        ("Paris FC", "Paris SG", "soccer"),
        ("CSKA Sofia", "CSKA 1948 Sofia", "soccer"),
        ("New York Rangers", "NY Islanders", "icehockey"),
        ("Adelaide Crows", "Port Adelaide", "aussierules"),
        ("Guinea", "Guinea-Bissau", "soccer"),
        ("Republic of Ireland", "Northern Ireland", "soccer"),
        ("India", "India A", "cricket"),
        ("Mikael Ymer", "E Ymer", "tennis"),
        ("Daniel Evans", "Daniel", "tennis"),
        ("Francisco Cerundolo", "J Manuel Cerundolo", "tennis"),
        ("Rajeev Ram", "Ram/Salisbury", "tennis"),
    ],
)
def test_neighbours_are_never_one(one: str, other: str, sport: str) -> None:
    assert sureness(one, other, sport) < POSSIBLE


def test_a_second_side_by_the_last_word_of_its_name_is_another_without_tables_too() -> None:
    assert sureness("Rosario", "Rosario Atletico", tables=False) < POSSIBLE
    assert sureness("Rosario", "Atletico Rosario", tables=False) >= SURE


def test_a_word_of_one_name_stands_for_one_word_of_the_other() -> None:
    assert sureness("Rosario", "Rosario Rosarios", tables=False) < 1
    assert sureness("Rosario", "Rosario Rosarios", tables=False) == sureness(
        "Rosario Rosarios", "Rosario", tables=False
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Carlos Alcaraz", "Alcaraz"),
        ("Camilo Ugo Carabelli", "Cam Ugo Carabelli"),
        ("Jan-Lennard Struff", "J Lennard Struff"),
        ("Zheng Qinwen", "Q Zheng"),
        ("Novak Djokovic", "Djokovic N."),
        ("Raul Rosas Jr.", "Raul Rosas"),
        ("Song Yadong", "Yadong Song"),
        ("Marcus McGhee", "Marcus McGhe"),
        ("Daniel Evans", "Dan Evans"),
        ("Rajeev Ram / Joe Salisbury", "Salisbury/Ram"),
    ],
)
def test_persons_go_by_surname_initial_and_either_order(one: str, other: str) -> None:
    assert sureness(one, other, "tennis") >= SURE


def test_a_homonym_is_told_by_its_country() -> None:
    reader = SideReader("soccer", knowledge(), {})
    country = country_of("soccer_chile_campeonato")
    left = reader.side("Everton", women=False, age="", country=country)
    right = reader.side("Everton De Vina", women=False, age="")
    assert reader.score(left, right).value >= SURE
    english = reader.side("Everton", women=False, age="", country=country_of("soccer_epl"))
    assert reader.score(english, right).value == 0


@pytest.mark.parametrize("sport", SPORTS)
def test_no_two_teams_of_one_heading_share_a_printed_name(sport: str) -> None:
    bearers: dict[tuple[str, tuple[str, ...]], str] = {}
    for heading, names in teams_of(sport):
        for name in names:
            key = heading, name_words(strip_marks(name, sport).base, sport)
            assert bearers.setdefault(key, names[0]) == names[0], key
