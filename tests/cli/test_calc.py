from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kos.cli import calc
from kos.cli.batch import MAX_LINE_BYTES, answer, answers
from kos.cli.calc import inputs_from_options
from kos.domain.calculators import KINDS, calculate
from kos.errors import InvalidInput

WORKED = Path(__file__).parents[1] / "data/maths/worked.jsonl"
QUALIFYING = "qualifying --back-stake 10 --back-odds 2.5 --lay-odds 2.54 --commission 0.02"


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    calc.register(app)
    app.command("other")(lambda: None)  # with one command alone typer would drop its name
    return app


def run(app: typer.Typer, line: str) -> str:
    result = CliRunner().invoke(app, ["calc", *line.split()], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_person_gets_a_table(app: typer.Typer) -> None:
    printed = run(app, QUALIFYING)
    assert "Lay stake" in printed
    assert "9.92" in printed
    assert "97.22%" in printed


def test_program_gets_json(app: typer.Typer) -> None:
    printed = json.loads(run(app, QUALIFYING + " --json"))
    assert printed["kind"] == "qualifying"
    assert printed["outputs"]["lay_stake"] == "9.92"


def test_list_names_every_kind_and_its_inputs(app: typer.Typer) -> None:
    listed = json.loads(run(app, "--list --json"))
    assert set(listed) == set(KINDS)
    assert listed["qualifying"]["inputs"]["lay_odds"]["required"]
    printed = run(app, "--list")
    assert "snr_retention" in printed
    assert "\\[" not in printed


def test_help_of_a_kind_shows_its_options_and_help_of_the_command_the_usage(
    app: typer.Typer,
) -> None:
    printed = run(app, "each-way --help")
    assert "--win-lay-odds" in printed
    assert "needed" in printed
    assert "--batch" in run(app, "--help")
    assert "--batch" in run(app, "")


def test_values_below_zero_reach_their_option(app: typer.Typer) -> None:
    outputs = json.loads(run(app, "odds_conversion --american -400 --json"))["outputs"]
    assert outputs["decimal"] == "1.25"


@pytest.mark.parametrize(
    "legs",
    [
        "--legs 1.6:1.63:0.02,1.75:1.79:0.02",
        "--legs 1.6:1.63:0.02 --legs 1.75:1.79:0.02",
        "--legs back_odds=1.6,lay_odds=1.63,commission=0.02 --legs=1.75:1.79:0.02",
        '--legs [{"back_odds":1.6,"lay_odds":1.63,"commission":0.02},"1.75:1.79:0.02"]',
        '--legs {"back_odds":1.6,"lay_odds":1.63,"commission":0.02} --legs 1.75:1.79:0.02',
    ],
)
def test_lists_are_given_with_commas_repeated_or_as_json(legs: str) -> None:
    inputs = inputs_from_options(KINDS["sequential_lay"], ["--stake", "20", *legs.split()])
    two = [
        {"back_odds": "1.6", "lay_odds": "1.63", "commission": "0.02"},
        {"back_odds": "1.75", "lay_odds": "1.79", "commission": "0.02"},
    ]
    assert calculate("sequential_lay", inputs) == calculate(
        "sequential_lay", {"stake": "20", "legs": two}
    )


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("qualifying --back-stak 10", "--back-stak"),
        ("qualifying 10", "10"),
        ("qualifying --back-stake", "--back-stake"),
        ("qualifying --back-stake 10 --back-stake 20", "--back-stake"),
        ("qualifying --back-stake 10", "back_odds"),
        ("sequential_lay --stake 1 --legs [rubbish", "--legs"),
        ("nothing --back-stake 10", "kind"),
        ("--batch no/such/file.jsonl", "--batch"),
        ("--batch .", "--batch"),
    ],
)
def test_mistakes_are_refused_with_the_option_at_fault(
    app: typer.Typer, line: str, field: str
) -> None:
    result = CliRunner().invoke(app, ["calc", *line.split()])
    assert isinstance(result.exception, InvalidInput)
    assert result.exception.field == field


