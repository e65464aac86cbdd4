"""``kos calc``: every calculator from the terminal.

The options of a kind are made from the table of kinds, so a new calculator needs nothing here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kos.cli.settings import print_json
from kos.errors import InvalidInput

if TYPE_CHECKING:
    from kos.domain.calculators import Calculator

CONTEXT: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""A kind's options are not known to the parser of the command line; they reach `calc` as typed."""


def register(app: typer.Typer) -> None:
    """Add ``calc`` to the command line."""
    app.command("calc", context_settings=CONTEXT)(calc)


def calc(  # noqa: PLR0917 - typer reads its options off the signature
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Argument(help="The calculator (see --list).")] = None,
    list_kinds: Annotated[
        bool, typer.Option("--list", help="List the calculators and their inputs.")
    ] = False,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help='Answer {"id","kind","inputs"} lines of a file, or of standard input with "-".',
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show_help: Annotated[
        bool, typer.Option("--help", help="Show this message, or the inputs of a calculator.")
    ] = False,
) -> None:
    """Compute lays, dutches, accumulators, fair odds and the rest: KIND --INPUT VALUE ...

    For example: kos calc qualifying --back-stake 10 --back-odds 2.5 --lay-odds 2.54
    --commission 0.02
    """
    from kos.domain.calculators import calculate

    if batch is not None:
        _run_batch(batch)
    elif list_kinds:
        _print_list(as_json=as_json)
    elif kind is None:
        typer.echo(ctx.get_help())
    elif show_help:
        _print_kind(_known(kind))
    else:
        calculator = _known(kind)
        outputs = calculate(calculator.kind, inputs_from_options(calculator, ctx.args))
        _print_outputs(calculator, outputs, as_json=as_json)


def inputs_from_options(calculator: Calculator, options: list[str]) -> dict[str, object]:
    """Inputs by name from options as typed.

    A list is given with commas or by repeating its option. An entry with fields is
    ``name=value,name=value``, or its values in order as ``1.60:1.63:0.02``, or JSON.

    Raises:
        InvalidInput: An option is no input of this kind, lacks its value, or is given twice.
    """
    from kos.domain.calculators.spoken import spoken_inputs

    return spoken_inputs(calculator, _pairs(calculator, options), _options(calculator))


def _pairs(calculator: Calculator, options: list[str]) -> Iterator[tuple[str, str, str]]:
    waiting = iter(options)
    for option in waiting:
        typed, has_value, value = option.partition("=")
        name = typed.removeprefix("--").replace("-", "_")
        field = calculator.input_named(name)
        if not typed.startswith("--") or field is None:
            raise InvalidInput(
                typed, option, f"an option of {calculator.kind}: {_options(calculator)}"
            )
        text = value if has_value else next(waiting, None)
        if text is None:
            raise InvalidInput(typed, "nothing", f"a value: {field.reader.allowed}")
        yield typed, name, text


def _known(kind: str) -> Calculator:
    from kos.domain.calculators import KINDS

    calculator = KINDS.get(kind.replace("-", "_"))
    if calculator is None:
        raise InvalidInput("kind", kind, "one of the calculators in kos calc --list")
    return calculator


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _options(calculator: Calculator) -> str:
    return ", ".join(_option(name) for name in calculator.inputs)


def _run_batch(path: str) -> None:
    from kos.cli.batch import answers

    write, flush = sys.stdout.buffer.write, sys.stdout.buffer.flush
    if path == "-":
        for line in answers(sys.stdin.buffer):
            write(line + b"\n")
            flush()  # the sender may wait for the answer before the next line
        return
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - "-" and paths are told apart as text
            for line in answers(stream):
                write(line + b"\n")
    except FileNotFoundError:
        raise InvalidInput("--batch", path, "a file that exists, or - for standard input") from None
    except (IsADirectoryError, PermissionError):
        raise InvalidInput("--batch", path, "a file that can be read") from None
    flush()


def _print_outputs(calculator: Calculator, outputs: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json({"kind": calculator.kind, "outputs": outputs})
        return
    from kos.domain.calculators.spoken import label_of

    console = Console()
    console.print(calculator.summary, highlight=False)
    table = Table(show_header=False)
    table.add_column("output")
    table.add_column("value", justify="right")
    for name, value in outputs.items():
        shown = f"{value}%" if name.endswith("_pct") else value
        table.add_row(label_of(name), Text(shown, style="red" if value.startswith("-") else ""))
    console.print(table)


def _print_list(*, as_json: bool) -> None:
    from kos.domain.calculators import KINDS

    if as_json:
        print_json({kind: _described(calculator) for kind, calculator in KINDS.items()})
        return
    table = Table(title="Calculators", title_justify="left", show_lines=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("what it calculates, and its inputs (optional ones in brackets)")
    for kind, calculator in KINDS.items():
        names = " ".join(
            name if entry.is_required else f"\\[{name}]"
            for name, entry in calculator.inputs.items()
        )
        table.add_row(kind, f"{calculator.summary}\n[dim]{names}[/dim]")
    Console().print(table)


def _described(calculator: Calculator) -> dict[str, object]:
    return {
        "summary": calculator.summary,
        "inputs": {
            name: {
                "allowed": entry.reader.allowed,
                "required": entry.is_required,
                "default": entry.default,
                "list": entry.is_list,
                "fields": entry.fields,
            }
            for name, entry in calculator.inputs.items()
        },
        "outputs": calculator.outputs,
    }


def _print_kind(calculator: Calculator) -> None:
    console = Console()
    console.print(f"kos calc {calculator.kind}: {calculator.summary}", highlight=False)
    table = Table()
    table.add_column("option", no_wrap=True)
    table.add_column("allowed")
    table.add_column("if left out")
    for name, entry in calculator.inputs.items():
        absent = "needed" if entry.is_required else entry.default or "-"
        table.add_row(_option(name), Text(entry.reader.allowed), Text(absent))
    console.print(table)
    console.print("Gives: " + ", ".join(calculator.outputs), highlight=False)
