from __future__ import annotations

import bz2
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kos.adapters.oddsapi.payloads import decode_odds
from kos.cli import replay as command
from kos.db import FILE_NAME
from kos.domain.matching import AliasPair
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import OpportunityQuery, Ranking
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput
from kos.messages import RecordAlias
from kos.replay.aliases import read_aliases
from kos.replay.engine import replay
from kos.storage.ledger import Ledger
from tests.adapters.oddsapi.bodies import rubbish
from tests.agreed import assert_agreed
from tests.profiles import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KICKOFF = NOON + timedelta(hours=3)
QUERY = OpportunityQuery(stake=Decimal(10))
HOME, AWAY, DRAW = 101, 102, 58805
EPL = "soccer_epl"


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def book(key: str, prices: tuple[float, ...], at: datetime, market: str = "h2h") -> dict[str, Any]:
    names = ("Leeds United", "Hull City", "Draw")
    outcomes = [{"name": name, "price": price} for name, price in zip(names, prices, strict=True)]
    quoted = {"key": market, "last_update": iso(at), "outcomes": outcomes}
    return {"key": key, "title": key.title(), "last_update": iso(at), "markets": [quoted]}


def event(*books: dict[str, Any], id: str = "a" * 32) -> dict[str, Any]:  # noqa: A002 - the feed's
    return {
        "id": id,
        "sport_key": "soccer_epl",
        "sport_title": "EPL",
        "commence_time": iso(KICKOFF),
        "home_team": "Leeds United",
        "away_team": "Hull City",
        "bookmakers": list(books),
    }


def catalogue_entry() -> dict[str, Any]:
    runners = ((HOME, "Leeds"), (AWAY, "Hull"), (DRAW, "The Draw"))
    return {
        "marketId": "1.200",
        "marketName": "Match Odds",
        "marketStartTime": iso(KICKOFF),
        "description": {"marketType": "MATCH_ODDS", "marketBaseRate": 2, "bettingType": "ODDS"},
        "event": {"id": "7", "name": "Leeds v Hull", "openDate": iso(KICKOFF)},
        "eventType": {"id": "1", "name": "Soccer"},
        "runners": [
            {"selectionId": id_, "runnerName": name, "sortPriority": i}
            for i, (id_, name) in enumerate(runners)
        ],
    }


def market_book(lays: tuple[float, ...] = (2.02, 4.1, 3.6)) -> dict[str, Any]:
    return {
        "marketId": "1.200",
        "status": "OPEN",
        "inplay": False,
        "isMarketDataDelayed": False,
        "version": 1,
        "runners": [
            {
                "selectionId": id_,
                "status": "ACTIVE",
                "ex": {
                    "availableToBack": [{"price": round(lay - 0.02, 2), "size": 900}],
                    "availableToLay": [{"price": lay, "size": 900}],
                },
            }
            for id_, lay in zip((HOME, AWAY, DRAW), lays, strict=True)
        ],
    }


