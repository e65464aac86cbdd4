"""The worked example told to the command line, without and with a running daemon."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kos.actors import ledger as ledger_actor
from kos.cli.app import app
from kos.messages import MESSAGES
from kos.runtime import NodeSpec, System, connect
from tests.cli.terminal import Terminal

CATALOGUE = """
[[offer]]
key = "coral-bet10-get10"
bookmaker = "coral"
title = "Bet £10, get a £10 free bet"
deposit_min = 10
trigger = "settlement"

[offer.qualifying]
min_stake = "10.00"
min_odds = "1/2"

[[offer.bonuses]]
face = 10
kind = "snr"
"""

QUALIFIER = """
books record A joined name=Ann
books record A opened amount=100
offers record A c1 deposit_sent offer=coral-bet10-get10 amount=10 is_instant=true
offers record A c1 float_sent exchange=betfair amount=60
offers record A c1 qualifier_placed bet=q stake=10 odds=2.50 selection=Leeds
offers record A c1 lay_matched bet=ql exchange=betfair market=1.1 selection=Leeds stake=9.92 odds=2.54 commission=0.02
offers record A c1 bet_settled bet=q result=lost amount=0
offers record A c1 triggered met_by=settled
offers record A c1 bet_settled bet=ql result=won amount=9.92
offers record A c1 commission_charged exchange=betfair amount=0.20
offers record A c1 credited token=t1 face=10 expires_at=+7d
"""
FREE_BET = """
offers record A c1 free_bet_placed token=t1 bet=f stake=10 odds=6.0 selection=York
offers record A c1 lay_matched bet=fl exchange=betfair market=1.2 selection=York stake=7.84 odds=6.4 commission=0.02
offers record A c1 bet_settled bet=f result=won amount=50
offers record A c1 free_bet_settled token=t1 bet=fl result=lost amount=42.34
offers record A c1 withdrawal_requested venue=coral amount=50.00
offers record A c1 withdrawal_requested venue=betfair amount=27.38
offers record A c1 withdrawal_arrived arrivals.0.venue=coral arrivals.0.amount=50 arrivals.1.venue=betfair arrivals.1.amount=27.38
offers record A c1 completed
"""


def begin(terminal: Terminal, folder: Path) -> None:
    catalogue = folder / "offers.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    terminal.well("offers import", str(catalogue))
    terminal.script(QUALIFIER)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "kos")


@pytest.fixture
def daemon(terminal: Terminal) -> Iterator[Terminal]:
    terminal.state_dir.mkdir()
    system = System(
        name="test",
        nodes=(NodeSpec(name="ledger", children=(ledger_actor.spec(terminal.state_dir),)),),
        messages=MESSAGES,
        run_dir=terminal.state_dir / "run",
    )
    system.start()
    supervisor = threading.Thread(target=system.run)
    supervisor.start()
    try:
        with connect(terminal.state_dir / "run", MESSAGES) as client:
            client.describe()
        yield terminal
    finally:
        system.request_stop()
        supervisor.join(20)


def ends_as_the_reference_says(terminal: Terminal) -> None:
    books = terminal.json("books show -p A")
    balances = {line["account"]: line["balance"] for line in books["balances"]}
    assert books["profit"] == 738
    assert books["trial_balance"] == 0
    assert {name: balance for name, balance in balances.items() if balance} == {
        "bank": 10_738,
        "equity:opening": -10_000,
        "pnl:coral:qualifier": 1000,
        "pnl:betfair:qualifier": -992,
        "pnl:betfair:commission": 20,
        "pnl:coral:free_bet": -5000,
        "pnl:betfair:free_bet": 4234,
    }
    lines = terminal.json("books statement A")
    assert len({line["transaction"] for line in lines}) == 16
    (offer,) = terminal.json("offers list")
    assert (offer["outcome"], offer["phase"]) == ("COMPLETED", "FREE_BET_SETTLED")
    verified = terminal.json("ledger verify")
    assert verified["problems"] == []


def test_the_worked_example_ends_with_its_figures(terminal: Terminal, tmp_path: Path) -> None:
    begin(terminal, tmp_path)
    assert terminal.json("books show -p A")["profit"] == -28
    terminal.script(FREE_BET)
    ends_as_the_reference_says(terminal)


def test_a_running_daemon_records_and_answers(daemon: Terminal, tmp_path: Path) -> None:
    begin(daemon, tmp_path)
    daemon.script(FREE_BET)
    assert "no daemon" not in daemon.type("offers list").output
    ends_as_the_reference_says(daemon)
    copy = tmp_path / "copy.db"
    assert "a checked copy" in daemon.well("ledger backup", str(copy))
    refused = daemon.type("ledger restore", str(copy))
    assert refused.exit_code != 0
    assert "Stop the daemon first" in str(refused.exception)


def test_without_a_daemon_it_is_said_which_file_is_read_or_written(terminal: Terminal) -> None:
    written = terminal.type("books record A joined name=Ann")
    assert "no daemon is running: writing to the ledger directly" in written.stderr
    read = terminal.type("books participants --json")
    assert "no daemon is running: reading the ledger directly" in read.stderr
    assert json.loads(read.stdout)[0]["name"] == "Ann"


def test_a_repeated_key_records_once(terminal: Terminal) -> None:
    terminal.well("books record A joined name=Ann")
    first = terminal.well("books record A opened amount=5 --key k --json")
    assert terminal.well("books record A opened amount=5 --key k --json") == first
    assert terminal.json("books show -p A")["capital"] == 500


def test_a_refusal_is_told_and_exits_with_1(terminal: Terminal) -> None:
    terminal.well("books record A joined name=Ann")
    result = terminal.type("books record A drawn amount=5")
    assert result.exit_code == 1
    assert "refused: Bank: only £0.00, £5.00 too little" in result.stderr


def test_people_are_shown_tables(terminal: Terminal, tmp_path: Path) -> None:
    begin(terminal, tmp_path)
    shown = terminal.well("offers show A c1")
    assert "Free bet credited" in shown
    assert "you can record: bet_settled, commission_charged, free_bet_placed" in shown
    assert "hedged" in shown
    assert "£69.72" in terminal.well("books show -p A")
    assert "coral-bet10" in terminal.well("offers catalogue")
    assert "opening balance" in terminal.well("books statement A")


def test_a_wrong_word_is_named_with_what_is_expected(terminal: Terminal) -> None:
    result = terminal.type("offers record A c1 credited coupon=t1")
    assert result.exit_code != 0
    assert "coupon" in str(result.exception)
    assert "token" in str(result.exception)
    assert "offer amount" in CliRunner().invoke(app, ["offers", "facts", "deposit_sent"]).stdout
