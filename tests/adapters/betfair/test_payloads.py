from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.betfair.errors import fault_in
from kos.adapters.betfair.payloads import (
    read_books,
    read_catalogue,
    read_descriptions,
)
from kos.adapters.json_fields import NotJson, Untrusted, parse
from kos.domain.market.quotes import Drop, ExchangeMarket, MarketBook
from tests.adapters.betfair.server import book_entry, catalogue_entry
from tests.profiles import examples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
KICKOFF = "2026-11-28T15:00:00.000Z"


def wire(value: object) -> Any:
    """As it comes: through JSON, fractions as Decimal."""
    return parse(json.dumps(value).encode())


def catalogue(*entries: dict[str, Any]) -> tuple[tuple[ExchangeMarket, ...], tuple[Drop, ...]]:
    return read_catalogue(wire(entries), "MATCH_ODDS", "1")


def books(*entries: object) -> tuple[tuple[MarketBook, ...], tuple[Drop, ...]]:
    return read_books(wire(entries), ["1.1", "1.2"], NOW)


@pytest.mark.parametrize(
    "time",
    ["2026-11-28T15:00:00.000Z", "2026-11-28T15:00:00Z", "2026-11-29T02:00:00+11:00"],
)
def test_times_are_read_with_and_without_milliseconds_and_in_any_zone(time: str) -> None:
    (market,), drops = catalogue(catalogue_entry(1, time))
    assert market.kickoff == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert drops == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"event": {"id": "1", "name": "xxDNDxx v Other"}}, "hidden group"),
        ({"competition": {"name": "xxDNDxx"}}, "hidden group"),
        ({"event": {"id": "1", "name": "English Premier League"}}, "event not two-sided"),
        ({"event": {"id": "1", "name": "Vitesse"}}, "event not two-sided"),
        ({"event": {"id": "1", "name": " v "}}, "event not two-sided"),
        ({"runners": []}, "market not two-sided"),
        (
            {"runners": [{"selectionId": n, "runnerName": f"R{n}"} for n in range(20)]},
            "market not two-sided",
        ),
        ({"marketStartTime": "tomorrow"}, "marketStartTime not a time"),
        ({"marketStartTime": "2026-11-28T15:00:00"}, "marketStartTime without zone"),
        ({"marketStartTime": "0001-01-01T00:00:00+14:00"}, "marketStartTime out of range"),
        ({"marketId": 1.1}, "market id not a text"),
        ({"marketId": "1.1; drop"}, "market id not in the service's form"),
        ({"eventType": {"id": "2"}}, "event type that was not asked for"),
        ({"event": None}, "event missing"),
        (
            {"runners": [{"selectionId": 10, "runnerName": "A"}, {"selectionId": 20}]},
            "runners not all readable",
        ),
        (
            {"runners": [{"selectionId": 10, "runnerName": name} for name in "AB"]},
            "runners not all readable",
        ),
    ],
)
def test_what_is_no_match_of_two_known_sides_is_dropped_by_name(
    changed: dict[str, Any], reason: str
) -> None:
    markets, drops = catalogue(catalogue_entry(1, KICKOFF), catalogue_entry(2, KICKOFF, **changed))
    assert [market.market_id for market in markets] == ["1.1"]
    assert drops[-1] == Drop("[1]", reason)


def test_away_at_home_is_two_sided_too() -> None:
    event = {"id": "1", "name": "Orlando Magic @ Brooklyn Nets"}
    (market,), _ = catalogue(catalogue_entry(1, KICKOFF, event=event))
    assert market.event_name == "Orlando Magic @ Brooklyn Nets"