def stream_line(at: datetime, lays: tuple[float, ...], *, defined: bool = False) -> str:
    change: dict[str, Any] = {
        "id": "1.200",
        "rc": [
            {"id": id_, "atl": [[lay, 900]]}
            for id_, lay in zip((HOME, AWAY, DRAW), lays, strict=True)
        ],
    }
    if defined:
        names = {HOME: "Leeds", AWAY: "Hull", DRAW: "The Draw"}
        change["img"] = True
        change["marketDefinition"] = {
            "eventId": "7",
            "eventTypeId": "1",
            "eventName": "Leeds v Hull",
            "marketType": "MATCH_ODDS",
            "bettingType": "ODDS",
            "marketBaseRate": 5.0,
            "marketTime": iso(KICKOFF),
            "openDate": iso(KICKOFF),
            "status": "OPEN",
            "inPlay": False,
            "version": 1,
            "runners": [
                {"id": id_, "name": name, "status": "ACTIVE", "sortPriority": i}
                for i, (id_, name) in enumerate(names.items())
            ],
        }
    return json.dumps({"op": "mcm", "clk": "A", "pt": ms(at), "mc": [change]})


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_a_snapshot_with_lay_prices_of_its_own_gives_opportunities_as_of_its_time(
    tmp_path: Path,
) -> None:
    books = (
        book("coral", (2.0, 4.0, 3.5), NOON),
        book("smarkets", (2.02, 4.1, 3.6), NOON, "h2h_lay"),
    )
    found = replay([write(tmp_path / "odds.json", [event(*books)])], QUERY)

    assert {each.outcome for each in found.opportunities} == {"Leeds United", "Hull City", "Draw"}
    assert {each.as_of for each in found.opportunities} == {NOON}
    assert {each.exchange for each in found.opportunities} == {"smarkets"}
    assert found.matches.none == 1
    assert [(file.kind, file.events) for file in found.files] == [("odds", 1)]


def test_the_exchange_s_own_prices_cover_matched_events(tmp_path: Path) -> None:
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    write(tmp_path / "catalogue.json", {"jsonrpc": "2.0", "result": [catalogue_entry()], "id": 1})
    recorded = {"timestamp": iso(NOON - timedelta(seconds=20)), "result": [market_book()]}
    write(tmp_path / "books.json", recorded)

    found = replay([tmp_path], QUERY)

    assert (found.matches.match, found.matches.exchange_markets) == (1, 1)
    assert found.matches.found[0].outcomes == {
        "Leeds United": "Leeds",
        "Hull City": "Hull",
        "Draw": "The Draw",
    }
    lays = {each.outcome: (each.lay_odds, each.commission) for each in found.opportunities}
    assert lays["Leeds United"] == (Decimal("2.02"), Decimal("0.02"))
    assert {each.exchange for each in found.opportunities} == {"betfair"}


