from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from kos.domain.people.conversation import Style
from kos.views.simulated import SIMULATED
from tests.desk.offices import Building, data_of, labels, text_of


@pytest.mark.parametrize("typed", ["/qualifier_coral", "/qualifier coral", "/qualifier Coral"])
def test_a_bookmakers_qualifiers_by_any_spelling(building: Building, typed: str) -> None:
    told = building.hear(typed).answers[0]
    shown = text_of(told)
    assert "at Coral" in shown
    assert "Paddy" not in shown
    assert SIMULATED in shown
    assert labels(told)[:4] == ["1", "2", "3", "4"]


def test_each_row_says_what_an_operator_needs(building: Building) -> None:
    shown = building.text("/qualifier_coral stake=20 tennis")
    for part in (
        "Leeds 1 v York 1 · Sat 14 Mar, 13:10 (in 1h 10 min)",
        " 2.60 at Coral, lay 2.70 at Smarkets (£200.00 available)",
        "Loss £",
        "rating ",
        "Free bet valued at 75%.",
        "Lay £",
        "liability £",
        "back price 0s old, lay price 0s old",
    ):
        assert part in shown


def test_the_ages_of_both_prices_are_those_of_the_answer(building: Building) -> None:
    building.clock.pass_by(seconds=30)
    assert "back price 30s old, lay price 30s old" in building.text("/qualifier_coral")


def test_stale_prices_are_not_offered_and_the_answer_says_so(building: Building) -> None:
    building.clock.pass_by(minutes=50)
    shown = building.text("/qualifier_coral")
    assert "No opportunities match. Excluded: 12 stale bookmaker price." in shown
    assert "stale" in shown


def test_laid_looks_at_all_bookmakers(building: Building) -> None:
    shown = building.text("/snr_laid page=1")
    assert "Coral" in shown or "Paddy Power" in shown
    assert building.scorer.asked[-1].query.bookmaker is None


def test_without_a_bookmaker_there_are_buttons_for_each(building: Building) -> None:
    told = building.hear("/snr").answers[0]
    assert labels(told) == ["All bookmakers", "Coral", "Paddy Power"]
    assert "at Paddy Power" in text_of(building.press(data_of(told, "Paddy")).answers[0])


def test_pages_are_turned_in_place(building: Building) -> None:
    first = building.hear("/qualifier_coral stake=25").answers[0]
    assert not first.is_edit
    second = building.press(data_of(first, "Next")).answers[0]
    assert second.is_edit
    assert "£25.00" in text_of(second)
    assert "Page 2 of 3" in labels(second)
    back = building.press(data_of(second, "Previous")).answers[0]
    assert text_of(back) == text_of(first)


def test_filters_as_bare_words_are_those_by_name(building: Building) -> None:
    building.hear("/qualifier coral tennis 2h £25 2-6 smarkets")
    bare = building.scorer.asked[-1].query
    building.hear("/qualifier coral sport=tennis within=2h stake=25 odds=2-6 exchange=smarkets")
    assert building.scorer.asked[-1].query == bare
    assert bare.max_minutes_to_kickoff == timedelta(hours=2).total_seconds() / 60


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/qualifier corall", "did you mean Coral?"),
        ("/qualifier coral stake=nan", "Stake cannot be 'nan'."),
        ("/qualifier coral colour=red", "colour"),
        ("/qualifier coral odds=6-2", "Minimum back odds cannot be '6'."),
        ("/qualifier coral page=0", "Page cannot be '0'."),
        ("/snr coral free=10", "Enter it only for qualifying bets, arbs and dutching"),
        ("/qualifier coral exchange=bank", "exchange"),
        ("/take q.10.0000000000000000", "No longer available"),
        ("/show rubbish", "not in a recent list"),
    ],
)
def test_a_wrong_word_is_answered_by_what_is_wrong(
    building: Building, typed: str, said: str
) -> None:
    told = building.hear(typed)
    assert told.is_refused
    assert said in text_of(told.answers[0])