def test_batch_answers_every_line_in_order(app: typer.Typer) -> None:
    cases = [json.loads(line) for line in WORKED.read_text().splitlines()]
    printed = [json.loads(line) for line in run(app, f"--batch {WORKED}").splitlines()]
    assert [entry["id"] for entry in printed] == [case["id"] for case in cases]
    for entry, case in zip(printed, cases, strict=True):
        assert entry["kind"] == case["kind"]
        assert {name: entry["outputs"][name] for name in case["expected"]} == case["expected"]


def test_batch_reads_a_pipe_and_answers_before_it_is_closed() -> None:
    program = (
        "import typer; from kos.cli import calc; app = typer.Typer(); calc.register(app);"
        " app.command('other')(lambda: None); app()"
    )
    request = {"id": 7, "kind": "lay_as_back", "inputs": {"lay_odds": 4.5}}
    with subprocess.Popen(
        [sys.executable, "-c", program, "calc", "--batch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    assert first == {"id": 7, "kind": "lay_as_back", "outputs": {"equivalent_back_odds": "1.286"}}


def answered(line: str | bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(answer(line.encode() if isinstance(line, str) else line))
    return read


@pytest.mark.parametrize(
    ("line", "identity", "says"),
    [
        ("rubbish", None, "not a request"),
        ("[]", None, "not a request"),
        ("{}", None, "not a request"),
        ('{"id":"a","kind":"qualifying"}', "a", "not a request"),
        ('{"id":["b"],"kind":3,"inputs":{}}', ["b"], "not a request"),
        ('{"id":4,"kind":"qualifing","inputs":{}}', 4, "qualifing"),
        ('{"id":5,"kind":"qualifying","inputs":{"back_stake":NaN}}', 5, "back_stake"),
        ('{"id":6,"kind":"qualifying","inputs":{"back_stake":-Infinity}}', 6, "back_stake"),
        ('{"id":7,"kind":"qualifying","inputs":{"back_stake":1e999}}', 7, "back_stake"),
        ('{"kind":"qualifying","inputs":{"back_stake":' + "9" * 40 + "}}", None, "back_stake"),
        ('{"id":8,"kind":"qualifying","inputs":{"back_stake":' + "9" * 5000 + "}}", 8, ""),
        (b'{"id":9,"kind":"\xff","inputs":{}}', None, "not a request"),
        ("[" * 100_000, None, "not a request"),
    ],
)
def test_bad_line_is_answered_with_its_id_and_what_is_wrong(
    line: str | bytes, identity: object, says: str
) -> None:
    refused = answered(line)
    assert refused["id"] == identity
    assert says in refused["error"]
    assert "outputs" not in refused


def test_digits_of_json_numbers_are_kept() -> None:
    line = (
        '{"id":1,"kind":"trade_out",'
        '"inputs":{"back_stake":100000000.07,"back_odds":3.00000000001,"lay_odds":3}}'
    )
    assert answered(line)["outputs"]["profit"] == "0.00"
    assert answered(line)["outputs"]["lay_stake"] == "100000000.07"


def test_blank_lines_are_passed_over_and_endless_ones_refused_without_being_kept() -> None:
    good = b'{"id":1,"kind":"lay_as_back","inputs":{"lay_odds":"4.5"}}'
    stream = io.BytesIO(b"\n  \n" + good + b"\n" + b"x" * (2 * MAX_LINE_BYTES + 5) + b"\n" + good)
    printed = [json.loads(line) for line in answers(stream)]
    assert [entry["id"] for entry in printed] == [1, None, 1]
    assert "longer" in printed[1]["error"]


PAGE = (Path(__file__).parents[2] / "docs/understand/calculators.md").read_text()


def test_page_names_every_kind_with_its_summary() -> None:
    for kind, calculator in KINDS.items():
        assert f"| `{kind}` | {calculator.summary} |" in PAGE


def test_examples_of_the_page_print_what_it_says(app: typer.Typer) -> None:
    examples = PAGE.split("```console\n")[1].split("```")[0].strip().splitlines()
    for command, printed in zip(examples[::2], examples[1::2], strict=True):
        assert run(app, command.removeprefix("$ kos calc ")).strip() == printed