@pytest.mark.parametrize(
    ("level", "reason"),
    [
        ({"price": 1, "size": 5}, "price not above 1 and up to 1000"),
        ({"price": 1001, "size": 5}, "price not above 1 and up to 1000"),
        ({"price": 2.123, "size": 5}, "price off every ladder"),
        ({"price": "2.1", "size": 5}, "price not a number"),
        ({"price": True, "size": 5}, "price not a number"),
        ({"price": None, "size": 5}, "price missing"),
        ({"price": 2.1, "size": -1}, "size out of range"),
        ({"price": 2.1, "size": float("nan")}, "size not a finite number"),
        ({"price": float("inf"), "size": 5}, "price not a finite number"),
        ({"price": 10**400, "size": 5}, "price not above 1 and up to 1000"),
        ([2.1, 5], "level not an object"),
    ],
)
def test_one_bad_level_costs_that_level_alone(level: Any, reason: str) -> None:
    entry = book_entry(1)
    entry["runners"][0]["ex"]["availableToLay"].insert(0, level)
    (book,), drops = books(entry)
    assert [drop.reason for drop in drops] == [reason]
    assert drops[0].path == "[0].runners[0].ex.availableToLay[0]"
    assert [str(level.price) for level in book.runners[0].to_lay] == ["2.12", "2.14"]


def test_prices_keep_the_digits_that_were_sent() -> None:
    raw = (
        b'[{"marketId":"1.1","status":"OPEN","inplay":false,"version":1,"runners":[{"selectionId":'
    )
    raw += b'1,"status":"ACTIVE","ex":{"availableToLay":[{"price":3.0,"size":0.1},'
    raw += b'{"price":3.05,"size":12345678.91}]}}]}]'
    (book,), _ = read_books(parse(raw), ["1.1"], NOW)
    assert [str(each.price) for each in book.runners[0].to_lay] == ["3.0", "3.05"]
    assert book.runners[0].to_lay[1].size == Decimal("12345678.91")


def test_a_price_of_a_long_fraction_that_is_a_whole_hundredth_counts() -> None:
    raw = b'[{"marketId":"1.1","status":"OPEN","inplay":false,"runners":[{"selectionId":1,"status":'
    raw += b'"ACTIVE","ex":{"availableToLay":[{"price":3.0500000,"size":1e1}]}}]}]'
    (book,), drops = read_books(parse(raw), ["1.1"], NOW)
    assert drops == ()
    assert book.runners[0].to_lay[0].price == Decimal("3.05")
    assert book.runners[0].to_lay[0].size == 10


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": "PARTY"}, "status unknown"),
        ({"inplay": None}, "inplay missing"),
        ({"inplay": "no"}, "inplay not true or false"),
        ({"version": -1}, "version not a whole number"),
        ({"isMarketDataDelayed": 0}, "isMarketDataDelayed not true or false"),
        ({"runners": 5}, "runners not a list"),
    ],
)
def test_a_book_whose_state_is_unsure_is_no_book(changed: dict[str, Any], reason: str) -> None:
    read, drops = books(book_entry(1, **changed), book_entry(2))
    assert [book.market_id for book in read] == ["1.2"]
    assert [drop.reason for drop in drops] == [reason]


def test_offers_out_of_order_are_put_in_order() -> None:
    entry = book_entry(1)
    entry["runners"][0]["ex"]["availableToLay"].reverse()
    entry["runners"][0]["ex"]["availableToBack"].reverse()
    (book,), _ = books(entry)
    assert book.runners[0].to_lay[0].price == Decimal("2.12")
    assert book.runners[0].to_back[0].price == Decimal("2.1")


def test_a_side_that_names_one_price_twice_is_dropped_whole() -> None:
    entry = book_entry(1)
    entry["runners"][0]["ex"]["availableToLay"].append({"price": 2.12, "size": 1000})
    (book,), drops = books(entry)
    assert book.runners[0].to_lay == ()
    assert book.runners[0].to_back
    assert [drop.reason for drop in drops] == ["price twice on one side"]


def test_markets_that_come_twice_or_unasked_are_left_out() -> None:
    read, drops = books(book_entry(1), book_entry(1, version=9), book_entry(7), book_entry(2))
    assert [book.market_id for book in read] == ["1.2"]
    assert [drop.reason for drop in drops] == [
        "market twice in one answer",
        "market that was not asked for",
    ]


def test_a_runner_is_its_selection_and_its_handicap() -> None:
    runners = [
        {"selectionId": 10, "handicap": hc, "status": "ACTIVE"} for hc in (-0.5, 0.5, 0.5, 1)
    ]
    (book,), drops = books(book_entry(1, runners=runners))
    assert [str(runner.handicap) for runner in book.runners] == ["-0.5", "1"]
    assert [drop.reason for drop in drops] == ["runner twice in one market"]