def test_an_empty_list_says_which_names_have_no_prices(building: Building) -> None:
    told = building.hear("/snr unibet")
    assert not told.is_refused
    assert "No prices from Unibet. Bookmakers with prices: Coral, Paddy Power." in text_of(
        told.answers[0]
    )
    assert "No prices for Golf. Sports with prices: " in building.text("/dutch golf")


def test_a_question_too_long_for_a_button_is_kept(building: Building) -> None:
    typed = "/qualifier_paddypower sport=basketball_nba within=3d odds=2-6 liquidity=10 stake=25"
    data = data_of(building.hear(typed, "telegram:1").answers[0], "Next")
    building.start()
    turned = building.press(data, "telegram:1").answers[0]
    assert "£25.00" in text_of(turned)
    assert "Page 2 of 2" in labels(turned)
    assert building.press(data, "telegram:2").is_refused


def test_the_detail_names_every_factor(building: Building) -> None:
    told = building.hear("/snr_coral stake=25").answers[0]
    shown = text_of(building.press(data_of(told, "1")).answers[0])
    for factor in (
        "Score",
        "Free bet value",
        "Qualifying loss",
        "Minutes",
        "Retention",
        "Fill",
        "floor",
    ):
        assert factor in shown
    assert "1. Back " in shown
    assert "£25.00 at" in shown
    assert "Any other result" in shown


def test_a_pair_that_went_says_why(building: Building) -> None:
    told = building.hear("/qualifier_coral").answers[0]
    building.clock.pass_by(hours=3)
    shown = building.press(data_of(told, "1")).answers[0]
    assert "No longer available" in text_of(shown)
    assert labels(shown) == ["Refresh"]


def test_a_refund_says_what_comes_back(building: Building) -> None:
    shown = building.text("/refund_coral stake=20 back=10 cash=yes")
    assert "with £10.00 back in cash" in shown
    assert "Refund £10.00 in cash." in shown
    query = building.scorer.asked[-1].query
    told = building.hear("/refund_coral stake=20 back=10 cash=yes").answers[0]
    assert "including the £10.00 in cash refund" in text_of(
        building.press(data_of(told, "1")).answers[0]
    )
    assert (query.refund_value, query.is_refund_cash) == (Decimal(10), True)


def test_arbs_are_only_those(building: Building) -> None:
    building.hear("/arbs coral tennis stake=20")
    query = building.scorer.asked[-1].query
    assert query.only_arbs
    assert (query.bookmaker, query.sport) == ("coral", "tennis")


def test_a_dutch_shows_every_leg_and_what_each_outcome_leaves(building: Building) -> None:
    told = building.hear("/dutch").answers[0]
    shown = text_of(told)
    for part in (
        "Back ",
        "After the event: Leeds",
        "Worst outcome",
        "book ",
        "price 0s old",
        "tied up",
    ):
        assert part in shown
    second = text_of(building.press(data_of(told, "Next")).answers[0])
    assert "4. " in second
    free = building.text("/dutch_coral kind=snr stake=25")
    assert "£25.00" in free
    assert "retention" in free
    assert building.hear("/dutch kind=king").is_refused
    assert building.hear("/dutch liability=5").is_refused
    assert not building.hear("/dutch arbs=only exchanges=no within=1d").is_refused


def test_names_from_outside_stay_text(building: Building) -> None:
    told = building.hear("/qualifier_coral").answers[0]
    assert all(span.style in set(Style) for span in told.spans)
    assert not any(span.url for span in told.spans)


def test_a_silent_scorer_is_a_sentence(building: Building) -> None:
    del building.peers["scorer"]
    told = building.hear("/qualifier_coral")
    assert told.is_refused
    assert text_of(told.answers[0]).startswith("The scorer ")


@pytest.mark.parametrize("typed", ["/arbs", "/arbs coral", "/dutch", "/dutch coral", "/snr_laid"])
def test_every_list_can_be_turned(building: Building, typed: str) -> None:
    question = building.hear(f"{typed} stake=20").answers[0]
    for each in (one for row in question.buttons for one in row):
        assert not building.press(each.data).is_refused, each.data
