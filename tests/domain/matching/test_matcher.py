from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kos.domain.market.quotes import Verdict
from kos.domain.matching import (
    AliasPair,
    AliasTable,
    BookmakerFixture,
    ExchangeFixture,
    FixtureMatch,
    Matcher,
    OutcomesRefused,
)

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)


def left(
    home: str, away: str, key: str = "soccer_epl", *, at: int = 0, name: str = "L"
) -> BookmakerFixture:
    return BookmakerFixture(name, key, NOON + timedelta(minutes=at), home, away)


def right(
    name: str,
    event_type: str = "Soccer",
    competition: str = "English Premier League",
    *,
    at: int = 0,
    runners: tuple[str, ...] = (),
    event: str = "R",
) -> ExchangeFixture:
    return ExchangeFixture(
        event, event_type, competition, name, NOON + timedelta(minutes=at), runners
    )


def only(one: BookmakerFixture, *others: ExchangeFixture) -> FixtureMatch:
    (found,) = Matcher().match([one], others)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (left("Manchester United", "Nottingham Forest"), right("Man Utd v Nottm Forest")),
        (left("Brøndby IF", "Odense Boldklub", "soccer_denmark_superliga"), right("Brondby v OB")),
        (left("Vaasan PS", "FF Jaro", "soccer_finland_veikkausliiga"), right("VPS v Jaro")),
        (
            left("Boston Celtics", "Los Angeles Lakers", "basketball_nba"),
            right("LA Lakers @ Boston", "Basketball", "NBA"),
        ),
        (
            left("Alexander Zverev", "Cameron Norrie", "tennis_atp_paris_masters", at=200),
            right("A Zverev v Norrie", "Tennis", "ATP Paris"),
        ),
        (
            left("Song Yadong", "Mauricio Ruffy", "mma_mixed_martial_arts"),
            right("Yadong Song v Maricio Ruffy", "Mixed Martial Arts", "UFC"),
        ),
    ],
)
def test_short_forms_of_the_exchange_are_known(
    one: BookmakerFixture, other: ExchangeFixture
) -> None:
    found = only(one, other)
    assert found.verdict is Verdict.MATCH
    assert not found.is_swapped


@pytest.mark.parametrize(
    "name",
    [
        "Chelsea (W) v Arsenal (W)",
        "Chelsea Women v Arsenal",
        "Chelsea U21 v Arsenal U21",
        "Chelsea B v Arsenal B",
        "Chelsea (Res) v Arsenal (Res)",
        "Chelsea v Aston Villa",
        "xxDNDxx Chelsea v Arsenal",
        "Chelsea",
    ],
)
def test_another_kind_of_side_or_another_opponent_is_refused(name: str) -> None:
    assert only(left("Chelsea", "Arsenal"), right(name)).verdict is Verdict.NONE


def test_swapped_sides_are_told() -> None:
    found = only(left("Chelsea", "Arsenal"), right("Arsenal v Chelsea"))
    assert (found.verdict, found.is_swapped) == (Verdict.MATCH, True)


def test_away_at_home_is_not_swapped() -> None:
    one = left("Boston Bruins", "New York Rangers", "icehockey_nhl")
    found = only(one, right("NY Rangers @ Boston Bruins", "Ice Hockey", "NHL"))
    assert (found.verdict, found.is_swapped) == (Verdict.MATCH, False)


def test_a_kickoff_beyond_the_window_unmatches() -> None:
    one, far = left("Chelsea", "Arsenal"), right("Chelsea v Arsenal", at=400)
    assert only(one, far).verdict is Verdict.NONE


def test_the_womens_match_of_the_day_goes_to_the_womens_event_though_its_mark_is_cut() -> None:
    one = left("North Queensland Cowboys Women", "New Zealand Warriors Women", "rugbyleague_nrlw")
    men = right("North Queensland Cowboys v New Zealand Warriors", "Rugby League", "NRL", event="M")
    cut = right("North Queensland Cowboy v New Zealand Warriors Wo", "Rugby League", "NRLW")
    found = only(one, men, cut)
    assert (found.verdict, found.right_id) == (Verdict.MATCH, "R")


