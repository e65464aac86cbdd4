"""Odds bodies: what comes out, what is left out and why, and that nothing wrong comes through."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kos.adapters.json_fields import MAX_DROPS
from kos.adapters.oddsapi import payloads
from kos.adapters.oddsapi.fields import MAX_BODY_BYTES
from kos.adapters.oddsapi.payloads import (
    MAX_PRICE,
    OddsBody,
    OddsFormat,
    decode_odds,
)
from kos.domain.market.quotes import EventQuotes, OutcomeQuote
from kos.errors import RemoteUnavailable
from tests.adapters.oddsapi.bodies import (
    body,
    bookmaker,
    event,
    market,
    match_event,
    mutated,
    outcome,
    rubbish,
)
from tests.profiles import examples


def quotes(decoded: OddsBody) -> list[OutcomeQuote]:
    return [
        quote
        for found in decoded.events
        for books in found.bookmakers
        for offered in books.markets
        for quote in offered.outcomes
    ]


def reasons(decoded: OddsBody) -> Counter[str]:
    return Counter(drop.reason for drop in decoded.drops)


def only(decoded: OddsBody) -> EventQuotes:
    (found,) = decoded.events
    return found


def test_a_sound_event_comes_through_whole() -> None:
    odds = market(
        outcome("Hull City", 4, bet_limit=120.5, link="https://book.test/slip/1"),
        outcome("Leeds United", 1.9),
        outcome("Draw", 3.55),
    )
    totals = market(outcome("Over", 1.95, point=2.5), key="totals", last_update=None)
    found = only(decode_odds(body(event(bookmaker(odds, totals)))))
    assert (found.home, found.away, found.sport_key) == ("Leeds United", "Hull City", "soccer_epl")
    assert found.kickoff == datetime(2026, 11, 28, 15, tzinfo=UTC)
    (books,) = found.bookmakers
    h2h, over = books.markets
    assert [(q.name, str(q.price)) for q in h2h.outcomes] == [
        ("Hull City", "4"),
        ("Leeds United", "1.9"),
        ("Draw", "3.55"),
    ]
    assert h2h.outcomes[0].limit == Decimal("120.5")
    assert h2h.outcomes[0].link == "https://book.test/slip/1"
    assert over.outcomes[0].point == Decimal("2.5")
    assert over.updated_at == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_market_time_wins_over_the_bookmakers_and_may_be_missing_in_both() -> None:
    own = market(outcome("Draw", 3), last_update="2026-11-23T12:05:00+00:00")
    bare = {"key": "h2h", "outcomes": [outcome("Draw", 3)]}
    first = bookmaker(own)
    second = {"key": "betway", "title": "Betway", "markets": [bare]}
    a, b = only(decode_odds(body(event(first, second)))).bookmakers
    assert a.markets[0].updated_at == datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert b.markets[0].updated_at is None


def test_unknown_fields_bookmakers_and_sports_are_no_trouble() -> None:
    raw = match_event(2, 3, 4, sport_key="quidditch_cup", home_rotation=12, new={"a": [1]})
    raw["bookmakers"][0] |= {"key": "brand_new_book", "sid": "x"}
    decoded = decode_odds(body(raw))
    assert len(quotes(decoded)) == 3
    assert decoded.drops == ()


def test_events_without_bookmakers_and_empty_lists_are_answers() -> None:
    assert decode_odds(b"[]").events == ()
    assert only(decode_odds(body(event()))).bookmakers == ()


def test_outrights_have_no_sides() -> None:
    runners = [outcome("A. Golfer", 12), outcome("B. Golfer", 2.5)]
    decoded = decode_odds(
        body(event(bookmaker(market(*runners, key="outrights")), home=None, away=None))
    )
    assert (only(decoded).home, only(decoded).away) == (None, None)
    assert len(quotes(decoded)) == 2


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (1, "price not above 1"),
        (1.0, "price not above 1"),
        (0, "price not above 1"),
        (0.5, "price not above 1"),
        (-3.5, "price not above 1"),
        (None, "price missing"),
        (True, "price not a number"),
        ("evens", "price not a number"),
        ("NaN", "price not a number"),
        ("1_0", "price not a number"),
        (" 2.5", "price not a number"),
        ("٣", "price not a number"),
        (float("nan"), "price not a number"),
        (float("inf"), "price not a number"),
        ([2.5], "price not a number"),
        (1e7, "price beyond all odds"),
    ],
)
def test_a_bad_price_costs_itself_alone(price: Any, reason: str) -> None:
    decoded = decode_odds(body(match_event(2.5, price, 3.1)))
    assert [q.name for q in quotes(decoded)] == ["Leeds United", "Draw"]
    (drop,) = decoded.drops
    assert drop.path == "[0].bookmakers[0].markets[0].outcomes[1]"
    assert drop.reason == reason


def test_a_price_with_endless_digits_or_exponent_is_left_out() -> None:
    for text in ("2." + "3" * 400, "1e99999999999999999999", "1E+999999999"):
        raw = body(match_event(2.5, 777.25, 3.1)).replace(b"777.25", text.encode())
        assert len(quotes(decode_odds(raw))) == 2, text


def test_a_price_spelled_as_text_is_read_when_plain() -> None:
    assert [str(q.price) for q in quotes(decode_odds(body(match_event("2.50", 3, "4"))))] == [
        "2.50",
        "3",
        "4",
    ]


def test_prices_are_exactly_as_printed() -> None:
    raw = body(match_event(2.5, 777.25, 3.1)).replace(b"777.25", b"1.0100")
    assert str(quotes(decode_odds(raw))[1].price) == "1.0100"


def test_a_zero_point_is_a_point() -> None:
    spread = market(
        outcome("Leeds United", "1.9", point=0), outcome("Hull City", 1.9, point=-0.25),
        key="spreads",
    )  # fmt: skip
    assert [q.point for q in quotes(decode_odds(body(event(bookmaker(spread)))))] == [
        Decimal(0),
        Decimal("-0.25"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("commence_time", None, "commence_time missing"),
        ("commence_time", "soon", "commence_time not a time"),
        ("commence_time", "2026-11-28T15:00:00", "commence_time without zone"),
        ("commence_time", "9999-12-31T23:59:59-12:00", "commence_time not a time"),
        ("commence_time", "1926-11-28T15:00:00Z", "commence_time out of range"),
        ("commence_time", 1e300, "commence_time not a time"),
        ("commence_time", 1764342000000, "commence_time not a time"),
        ("id", None, "id missing"),
        ("id", 7, "id not a text"),
        ("id", "  ", "id empty"),
        ("sport_key", "", "sport_key empty"),
        ("home_team", "x" * 301, "home_team too long"),
        ("home_team", "a\nb", "home_team not readable"),
        ("home_team", "Hull City", "home_team and away_team are the same"),
        ("home_team", 3, "home_team not a text"),
        ("bookmakers", None, "bookmakers missing"),
        ("bookmakers", "none", "bookmakers not a list"),
    ],
)
def test_a_bad_event_is_dropped_by_itself(field: str, value: Any, reason: str) -> None:
    bad = {**match_event(2, 3, 4, id="b" * 32), field: value}
    decoded = decode_odds(body(match_event(2.1, 3.1, 4.1), bad))
    assert only(decoded).id == "a" * 32
    (drop,) = decoded.drops
    assert (drop.path, drop.reason) == ("[1]", reason)


def test_unix_times_are_read() -> None:
    raw = match_event(2, 3, 4, commence_time=1764342000)
    raw["bookmakers"][0]["markets"][0]["last_update"] = 1764338400
    found = only(decode_odds(body(raw)))
    assert found.kickoff == datetime(2025, 11, 28, 15, tzinfo=UTC)
    assert found.bookmakers[0].markets[0].updated_at == datetime(2025, 11, 28, 14, tzinfo=UTC)


def test_other_zones_become_utc() -> None:
    raw = match_event(2, 3, 4, commence_time="2026-07-01T16:00:00+01:00")
    assert only(decode_odds(body(raw))).kickoff.isoformat() == "2026-07-01T15:00:00+00:00"


def test_a_market_with_a_broken_time_is_dropped_for_its_age_is_unknown() -> None:
    raw = event(bookmaker(market(outcome("Draw", 3), last_update="just now")))
    decoded = decode_odds(body(raw))
    assert quotes(decoded) == []
    assert reasons(decoded) == {"last_update not a time": 1}


def test_doubles_are_left_out() -> None:
    twice = market(outcome("Draw", 3), outcome("Draw", 3), outcome("Hull City", 2))
    two_prices = market(outcome("Draw", 3), outcome("Draw", 3.1), key="h2h_3_way")
    lines = market(outcome("Over", 1.9, point=2.5), outcome("Over", 2.2, point=3.5), key="totals")
    books = bookmaker(twice, two_prices, lines, twice)
    first = event(books, books)
    decoded = decode_odds(body(first, first))
    assert [(q.name, str(q.price)) for q in quotes(decoded)] == [
        ("Draw", "3"),
        ("Hull City", "2"),
        ("Over", "1.9"),
        ("Over", "2.2"),
    ]
    assert reasons(decoded) == {
        "outcome twice": 1,
        "outcome twice with two prices": 2,
        "market twice": 1,
        "bookmaker twice": 1,
        "event twice": 1,
    }


def test_a_three_way_market_never_passes_for_a_two_way_one() -> None:
    sides = (outcome("Home Ice", 2.6), outcome("Away Ice", 2.3))
    whole = market(*sides, outcome("Draw", 4.1))
    for draw in (outcome("Draw", 1), outcome("Draw", None), {"name": None, "price": 4}):
        ice = event(
            bookmaker(market(*sides, draw)),
            bookmaker(market(*sides, outcome("Draw", 4), outcome("Draw", 5)), key="betfred_uk"),
            bookmaker(whole, key="betway"),
            bookmaker(market(*sides), key="skybet"),
            sport_key="icehockey_nhl", home="Home Ice", away="Away Ice",
        )  # fmt: skip
        found = only(decode_odds(body(ice)))
        assert {b.key: len(b.markets[0].outcomes) for b in found.bookmakers} == {
            "betway": 3,
            "skybet": 2,
        }


def test_described_outcomes_are_left_out_for_their_names_repeat() -> None:
    props = market(
        outcome("Over", 1.9, point=1.5, description="A. Striker"),
        outcome("Over", 2.9, point=1.5, description="B. Striker"),
        key="player_shots",
    )
    decoded = decode_odds(body(event(bookmaker(props))))
    assert quotes(decoded) == []
    assert sum(reasons(decoded).values()) == 2


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://a", "https://a/\n", "https://{state}.a/b", "https://ä"]
)
def test_a_link_that_cannot_be_shown_is_left_out_and_the_price_stays(link: str) -> None:
    decoded = decode_odds(body(event(bookmaker(market(outcome("Draw", 3, link=link))))))
    assert quotes(decoded)[0].link is None
    assert decoded.drops[0].path.endswith("outcomes[0].link")


def test_a_bad_bet_limit_is_unknown_and_the_price_stays() -> None:
    for limit in (-5, "lots", float("nan")):
        decoded = decode_odds(body(event(bookmaker(market(outcome("Draw", 3, bet_limit=limit))))))
        assert (quotes(decoded)[0].limit, len(decoded.drops)) == (None, 1)
    assert quotes(decode_odds(body(event(bookmaker(market(outcome("Draw", 3, bet_limit=0)))))))[
        0
    ].limit == Decimal(0)


def test_wire_fields_cannot_reach_into_the_decoder() -> None:
    raw = event(bookmaker({**market(outcome("Draw", 3)), "lost": -5, "unknown": 1}))
    assert len(quotes(decode_odds(body(raw)))) == 1


# --- odds formats -----------------------------------------------------------------------------


def test_american_odds_are_converted_exactly_where_asked() -> None:
    decoded = decode_odds(body(match_event(-200, 150, 100)), convert_american=True)
    assert decoded.odds_format is OddsFormat.AMERICAN
    assert [q.price for q in quotes(decoded)] == [Decimal("1.5"), Decimal("2.5"), Decimal(2)]


def test_american_odds_are_refused_from_the_live_feed() -> None:
    with pytest.raises(RemoteUnavailable, match="american"):
        decode_odds(body(match_event(-200, 150, 400)))


def test_american_odds_without_a_favourite_are_still_recognised() -> None:
    raw = body(match_event(150, 230, 180))
    with pytest.raises(RemoteUnavailable, match="american"):
        decode_odds(raw)
    assert str(quotes(decode_odds(raw, convert_american=True))[0].price) == "2.5"


def test_long_shots_alone_may_be_either_and_are_refused() -> None:
    raw = body(event(bookmaker(market(outcome("A", 151), outcome("B", 501), key="outrights"))))
    for convert in (True, False):
        with pytest.raises(RemoteUnavailable, match="may be"):
            decode_odds(raw, convert_american=convert)


def test_long_shots_beside_short_prices_are_decimal() -> None:
    raw = body(event(bookmaker(market(outcome("A", 151), outcome("B", 2.5), key="outrights"))))
    assert [str(q.price) for q in quotes(decode_odds(raw))] == ["151", "2.5"]


def test_a_stray_american_price_takes_all_that_look_like_it_with_it() -> None:
    raw = body(match_event(2.5, 3.5, 3), match_event(-110, 120, 1.5, id="b" * 32))
    decoded = decode_odds(raw)
    assert [str(q.price) for q in quotes(decoded)] == ["2.5", "3.5", "3", "1.5"]
    assert reasons(decoded) == {
        "price not above 1": 1,
        "price looks american among decimal ones": 1,
    }


def test_mostly_american_prices_with_decimal_ones_are_refused() -> None:
    with pytest.raises(RemoteUnavailable, match="american and decimal"):
        decode_odds(body(match_event(-110, -120, 2.5)), convert_american=True)


def test_junk_among_american_prices_is_left_out() -> None:
    decoded = decode_odds(body(match_event(-110, 1.0, 0)), convert_american=True)
    assert len(quotes(decoded)) == 1
    assert reasons(decoded) == {"price not an american one": 2}


@settings(max_examples=examples(60))
@given(st.lists(st.integers(100, 5000) | st.integers(-5000, -100), min_size=2, max_size=6))
def test_american_prices_never_come_out_as_they_are(prices: list[int]) -> None:
    raw = body(event(bookmaker(market(*(outcome(f"Runner {i}", p) for i, p in enumerate(prices))))))
    try:
        decoded = decode_odds(raw, convert_american=True)
    except RemoteUnavailable:
        assert min(prices) > 0
        return
    for price, quote in zip(prices, quotes(decoded), strict=True):
        gain = Decimal(price) / 100 if price > 0 else Decimal(100) / -price
        assert abs(quote.price - 1 - gain) < Decimal("1e-25")


# --- bad bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"{}",
        b'"[]"',
        b"42",
        b"<html><body>502</body></html>",
        b'[{"id": "x"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[" * 3000 + b"]" * 3000,
        b'{"message": "x", "error_code": "INVALID_KEY"}',
        b"[1" + b"1" * 10_000,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_bad_body_fails_the_poll(raw: bytes) -> None:
    with pytest.raises(RemoteUnavailable):
        decode_odds(raw)


def test_an_endless_body_is_refused_unread() -> None:
    with pytest.raises(RemoteUnavailable, match="larger"):
        decode_odds(b" " * (MAX_BODY_BYTES + 1))


def test_deep_nesting_in_one_event_costs_at_most_the_poll() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    raw = body(match_event(2, 3, 4), match_event(2, 3, 4, id="b" * 32, x=0)).replace(
        b'"x": 0', b'"x": ' + deep
    )
    with pytest.raises(RemoteUnavailable):
        decode_odds(raw)


def test_a_byte_order_mark_is_no_reason_to_fail() -> None:
    assert len(quotes(decode_odds(b"\xef\xbb\xbf" + body(match_event(2, 3, 4))))) == 3


def test_half_a_surrogate_costs_the_outcome_it_names() -> None:
    raw = event(bookmaker(market(outcome("\ud83d", 3), outcome("Draw", 3.2))))
    decoded = decode_odds(body(raw))
    assert [q.name for q in quotes(decoded)] == ["Draw"]
    assert reasons(decoded) == {"name not readable": 1}


def test_drops_are_bounded_and_the_rest_is_counted() -> None:
    raw = event(bookmaker(market(*[outcome("x", 1)] * (MAX_DROPS + 25))))
    decoded = decode_odds(body(raw))
    assert len(decoded.drops) == MAX_DROPS + 1
    assert decoded.drops[-1].path == "25 more"


# --- whatever comes ---------------------------------------------------------------------------


def spelled_prices(values: Any) -> set[tuple[str, Decimal]]:
    """Every (name, price) of an object anywhere in the input, where the price is a number."""
    found: set[tuple[str, Decimal]] = set()
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            name, price = value.get("name"), value.get("price")
            if isinstance(name, str) and isinstance(price, str | int | float):
                with suppress(ArithmeticError):
                    found.add((name, Decimal(str(price))))
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def check_nothing_wrong(raw: bytes, values: Any) -> None:
    try:
        decoded = decode_odds(raw)
    except RemoteUnavailable:
        return
    allowed = spelled_prices(values)
    for found in decoded.events:
        assert found.kickoff.tzinfo is UTC
        assert found.id.strip()
        assert len({b.key for b in found.bookmakers}) == len(found.bookmakers)
        for books in found.bookmakers:
            assert books.markets
            assert len({m.key for m in books.markets}) == len(books.markets)
    for quote in quotes(decoded):
        assert quote.price.is_finite()
        assert 1 < quote.price <= MAX_PRICE
        assert (quote.name, quote.price) in allowed
        assert quote.name.strip()
    for drop in decoded.drops:
        assert drop.path
        assert 0 < len(drop.reason) < 60
    json.dumps([quote.name for quote in quotes(decoded)]).encode()


@settings(max_examples=examples(250), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutated())
def test_mutated_bodies_bring_nothing_that_was_not_in_them(values: list[Any]) -> None:
    check_nothing_wrong(json.dumps(values).encode(), values)


@settings(max_examples=examples(100), deadline=None)
@given(mutated(), st.data())
def test_truncated_bodies_fail_the_poll(values: list[Any], data: st.DataObject) -> None:
    raw = json.dumps(values).encode()
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(RemoteUnavailable):
        decode_odds(raw[:cut])


@settings(max_examples=examples(100), deadline=None)
@given(mutated(), st.data())
def test_flipped_bytes_never_crash(values: list[Any], data: st.DataObject) -> None:
    raw = bytearray(json.dumps(values).encode())
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_odds(bytes(raw))
    except RemoteUnavailable:
        return
    assert all(quote.price > 1 for quote in quotes(decoded))


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(rubbish, max_size=4))
def test_rubbish_is_dropped_item_by_item(values: list[Any]) -> None:
    try:
        decoded = decode_odds(json.dumps(values).encode())
    except RemoteUnavailable:
        return
    assert decoded.events == ()
    assert len(decoded.drops) == len(values)


@settings(max_examples=examples(80), deadline=None)
@given(mutated())
def test_the_fast_way_and_the_tolerant_way_agree(values: list[Any]) -> None:
    raw = json.dumps(values).encode()
    with pytest.MonkeyPatch.context() as patch:
        try:
            fast: object = decode_odds(raw)
        except RemoteUnavailable as error:
            fast = str(error)
        patch.setattr(payloads, "_typed", lambda _decoder, _body: None)
        try:
            slow: object = decode_odds(raw)
        except RemoteUnavailable as error:
            slow = str(error)
    if isinstance(fast, OddsBody) and isinstance(slow, OddsBody):
        assert fast.events == slow.events
    else:
        assert fast == slow


def test_a_bookmaker_whose_name_cannot_be_read_is_left_out_alone() -> None:
    sound = bookmaker(market(outcome("Draw", 3.2)))
    decoded = decode_odds(body(event(sound | {"key": "a\nb"}, sound)))
    assert [q.name for q in quotes(decoded)] == ["Draw"]
    assert [(drop.path, drop.reason) for drop in decoded.drops] == [
        ("[0].bookmakers[0]", "key not readable")
    ]