def test_a_historical_stream_names_its_market_and_holds_while_it_is_silent(tmp_path: Path) -> None:
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    lines = [
        stream_line(NOON - timedelta(minutes=10), (2.02, 4.1, 3.6), defined=True),
        stream_line(NOON + timedelta(minutes=10), (9.0, 9.0, 9.0)),
    ]
    (tmp_path / "1.200.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))

    found = replay([tmp_path], QUERY)

    assert found.matches.match == 1
    best = {each.outcome: each.lay_odds for each in found.opportunities}
    assert best["Leeds United"] == Decimal("2.02")


def test_a_better_exchange_price_after_the_snapshot_is_a_better_showing(tmp_path: Path) -> None:
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    later = NOON + timedelta(minutes=2)
    lines = [
        stream_line(NOON - timedelta(minutes=1), (2.1, 4.3, 3.8), defined=True),
        stream_line(later, (2.0, 4.3, 3.8)),
    ]
    (tmp_path / "stream").write_text("\n".join(lines), encoding="utf-8")

    found = replay([tmp_path], QUERY)

    leeds = next(each for each in found.opportunities if each.outcome == "Leeds United")
    assert (leeds.lay_odds, leeds.as_of) == (Decimal("2.0"), later)


def test_files_are_replayed_in_their_own_time_whatever_their_order(tmp_path: Path) -> None:
    late = NOON + timedelta(minutes=30)
    lay = (2.02, 4.1, 3.6)
    write(tmp_path / "a.json", [event(book("coral", (1.9, 3.9, 3.4), late))])
    wrapped = {
        "timestamp": ms(NOON),
        "data": [
            event(book("coral", (2.0, 4.0, 3.5), NOON), book("smarkets", lay, NOON, "h2h_lay"))
        ],
    }
    write(tmp_path / "b.json", wrapped)

    found = replay([tmp_path], QUERY)

    assert (found.first_at, found.last_at, found.moments) == (NOON, late, 2)
    assert {each.as_of for each in found.opportunities} == {NOON}
    # In the later snapshot nobody lays: the earlier one's lay price is gone with it.
    assert found.rejected["no lay market known"] == 3


def test_an_id_is_shown_once_and_the_limit_bounds_the_whole(tmp_path: Path) -> None:
    for minute in range(4):
        at = NOON + timedelta(minutes=minute)
        lay = book("smarkets", (2.02, 4.1, 3.6), at, "h2h_lay")
        write(tmp_path / f"{minute}.json", [event(book("coral", (2.0, 4.0, 3.5), at), lay)])

    everything = replay([tmp_path], QUERY)
    two = replay([tmp_path], OpportunityQuery(stake=Decimal(10), limit=2))

    assert len(everything.opportunities) == len({each.id for each in everything.opportunities}) == 3
    assert two.opportunities == everything.opportunities[:2]
    assert everything.considered == 12


def arb(id: str, sport_key: str, kickoff: datetime, lay: float) -> dict[str, Any]:  # noqa: A002
    """An event whose home side is an arb: the lower its lay odds, the greater its profit."""
    books = (
        book("coral", (2.5, 4.0, 3.5), NOON),
        book("smarkets", (lay, 9.0, 9.0), NOON, "h2h_lay"),
    )
    return {
        **event(*books, id=id),
        "sport_key": sport_key,
        "commence_time": iso(kickoff),
    }


def test_sport_keys_are_ranked_together_in_the_daemon_s_own_order(tmp_path: Path) -> None:
    events = [
        arb("a" * 32, EPL, NOON + timedelta(hours=1), 2.40),
        arb("b" * 32, "soccer_efl_champ", NOON + timedelta(hours=8), 2.38),
        arb("c" * 32, "soccer_fa_cup", NOON + timedelta(hours=8), 2.38),
    ]
    for number, one in enumerate(events):
        write(tmp_path / f"{number}.json", [one])
    snapshot = MarketSnapshot(ScoringRules())
    for one in events:
        decoded = decode_odds(json.dumps([one]).encode()).events
        snapshot.apply_quotes(one["sport_key"], decoded, NOON)

    found = replay([tmp_path], QUERY)

    daemon = snapshot.best(QUERY, NOON)
    assert [one.id for one in found.opportunities] == [one.id for one in daemon.opportunities]
    assert found.opportunities[0].event_id != "a" * 32, "the greater profit, though it starts later"
    first = replay([tmp_path], msgspec.structs.replace(QUERY, limit=1))
    assert first.opportunities == found.opportunities[:1]


def test_any_order_that_the_daemon_knows_holds_across_moments(tmp_path: Path) -> None:
    later = NOON + timedelta(minutes=5)
    write(tmp_path / "a.json", {"timestamp": ms(NOON), "data": [arb("a" * 32, EPL, KICKOFF, 2.40)]})
    events = [arb("a" * 32, EPL, KICKOFF, 2.80), arb("b" * 32, EPL, KICKOFF, 2.45)]
    write(tmp_path / "b.json", {"timestamp": ms(later), "data": events})
    query = msgspec.structs.replace(QUERY, ranking=Ranking.RATING)
    found = [
        one for one in replay([tmp_path], query).opportunities if one.back_odds == Decimal("2.5")
    ]
    assert [(one.event_id[0], one.as_of) for one in found] == [("a", NOON), ("b", later)]


def test_what_several_files_say_at_one_moment_is_asked_about_once(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [arb("a" * 32, EPL, KICKOFF, 2.40)])
    write(tmp_path / "b.json", [arb("b" * 32, "soccer_fa_cup", KICKOFF, 2.40)])
    found = replay([tmp_path], QUERY)
    assert (found.moments, found.considered) == (1, 6)


def test_an_event_is_forgotten_after_its_end_but_stays_in_the_matches(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    write(tmp_path / "catalogue.json", [catalogue_entry()])
    for number, days in enumerate((2, 3)):
        at = NOON + timedelta(days=days)
        other = event(book("coral", (2.0, 4.0, 3.5), at), id="b" * 32)
        other |= {"sport_key": "soccer_fa_cup", "commence_time": iso(at + timedelta(hours=3))}
        write(tmp_path / f"{number}.json", [other])
    found = replay([tmp_path], QUERY)
    assert found.rejected["already started"] == 3, "once, before it was forgotten"
    assert [one.event_id for one in found.matches.found] == ["a" * 32]


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """A folder in which only a person's decision makes an event a match."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    named = event(book("coral", (2.0, 4.0, 3.5), NOON)) | {
        "home_team": "Inter",
        "away_team": "Roma",
    }
    outcomes = named["bookmakers"][0]["markets"][0]["outcomes"]
    outcomes[0]["name"], outcomes[1]["name"] = "Inter", "Roma"
    write(folder / "odds.json", [named])
    entry = catalogue_entry()
    entry["event"]["name"] = "Inter Turku v Roma"
    entry["runners"][0]["runnerName"], entry["runners"][1]["runnerName"] = "Inter Turku", "Roma"
    write(folder / "catalogue.json", [entry])
    write(folder / "books.json", {"timestamp": iso(NOON), "result": [market_book()]})
    return folder


SHARED = {
    "sport": "soccer",
    "feed_name": "Inter",
    "exchange_name": "Inter Turku",
    "verdict": "confirmed",
    "evidence": "seen",
}


def test_a_confirmed_pair_of_names_makes_a_match_as_in_the_daemon(
    tmp_path: Path, doubtful: Path
) -> None:
    before = replay([doubtful], QUERY)
    assert (before.matches.doubt, before.opportunities) == (1, ())
    table = read_aliases(write(tmp_path / "aliases.jsonl", SHARED))
    after = replay([doubtful], QUERY, aliases=table)
    assert after.matches.match == 1
    assert {one.exchange for one in after.opportunities} == {"betfair"}


def record_alias(path: Path) -> None:
    """A ledger that holds the decision."""
    ledger = Ledger(path)
    command = RecordAlias(
        command_id="1",
        by="ann",
        occurred_at=NOON,
        sport="soccer",
        feed_name="Inter",
        exchange_name="Inter Turku",
        verdict=AliasVerdict.CONFIRMED,
        evidence="seen",
    )
    ledger.execute([command])
    ledger.close()


def test_the_decisions_of_a_ledger_are_those_of_its_export(tmp_path: Path) -> None:
    record_alias(tmp_path / "books.db")
    exported = write(tmp_path / "aliases.jsonl", SHARED)
    assert read_aliases(tmp_path / "books.db") == read_aliases(exported)
    assert read_aliases(exported).confirmed == (AliasPair("soccer", "Inter", "Inter Turku"),)


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"sport": "soccer"}', b"no json"])
def test_a_file_that_holds_no_decisions_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "aliases.jsonl"
    path.write_bytes(body)
    with pytest.raises(InvalidInput, match="kos aliases export"):
        read_aliases(path)
    with pytest.raises(InvalidInput, match="kos aliases export"):
        read_aliases(tmp_path / "nowhere")


def test_a_sport_that_is_not_asked_for_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    found = replay([path], OpportunityQuery(sport="tennis"))
    assert (found.considered, found.matches.events) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"BZh9 broken",
        b"\x1f\x8b broken",
        b'{"op":"mcm","mc":3}',
        b'{"op":"status","statusCode":"SUCCESS"}',
        b'{"op":"mcm","pt":"x"}\n{"op":',
        b'{"marketId":5,"inplay":1}',
        b'[{"marketId":"1.2","event":[],"runners":7,"eventType":{"id":"1"}}]',
        b'{"jsonrpc":"2.0","error":{"code":-1,"message":"DSC-0018"}}',
        b"[[[[[[[[[[",
        b'{"error_code":"INVALID_KEY","message":"no"}',
        b'[{"id":"x","sport_key":"soccer_epl","commence_time":"never","bookmakers":[]}]',
        b"id,name\n1,2\n",
        b'"event_id"x,sport_key,commence_time\nevent_id,sport_key,commence_time\n1,2,3\n',
    ],
)
def test_rubbish_is_listed_and_its_neighbours_are_replayed(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "rubbish").write_bytes(body)
    lay = book("smarkets", (2.02, 4.1, 3.6), NOON, "h2h_lay")
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON), lay)])

    found = replay([tmp_path], QUERY)

    assert len(found.files) == 2
    assert len(found.opportunities) == 3
    rubbish = next(file for file in found.files if file.name.endswith("rubbish"))
    assert rubbish.error or rubbish.note or rubbish.dropped


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_broken_value_anywhere_stops_nothing(tmp_path: Path, data: st.DataObject) -> None:
    documents = [
        {"timestamp": ms(NOON), "result": [catalogue_entry(), market_book()]},
        json.loads(stream_line(NOON, (2.02, 4.1, 3.6), defined=True)),
        {"timestamp": ms(NOON), "data": [event(book("coral", (2.0, 4.0, 3.5), NOON))]},
    ]
    broken = data.draw(st.sampled_from(documents))
    node, key = data.draw(st.sampled_from(list(places(broken))))
    node[key] = data.draw(rubbish)
    for i, document in enumerate(documents):
        write(tmp_path / f"{i}.json", document)

    found = replay([tmp_path], QUERY)

    assert len(found.files) == 3
    msgspec.json.encode(found)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every node and key of a document."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)


def test_a_file_name_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odds\xff.json"))
    write(path, [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    assert b"odds" in msgspec.json.encode(replay([path], QUERY))


def test_what_a_decoder_leaves_out_is_counted_by_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "odds.json", [event(book("coral", (2.0, 0.5, 3.5), NOON))])
    found = replay([path], QUERY)
    assert found.dropped == {"price not above 1": 1}
    assert found.files[0].dropped == 1


def test_events_without_prices_are_matched_and_never_priced(tmp_path: Path) -> None:
    bare = {key: value for key, value in event().items() if key != "bookmakers"}
    write(tmp_path / "events.json", [bare])
    write(tmp_path / "catalogue.json", [catalogue_entry()])
    found = replay([tmp_path], QUERY)
    assert (found.matches.match, found.considered, found.moments) == (1, 0, 0)


def test_events_without_prices_add_to_those_of_other_files(tmp_path: Path) -> None:
    bare = {key: value for key, value in event().items() if key != "bookmakers"}
    write(tmp_path / "a.json", [bare])
    other = {**bare, "id": "b" * 32, "home_team": "Derby County", "away_team": "Millwall"}
    write(tmp_path / "b.json", [other])
    write(tmp_path / "catalogue.json", [catalogue_entry()])
    found = replay([tmp_path], QUERY)
    assert (found.matches.match, found.matches.none) == (1, 1)


def test_prices_that_nothing_dates_are_left_out_and_counted(tmp_path: Path) -> None:
    undated = book("coral", (2.0, 4.0, 3.5), NOON)
    del undated["last_update"], undated["markets"][0]["last_update"]
    write(tmp_path / "odds.json", [event(undated)])
    write(tmp_path / "books.json", [market_book()])
    found = replay([tmp_path], QUERY)
    assert found.dropped == {"snapshot without a time": 1, "book without a time": 1}
    assert found.considered == 0


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="path"):
        replay([tmp_path / "nowhere"], QUERY)


# --- the command ------------------------------------------------------------------------------


def app() -> typer.Typer:
    made = typer.Typer()
    made.command("replay")(command.replay)
    return made


def test_the_command_prints_json_for_a_program(tmp_path: Path) -> None:
    lay = book("smarkets", (2.02, 4.1, 3.6), NOON, "h2h_lay")
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON), lay)])
    result = CliRunner().invoke(app(), [str(tmp_path), "--json", "--kind", "snr", "-n", "1"])
    told = json.loads(result.stdout)
    assert told.keys() >= {"files", "opportunities", "matches", "dropped", "rejected"}
    (found,) = told["opportunities"]
    assert (found["kind"], found["as_of"]) == ("snr", iso(NOON))


def test_the_command_prints_tables_for_people(tmp_path: Path) -> None:
    lay = book("smarkets", (2.02, 4.1, 3.6), NOON, "h2h_lay")
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 0.5, 3.5), NOON), lay)])
    result = CliRunner().invoke(app(), [str(tmp_path)])
    assert result.exit_code == 0
    assert "Leeds United v Hull City" in result.stdout
    assert "1 price not above 1" in result.stdout
    assert "1 unmatched" in result.stdout


def test_the_tables_of_the_command_are_as_agreed(tmp_path: Path) -> None:
    lay = book("smarkets", (2.02, 4.1, 3.6), NOON, "h2h_lay")
    prices = [event(book("coral", (2.0, 0.5, 3.5), NOON), lay)]
    write(tmp_path / "1-odds.json", prices)
    write(tmp_path / "2-catalogue.json", [catalogue_entry()])
    write(tmp_path / "3-books.json", [market_book()])
    (tmp_path / "4-notes.txt").write_text("no prices")
    shown = []
    for words in ((), ("--kind", "snr", "--stake", "25"), ("--rank", "rating", "-n", "2")):
        result = CliRunner(env={"COLUMNS": "160"}).invoke(app(), [str(tmp_path), *words])
        shown.append(f"{' '.join(words)}\n{result.stdout}")
    text = "\n".join(line.rstrip() for line in "\n".join(shown).splitlines())
    assert_agreed("replay.txt", text.replace(str(tmp_path), "FOLDER"))


def test_the_command_uses_the_ledger_of_the_state_folder_unless_told_otherwise(
    tmp_path: Path, doubtful: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(state))

    def matched(*options: str) -> int:
        result = CliRunner().invoke(app(), [str(doubtful), "--json", *options])
        found: int = json.loads(result.stdout)["matches"]["match"]
        return found

    assert matched() == 0
    record_alias(state / FILE_NAME)
    assert matched() == 1
    (tmp_path / "none").touch()
    assert matched("--aliases", str(tmp_path / "none")) == 0


def test_the_command_refuses_a_stake_that_is_no_amount(tmp_path: Path) -> None:
    result = CliRunner().invoke(app(), [str(tmp_path), "--stake", "ten"])
    assert isinstance(result.exception, InvalidInput)


def test_every_file_counts_what_was_in_it_and_every_moment_is_asked_about_once(
    tmp_path: Path,
) -> None:
    write(tmp_path / "odds.json", [event(book("coral", (2.0, 4.0, 3.5), NOON))])
    lines = [
        stream_line(NOON - timedelta(minutes=1), (2.1, 4.3, 3.8), defined=True),
        stream_line(NOON + timedelta(minutes=2), (2.0, 4.3, 3.8)),
        stream_line(NOON + timedelta(minutes=4), (2.04, 4.3, 3.8)),
        stream_line(NOON + timedelta(hours=2), (2.02, 4.3, 3.8)),
    ]
    (tmp_path / "stream").write_text("\n".join(lines), encoding="utf-8")

    found = replay([tmp_path], QUERY)

    odds, stream = found.files
    assert (odds.snapshots, odds.events, odds.books) == (1, 1, 0)
    assert (stream.snapshots, stream.markets, stream.books) == (122, 1, 122), "a minute each"
    assert found.considered == 3, "only bookmaker prices are counted, and their moment once"