def test_each_game_of_a_doubleheader_gets_its_own_event() -> None:
    games = [
        left("Boston Red Sox", "Tampa Bay Rays", "baseball_mlb", at=m, name=f"L{m}")
        for m in (0, 240)
    ]
    events = [
        right("Tampa Bay Rays @ Boston Red Sox", "Baseball", "MLB", at=m + 10, event=f"R{m}")
        for m in (0, 240)
    ]
    found = Matcher().match(games, events)
    assert [(m.verdict, m.right_id) for m in found] == [
        (Verdict.MATCH, "R0"),
        (Verdict.MATCH, "R240"),
    ]
    (alone,) = Matcher().match(games[:1], events[1:])
    assert alone.verdict is Verdict.NONE


def test_the_second_leg_is_not_the_first() -> None:
    legs = [
        right("Celtic v Bayern Munich", at=7 * 1440),
        right("Bayern Munich v Celtic", event="R1"),
    ]
    found = only(left("Bayern Munich", "Celtic", "soccer_uefa_champs_league"), *legs)
    assert (found.right_id, found.is_swapped) == ("R1", False)


def test_two_events_alike_are_a_doubt_with_the_runner_up_told() -> None:
    found = only(
        left("Chelsea", "Arsenal"),
        right("Chelsea v Arsenal"),
        right("Chelsea v Arsenal", event="R2"),
    )
    assert found.verdict is Verdict.DOUBT
    assert "R2" in found.evidence.rival
    assert found.evidence.margin == 0
    assert found.evidence.sentences()[-1].endswith("Chelsea v Arsenal (R2), margin +0.00")


def test_a_name_met_with_three_opponents_is_learnt_and_one_contradiction_unlearns_it() -> None:
    opponents = ("Celtic", "Hibernian", "Motherwell")
    games = [
        left("Thistledown Town", opponent, "soccer_spl", at=i * 4000, name=f"L{i}")
        for i, opponent in enumerate(opponents)
    ]
    events = [
        right(f"Quags v {opponent}", competition="Scottish Premiership", at=i * 4000, event=f"R{i}")
        for i, opponent in enumerate(opponents)
    ]
    found = Matcher().match(games, events)
    assert {m.verdict for m in found} == {Verdict.MATCH}
    assert any("learnt" in sentence for sentence in found[0].evidence.sentences())
    unlearnt = Matcher(learning=False).match(games, events)
    assert {m.verdict for m in unlearnt} == {Verdict.NONE}
    third = right(
        "Thistledown v Motherwell", competition="Scottish Premiership", at=8000, event="R2"
    )
    withdrawn = Matcher().match(games, [*events[:2], third])
    assert [m.verdict for m in withdrawn] == [Verdict.NONE, Verdict.NONE, Verdict.MATCH]


def met(*opponents: str) -> tuple[list[BookmakerFixture], list[ExchangeFixture]]:
    """Games of a side under two names, one every few days."""
    games = [
        left("Thistledown Town", opponent, "soccer_spl", at=number * 4000, name=f"L{number}")
        for number, opponent in enumerate(opponents)
    ]
    events = [
        right(
            f"Quags v {opponent}",
            competition="Scottish Premiership",
            at=number * 4000,
            event=f"R{number}",
        )
        for number, opponent in enumerate(opponents)
    ]
    return games, events


def test_a_name_stays_learnt_while_three_opponents_are_listed() -> None:
    games, events = met("Celtic", "Celtic", "Hibernian", "Motherwell", "Dundee")
    matcher = Matcher()
    for first, verdict in (
        (0, Verdict.MATCH),
        (1, Verdict.MATCH),
        (2, Verdict.MATCH),
        (3, Verdict.NONE),
    ):
        found = matcher.match(games[first:], events)
        assert {match.verdict for match in found} == {verdict}


