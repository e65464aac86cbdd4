from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.betfair.stream_cache import (
    Change,
    Clocks,
    LineSplitter,
    StreamCache,
    StreamLadder,
    read_line,
)
from kos.adapters.json_fields import Untrusted
from kos.domain.market.quotes import MarketBook, PriceSize
from tests.profiles import examples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PT = 1_795_867_200_000  # the same moment in milliseconds


def definition(**changed: Any) -> dict[str, Any]:
    return {
        "status": "OPEN",
        "inPlay": False,
        "version": 7,
        "runners": [
            {"id": 20, "sortPriority": 2, "status": "ACTIVE"},
            {"id": 10, "sortPriority": 1, "status": "ACTIVE"},
        ],
        **changed,
    }


def mcm(*markets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"op": "mcm", "id": 1, "clk": "AAB", "pt": PT, "mc": list(markets), **more}


def image(*markets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return mcm(*markets, ct="SUB_IMAGE", initialClk="init", **more)


def market(id_: str = "1.5", **more: Any) -> dict[str, Any]:
    rc = [{"id": 10, "atb": [[2.1, 30], [2.08, 5]], "atl": [[2.14, 9], [2.12, 4]]}]
    return {"id": id_, "img": True, "marketDefinition": definition(), "rc": rc, **more}


def started(*markets: dict[str, Any], ladder: StreamLadder = StreamLadder.FULL) -> StreamCache:
    cache = StreamCache(ladder=ladder)
    cache.begin(1)
    assert take(cache, image(*(markets or (market(),))), NOW).books
    return cache


def take(cache: StreamCache, message: dict[str, Any], at: datetime) -> Change:
    """The message as it comes over the wire: through JSON."""
    return cache.apply(read_line(json.dumps(message).encode()), at)


def pairs(levels: Sequence[PriceSize]) -> list[tuple[str, str]]:
    return [(str(level.price), str(level.size)) for level in levels]


def test_an_image_becomes_a_book_best_prices_first() -> None:
    (book,) = started().books()
    assert (book.market_id, book.status, book.version, book.is_in_play) == ("1.5", "OPEN", 7, False)
    assert book.published_at == NOW
    home, away = book.runners
    assert (home.selection_id, away.selection_id) == (10, 20)
    assert pairs(home.to_back) == [("2.1", "30"), ("2.08", "5")]
    assert pairs(home.to_lay) == [("2.12", "4"), ("2.14", "9")]
    assert away.to_back == ()


def test_size_zero_removes_a_price_and_another_replaces_it() -> None:
    cache = started()
    rc = [{"id": 10, "atb": [[2.1, 0], [2.06, 11.25]], "atl": [[2.12, 8]]}]
    change = take(cache, mcm({"id": "1.5", "rc": rc}), NOW)
    home = change.books[0].runners[0]
    assert pairs(home.to_back) == [("2.08", "5"), ("2.06", "11.25")]
    assert pairs(home.to_lay) == [("2.12", "8"), ("2.14", "9")]


def test_level_ladders_are_keyed_by_level_and_emptied_by_zeros() -> None:
    rc = [{"id": 10, "bdatb": [[0, 2.1, 30], [1, 2.08, 5]], "bdatl": [[0, 2.12, 4]]}]
    cache = started(market(rc=rc), ladder=StreamLadder.DISPLAY)
    rc = [{"id": 10, "bdatb": [[0, 2.08, 5], [1, 0, 0]], "bdatl": []}]
    change = take(cache, mcm({"id": "1.5", "rc": rc}), NOW)
    home = change.books[0].runners[0]
    assert pairs(home.to_back) == [("2.08", "5")]
    assert pairs(home.to_lay) == [("2.12", "4")]


def test_runners_of_one_selection_differ_by_handicap() -> None:
    runners = [{"id": 10, "hc": hc, "status": "ACTIVE"} for hc in (-1.5, 0.25)]
    rc = [{"id": 10, "hc": -1.5, "atl": [[2, 4]]}, {"id": 10, "hc": 0.25, "atl": [[3, 4]]}]
    cache = started(market(marketDefinition=definition(runners=runners), rc=rc))
    (book,) = cache.books()
    assert [(str(r.handicap), str(r.to_lay[0].price)) for r in book.runners] == [
        ("-1.5", "2"),
        ("0.25", "3"),
    ]


def test_a_sudden_image_replaces_everything() -> None:
    cache = started(market("1.5"), market("1.6"))
    take(cache, image(market("1.6", rc=[])), NOW)
    (book,) = cache.books()
    assert book.market_id == "1.6"
    assert book.runners[0].to_back == ()


def test_a_market_image_replaces_that_market_alone() -> None:
    cache = started(market("1.5"), market("1.6"))
    books = take(cache, mcm(market("1.5", rc=[])), NOW).books
    assert [book.market_id for book in books] == ["1.5"]
    assert books[0].runners[0].to_back == ()
    assert len(cache.books()) == 2


def test_a_new_definition_suspends_and_keeps_the_offers() -> None:
    cache = started()
    suspended = definition(status="SUSPENDED", inPlay=True, version=8)
    (book,) = take(cache, mcm({"id": "1.5", "marketDefinition": suspended}), NOW).books
    assert (book.status, book.is_in_play, book.version) == ("SUSPENDED", True, 8)
    assert book.runners[0].to_back


def test_a_change_of_an_unknown_market_makes_no_half_book() -> None:
    cache = started()
    change = take(cache, mcm({"id": "1.9", "rc": [{"id": 10, "atl": [[2, 4]]}]}), NOW)
    assert change.books == ()
    assert [drop.reason for drop in change.drops] == ["change of a market without an image"]
    assert [book.market_id for book in cache.books()] == ["1.5"]


@pytest.mark.parametrize(
    "broken",
    [
        {"rc": [{"id": 10, "atb": [[0.5, 10]]}]},
        {"rc": [{"id": 10, "atb": [[2.1, -3]]}]},
        {"rc": [{"id": 10, "atb": [[2.1]]}]},
        {"rc": [{"id": 10, "atb": [["2.1", 3]]}]},
        {"rc": [{"id": 10, "atl": {"0": 1}}]},
        {"rc": [{"id": "10", "atl": [[2, 3]]}]},
        {"rc": {}},
        {"marketDefinition": definition(status="PARTY")},
        {"marketDefinition": {}},
        {"img": "yes"},
    ],
)
def test_a_market_with_an_unreadable_change_is_withheld_until_its_image(
    broken: dict[str, Any],
) -> None:
    cache = started(market("1.5"), market("1.6"))
    change = take(cache, mcm({"id": "1.5", **broken}), NOW)
    assert len(change.drops) == 1
    assert change.books == ()
    assert cache.torn == {"1.5"}
    assert cache.clocks() is None
    assert [book.market_id for book in cache.books()] == ["1.6"]
    good = {"id": "1.5", "rc": [{"id": 10, "atl": [[2.5, 4]]}], "marketDefinition": definition()}
    assert take(cache, mcm(good), NOW).books == ()
    assert take(cache, mcm(market("1.5")), NOW).books[0].market_id == "1.5"
    assert cache.torn == frozenset()
    assert cache.clocks() == Clocks("init", "AAB")


def test_a_change_that_does_not_say_of_what_withholds_all() -> None:
    cache = started(market("1.5"), market("1.6"))
    take(cache, mcm({"rc": []}), NOW)
    assert cache.books() == ()
    assert cache.is_lost


def test_segments_count_only_once_all_are_there() -> None:
    cache = StreamCache(ladder=StreamLadder.FULL)
    cache.begin(1)
    assert take(cache, image(market("1.5"), segmentType="SEG_START", clk="c1"), NOW).books == ()
    assert take(cache, image(market("1.6"), segmentType="SEG", clk="c1"), NOW).books == ()
    assert cache.clocks() is None
    change = take(cache, image(market("1.7"), segmentType="SEG_END", clk="c2"), NOW)
    assert [book.market_id for book in change.books] == ["1.5", "1.6", "1.7"]
    assert cache.clocks() == Clocks("init", "c2")


@pytest.mark.parametrize("segment", ["SEG", "SEG_END", "OTHER", 5])
def test_a_segment_without_a_start_withholds_all(segment: object) -> None:
    cache = started()
    assert take(cache, mcm(market("1.5"), segmentType=segment), NOW).drops
    assert cache.books() == ()


def test_messages_of_an_older_subscription_are_left_out() -> None:
    cache = started()
    cache.begin(2)
    change = take(cache, mcm({"id": "1.5", "rc": [{"id": 10, "atb": [[2.1, 0]]}]}), NOW)
    assert [drop.reason for drop in change.drops] == ["message of another subscription"]
    assert pairs(cache.books()[0].runners[0].to_back)[0] == ("2.1", "30")


def test_heartbeats_confirm_the_books_and_move_the_clock() -> None:
    cache = started()
    later = NOW + timedelta(seconds=30)
    beat = {"op": "mcm", "id": 1, "clk": "later", "pt": PT + 30_000, "ct": "HEARTBEAT"}
    assert take(cache, beat, later).books == ()
    (book,) = cache.books()
    assert (book.received_at, book.published_at) == (later, later)
    assert cache.clocks() == Clocks("init", "later")


def test_books_keep_the_time_of_the_last_message_before_the_data_was_late() -> None:
    cache = started()
    later = NOW + timedelta(minutes=5)
    take(cache, mcm(status=503, pt=PT + 300_000), later)
    assert [book.received_at for book in cache.books()] == [NOW]
    was_late = cache.is_late
    take(cache, mcm(pt=PT + 300_000), later)
    assert (was_late, cache.is_late) == (True, False)
    assert cache.books()[0].received_at == later


def test_conflation_of_three_minutes_tells_of_a_delayed_key() -> None:
    assert not started().books()[0].is_delayed
    cache = StreamCache(ladder=StreamLadder.FULL)
    take(cache, image(market(), conflateMs=180_000), NOW)
    assert cache.books()[0].is_delayed


def test_a_historical_file_without_ids_and_images_is_read_too() -> None:
    cache = StreamCache(ladder=StreamLadder.FULL)
    first = {"id": "1.5", "img": False, "con": True, "marketDefinition": definition(), "rc": []}
    take(cache, {"op": "mcm", "clk": "1", "pt": PT, "mc": [first]}, NOW)
    rc = [{"id": 10, "atb": [[1.01, 12]]}]
    message = {"op": "mcm", "clk": "2", "pt": PT, "mc": [{"id": "1.5", "rc": rc, "con": True}]}
    (book,) = take(cache, message, NOW).books
    assert pairs(book.runners[0].to_back) == [("1.01", "12")]


def test_depth_cuts_the_ladder_to_its_best_levels() -> None:
    rc = [{"id": 10, "atb": [[p, 1] for p in (1.5, 1.9, 1.6, 1.8, 1.7)]}]
    (book,) = started(market(rc=rc)).books()
    assert [price for price, _ in pairs(book.runners[0].to_back)] == ["1.9", "1.8", "1.7"]


# --- framing ------------------------------------------------------------------------------------


@given(
    st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b.hex().encode()), max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
)
@settings(max_examples=examples(60))
def test_lines_come_out_whole_however_packets_cut_them(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    splitter = LineSplitter()
    out: list[bytes] = []
    i = 0
    while data:
        size = cuts[i % len(cuts)]
        out += splitter.feed(data[:size])
        data = data[size:]
        i += 1
    assert out == lines


def test_a_line_without_an_end_is_given_up_at_the_bound() -> None:
    splitter = LineSplitter(max_line_bytes=10)
    splitter.feed(b"12345678")
    with pytest.raises(Untrusted):
        splitter.feed(b"9012")


def test_a_whole_line_beyond_the_bound_is_given_up_as_well() -> None:
    assert LineSplitter(max_line_bytes=10).feed(b"1234567890\r\n") == [b"1234567890"]
    with pytest.raises(Untrusted):
        LineSplitter(max_line_bytes=10).feed(b"12345678901\n")


# --- rubbish --------------------------------------------------------------------------------------

FIELDS = [
    "op",
    "id",
    "mc",
    "rc",
    "img",
    "ct",
    "clk",
    "pt",
    "status",
    "segmentType",
    "hc",
    "con",
    "marketDefinition",
    "runners",
    "inPlay",
    "version",
    "atb",
    "atl",
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["1.5", "mcm", "SUB_IMAGE", "SEG", "OPEN", "ACTIVE", "\ud800", ""])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def _check(books: Sequence[MarketBook]) -> None:
    for book in books:
        for runner in book.runners:
            backs = [level.price for level in runner.to_back]
            lays = [level.price for level in runner.to_lay]
            assert backs == sorted(backs, reverse=True)
            assert lays == sorted(lays)
            for level in (*runner.to_back, *runner.to_lay):
                assert 1 < level.price <= 1000
                assert level.size > 0


@given(st.dictionaries(st.sampled_from(["op", "mc", "ct", "id", "segmentType", "clk"]), JSON), JSON)
@settings(max_examples=examples(150))
def test_no_message_crashes_the_cache_or_makes_an_impossible_price(
    message: dict[str, Any], market_change: Any
) -> None:
    cache = started()
    take(cache, message, NOW)
    change = take(cache, mcm(market_change), NOW)
    _check(change.books)
    _check(cache.books())
    for drop in change.drops:
        assert drop.path
        assert drop.reason


@given(st.data())
@settings(max_examples=examples(150))
def test_a_mutated_line_is_read_refused_or_tears_but_never_crashes(data: st.DataObject) -> None:
    line = bytearray(json.dumps(mcm(market("1.5"), market("1.6"))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(line) - 1))
        line[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
        if not line:
            break
    cache = started()
    try:
        message = read_line(bytes(line))
    except Untrusted:
        cache.tear_all()
        assert cache.books() == ()
        return
    _check(cache.apply(message, NOW).books)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["atb", "atl"]),
            st.sampled_from([Decimal(p) / 100 for p in range(101, 400, 7)]),
            st.integers(0, 3),
        ),
        max_size=60,
    )
)
@settings(max_examples=examples(60))
def test_updates_one_by_one_end_where_a_plain_table_does(
    moves: list[tuple[str, Decimal, int]],
) -> None:
    cache = started(market(rc=[]))
    table: dict[str, dict[Decimal, int]] = {"atb": {}, "atl": {}}
    for side, price, size in moves:
        rc = [{"id": 10, side: [[float(price), size]]}]
        take(cache, mcm({"id": "1.5", "rc": rc}), NOW)
        table[side][price] = size
    home = cache.books()[0].runners[0]
    for side, levels in (("atb", home.to_back), ("atl", home.to_lay)):
        alive = sorted(
            ((p, Decimal(s)) for p, s in table[side].items() if s), reverse=side == "atb"
        )
        assert [(level.price, level.size) for level in levels] == alive[:3]