def test_bare_nan_in_a_field_that_is_not_read_does_no_harm() -> None:
    entry = book_entry(1, totalMatched=float("nan"))
    entry["runners"][0]["sp"] = {"nearPrice": float("inf"), "farPrice": "NaN"}
    read, drops = books(entry)
    assert len(read) == 1
    assert drops == ()


def test_descriptions_give_the_rate_as_a_fraction() -> None:
    entries = [catalogue_entry(1, KICKOFF), catalogue_entry(2, KICKOFF), {"marketId": "1.3"}]
    entries[1]["description"] = {"marketBaseRate": 5.0, "discountAllowed": True}
    entries.append(catalogue_entry(4, KICKOFF, description={"marketBaseRate": 101}))
    found, drops = read_descriptions(wire(entries))
    assert [(str(each.base_rate), each.ladder, each.discount_allowed) for each in found] == [
        ("0.025", "CLASSIC", False),
        ("0.05", "CLASSIC", True),
    ]
    assert [drop.reason for drop in drops] == [
        "description missing",
        "marketBaseRate not from 0 to 100",
    ]


# --- rubbish --------------------------------------------------------------------------------------

GOOD = {
    "catalogue": [catalogue_entry(1, KICKOFF), catalogue_entry(2, KICKOFF)],
    "books": [book_entry(1), book_entry(2)],
}

READERS: dict[str, Callable[[Any], tuple[tuple[Any, ...], tuple[Drop, ...]]]] = {
    "catalogue": lambda v: read_catalogue(v, "MATCH_ODDS", "1"),
    "descriptions": read_descriptions,
    "books": lambda v: read_books(v, ["1.1", "1.2"], NOW),
}

WEIRD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    if isinstance(value, list):
        for i, inner in enumerate(value):
            found += _places(inner, (*path, i))
    return found


def _check(name: str, value: Any) -> None:
    """Nothing crashes, what comes out is possible, what is left out has a place and a reason."""
    try:
        read, drops = READERS[name](value)
    except Untrusted:
        return
    for drop in drops:
        assert drop.path
        assert drop.reason
    for each in read:
        if isinstance(each, MarketBook):
            for runner in each.runners:
                for level in (*runner.to_back, *runner.to_lay):
                    assert 1 < level.price <= 1000
                    assert level.size > 0
        if isinstance(each, ExchangeMarket):
            assert len(each.runners) in {2, 3}
            assert all(runner.name.strip() for runner in each.runners)
            assert each.kickoff.tzinfo is UTC


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=examples(60))
def test_any_value_at_any_place_is_read_or_dropped(name: str, data: st.DataObject) -> None:
    value = json.loads(json.dumps(GOOD.get(name, GOOD["catalogue"])))
    path = data.draw(st.sampled_from(_places(value)))
    weird = data.draw(WEIRD)
    if not path:
        _check(name, weird)
        return
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = weird
    _check(name, wire(value))


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=examples(60))
def test_mutated_and_truncated_bodies_never_crash_a_decoder(name: str, data: st.DataObject) -> None:
    body = bytearray(json.dumps(GOOD.get(name, GOOD["catalogue"])).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
    del body[data.draw(st.integers(0, len(body))) :]
    try:
        value = parse(bytes(body))
    except NotJson:
        return
    _check(name, value)


@given(WEIRD)
@settings(max_examples=examples(100))
def test_any_error_body_is_a_fault_or_none(weird: Any) -> None:
    for body in (
        weird,
        {"error": weird},
        {"error": {"code": weird, "message": weird, "data": weird}},
        {"error": {"data": {"exceptionname": weird, "APINGException": weird}}},
        {"faultcode": weird, "faultstring": weird, "detail": weird},
    ):
        fault = fault_in(wire(body))
        if fault is not None:
            assert fault.code.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nil",
        b"[" * 100_000,
        b"\xff",
        b"1" * 5_000,
        b'{"a":1e999999999999999999999}',
        b'{"a":1e-99999999}',
    ],
)
def test_hostile_json_is_refused_or_harmless(body: bytes) -> None:
    try:
        value = parse(body)
    except NotJson:
        return
    assert not isinstance(value, list)