def test_a_learnt_name_finds_its_runner() -> None:
    games, events = met("Celtic", "Hibernian", "Motherwell")
    question = (
        games[0],
        events[0],
        ["Celtic", "Quags", "The Draw"],
        ["Thistledown Town", "Celtic", "Draw"],
    )
    matcher = Matcher()
    matcher.match(games, events)
    assert matcher.outcomes(*question) == {"Thistledown Town": 1, "Celtic": 0, "Draw": 2}
    without = Matcher(learning=False)
    without.match(games, events)
    assert isinstance(without.outcomes(*question), OutcomesRefused)


@pytest.mark.parametrize(
    ("competition", "verdict"),
    [("Scottish Championship", Verdict.NONE), ("Welsh League", Verdict.MATCH)],
)
def test_a_name_is_not_learnt_for_a_side_that_plays_elsewhere_under_its_own(
    competition: str, verdict: Verdict
) -> None:
    games, events = met("Celtic", "Hibernian", "Motherwell")
    events += [
        right(
            f"Thistledown Town v Keltis{number}",
            competition=competition,
            at=number * 4000,
            event=f"T{number}",
        )
        for number in range(3)
    ]
    assert {match.verdict for match in Matcher().match(games, events)} == {verdict}


def test_the_operators_word_counts_before_all() -> None:
    one, other = left("Quags", "Celtic", "soccer_spl"), right("Thistledown v Celtic")
    said = AliasTable(confirmed=(AliasPair("soccer", "Quags", "Thistledown"),))
    assert Matcher(aliases=said).match([one], [other])[0].verdict is Verdict.MATCH
    same = left("Hibernian", "Celtic", "soccer_spl")
    banned = AliasTable(banned=(AliasPair("soccer", "Hibernian", "Hibernian"),))
    (found,) = Matcher(aliases=banned).match([same], [right("Hibernian v Celtic")])
    assert found.verdict is Verdict.NONE
    women = right("Thistledown (W) v Celtic (W)")
    assert Matcher(aliases=said).match([one], [women])[0].verdict is Verdict.NONE


def test_evidence_names_both_sides_the_rule_and_the_kickoffs() -> None:
    found = only(left("Wolverhampton Wanderers", "Leeds United"), right("Wolves v Leeds", at=5))
    told = "\n".join(found.evidence.sentences())
    for part in ("Wolves", "Leeds United", "known names", "+5 minutes", "both sides"):
        assert part in told


def test_an_update_of_one_key_is_seen_and_its_end_too() -> None:
    matcher = Matcher()
    matcher.update_right("Soccer", [right("Chelsea v Arsenal")])
    matcher.update_left("soccer_epl", [left("Chelsea", "Arsenal")])
    assert matcher.decide("soccer_epl")[0].verdict is Verdict.MATCH
    matcher.update_right("Soccer", [])
    assert matcher.decide("soccer_epl")[0].verdict is Verdict.NONE
    matcher.update_left("soccer_epl", [])
    assert matcher.decide("soccer_epl") == []
    assert matcher.decide("soccer_never_heard_of") == []


def test_a_player_printed_in_three_forms_is_no_rival_of_herself() -> None:
    """Doubts were raised where the exchange had her by surname, by initial and in full."""
    key = "tennis_wta_madrid_open"
    games = [left("Iga Putintseva", f"{name} Kenin", key, at=1440 * i, name=f"L{i}") for i, name in enumerate(("Ana", "Bea", "Cleo"))]  # fmt: skip
    forms = ("Putintseva v A Kenin", "I Putintseva v B Kenin", "Iga Putintseva v C Kenin")
    events = [
        right(form, "Tennis", "WTA Matches", at=1440 * i, event=f"R{i}")
        for i, form in enumerate(forms)
    ]
    found = Matcher().match(games, events)
    assert [m.right_id for m in found if m.verdict is Verdict.MATCH] == ["R0", "R1", "R2"]


def test_a_bare_surname_that_two_of_the_list_bear_is_a_doubt() -> None:
    games = [
        left("Mikael Ymer", "Marin Cilic", "tennis_atp_dubai", name="L0"),
        left("Elias Ymer", "Casper Ruud", "tennis_atp_dubai", name="L1"),
    ]
    (first, _) = Matcher().match(games, [right("Ymer v Cilic", "Tennis", "ATP Dubai")])
    assert first.verdict is Verdict.DOUBT


