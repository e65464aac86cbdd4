"""The form of the Opportunities page: what it shows of a question, and of one that is refused."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from kos.domain.opportunities.filters import FILTERS
from kos.web.server import WebServer
from tests.web.markets import Market
from tests.web.served import Cast, call, serving


@pytest.fixture(scope="module")
def page() -> Iterator[WebServer]:
    with serving(Cast(scorer=Market())) as server:
        yield server


def fields_of(text: str) -> dict[str, str]:
    """The value of each text field and list that is shown, and each box that is ticked."""
    fields = dict(re.findall(r'<input name="(\w+)"[^>]*? value="([^"]*)"', text))
    fields |= dict(re.findall(r'<select name="(\w+)"[^>]*? data-now="([^"]*)"', text))
    fields |= dict(re.findall(r'<input type="\w+" name="(\w+)" value="(\w+)"[^>]*? checked>', text))
    for name, options in re.findall(r'<select name="(\w+)" data-default=(.*?)</select>', text):
        (fields[name],) = re.findall(r'value="([^"]*)" selected', options)
    return {name: html.unescape(value) for name, value in fields.items()}


def test_nothing_said_shows_the_defaults(page: WebServer) -> None:
    fields = fields_of(call(page, "/opportunities").text)
    filled = {name: value for name, value in fields.items() if value}
    assert filled == {"kind": "qualifying", "stake": "10.00", "rank": "seed", "limit": "200"}
    arbs = fields_of(call(page, "/opportunities?kind=arbs").text)
    assert (arbs["kind"], arbs["rank"]) == ("arbs", "rating")


def test_a_question_under_any_names_fills_the_form(page: WebServer) -> None:
    words = "kind=refund&back=5&cash=yes&sport=football&within=90m&min=5/1&arbs=no&rank=Rating"
    answer = call(page, f"/opportunities?{words}")
    assert answer.status == 200
    assert (
        fields_of(answer.text).items()
        >= {
            "kind": "refund",
            "refund": "5",
            "refund_in_cash": "1",
            "sport": "soccer",
            "within_hours": "90m",
            "min_odds": "5/1",
            "hide_arbs": "1",
            "rank": "rating",
        }.items()
    )


@pytest.mark.parametrize(
    ("words", "field", "typed", "refusal"),
    [
        ("stake=200000", "stake", "200000", "Stake cannot be '200000'. Enter an amount from £0.01"),
        ("bookmaker=corall", "bookmaker", "corall", "(did you mean Coral?)"),
        ("sport=socer", "sport", "socer", "(did you mean Soccer?)"),
        ("exchange=bank", "exchange", "bank", "Exchange cannot be 'bank'."),
        ("min_odds=1&stake=25", "stake", "25", "Minimum back odds cannot be '1'."),
        ("within=soon", "within_hours", "soon", "Starts within cannot be 'soon'."),
        ("rank=best", "rank", "best", "Sort order cannot be 'best'."),
        ("limit=0", "limit", "0", "Number of results cannot be '0'."),
        ("colour=red&stake=25", "stake", "25", "Filter cannot be 'colour'."),
    ],
)
def test_a_refusal_stands_on_the_page_and_the_form_keeps_what_was_typed(
    page: WebServer, words: str, field: str, typed: str, refusal: str
) -> None:
    answer = call(page, f"/opportunities?{words}")
    assert answer.status == 400
    (shown,) = re.findall(r'<p id="trouble"[^>]*>([^<]*)</p>', answer.text)
    assert refusal in html.unescape(shown)
    assert '<p id="trouble" class="trouble" role="status">' in answer.text
    assert fields_of(answer.text)[field] == typed


def test_the_stream_refuses_in_the_same_words(page: WebServer) -> None:
    answer = call(page, "/opportunities/stream?sport=socer", headers={"Accept": "*/*"})
    assert answer.status == 400
    assert answer.text == (
        "Sport cannot be 'socer'. Enter a sport that KOS knows (did you mean Soccer?).\n"
    )


def test_names_are_read_while_the_scorer_is_away() -> None:
    with serving(Cast()) as server:
        answer = call(server, "/opportunities?bookmaker=william+hill&sport=epl")
    assert answer.status == 200
    fields = fields_of(answer.text)
    assert (fields["bookmaker"], fields["sport"]) == ("williamhill", "soccer_epl")


def test_every_filter_that_is_for_the_page_has_a_field(page: WebServer) -> None:
    text = call(page, "/opportunities").text
    shown = set(re.findall(r'name="(\w+)"', text))
    shorthand = {"odds": "min_odds", "arbs": "hide_arbs"}
    for declared in FILTERS:
        if declared.name not in {"leg", "exchanges"}:
            assert shorthand.get(declared.name, declared.name) in shown


def test_a_field_is_shown_in_the_modes_that_it_is_for(page: WebServer) -> None:
    text = call(page, "/opportunities").text
    modes = {
        name: shown
        for shown, name in re.findall(r'data-for="([^"]*)"[^\n]*?<input[^>]*? name="(\w+)"', text)
    }
    assert modes == {
        "refund": "refund",
        "refund_in_cash": "refund",
        "free_bet": "qualifying arbs",
        "hide_arbs": "qualifying snr sr refund",
    }