def test_a_far_kickoff_needs_plain_names() -> None:
    one = left("Apollon Pontou", "Trikala", "soccer_greece_super_league")
    far = right("Apollon v Trikala", competition="Greek Cup", at=-165)
    assert Matcher(tables=None).match([one], [far])[0].verdict is Verdict.DOUBT
    plain = right("Apollon Pontou v Trikala", competition="Greek Cup", at=-165)
    assert Matcher(tables=None).match([one], [plain])[0].verdict is Verdict.MATCH


def test_a_possible_side_is_a_doubt_while_few_names_are_listed() -> None:
    one = left("Hull FC", "Wigan Warriors", "rugbyleague_super_league")
    other = right("Hull KR v Wigan Warriors", "Rugby League", "Super League")
    (found,) = Matcher(tables=None).match([one], [other])
    assert found.verdict is Verdict.DOUBT
    assert only(one, other).verdict is Verdict.NONE


def test_evidence_says_only_what_there_is() -> None:
    nothing = only(left("Chelsea", "Arsenal"))
    assert nothing.evidence.sentences() == (nothing.evidence.reason,)
    bare = only(left("Chelsea", "Arsenal"), right("Chelsea v Arsenal", competition=""))
    said = "\n".join(bare.evidence.sentences())
    assert "Chelsea v Arsenal" in said
    assert "runner-up" not in said
    assert " in " not in bare.evidence.sentences()[1]


def test_a_sport_key_listed_no_longer_is_forgotten_by_the_next_whole_match() -> None:
    matcher = Matcher()
    event = right("Chelsea v Arsenal")
    other = left("Chelsea", "Arsenal", "soccer_fa_cup", name="L2")
    (both, _) = matcher.match([left("Chelsea", "Arsenal"), other], [event])
    assert both.verdict is Verdict.DOUBT
    (alone,) = matcher.match([left("Chelsea", "Arsenal")], [event])
    assert alone.verdict is Verdict.MATCH


def test_outcomes_of_an_event_without_two_sides_are_refused() -> None:
    found = Matcher().outcomes(
        left("Chelsea", "Arsenal"), right("Chelsea"), ["Chelsea", "Arsenal"], ["Chelsea", "Arsenal"]
    )
    assert isinstance(found, OutcomesRefused)


def test_more_than_one_draw_is_refused() -> None:
    runners = ["Chelsea", "Arsenal", "The Draw"]
    pair = left("Chelsea", "Arsenal"), right("Chelsea v Arsenal")
    assert isinstance(
        Matcher().outcomes(*pair, runners, ["Chelsea", "Draw", "Tie"]), OutcomesRefused
    )
    assert isinstance(
        Matcher().outcomes(*pair, [*runners, "Draw"], ["Chelsea", "Arsenal", "Draw"]),
        OutcomesRefused,
    )


def test_an_event_that_fits_another_fixture_better_is_that_ones_partner() -> None:
    late = left("Chelsea", "Arsenal", "soccer_fa_cup", at=90, name="L2")
    found = Matcher().match([left("Chelsea", "Arsenal"), late], [right("Chelsea v Arsenal")])
    assert [match.verdict for match in found] == [Verdict.MATCH, Verdict.NONE]
    assert "better" in found[1].evidence.reason


def test_a_memory_of_too_many_names_is_begun_anew_without_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kos.domain.matching.block._MOST_SIDES", 3)
    matcher = Matcher()
    ones = [left("Chelsea", "Arsenal"), left("Leeds United", "Fulham", at=60, name="L2")]
    events = [right("Chelsea v Arsenal"), right("Leeds v Fulham", at=60, event="R2")]
    assert [m.right_id for m in matcher.match(ones, events)] == ["R", "R2"]
    assert [m.right_id for m in matcher.match(ones, events[::-1])] == ["R", "R2"]
    assert [m.right_id for m in matcher.match(ones, events[:1])] == ["R", None]
