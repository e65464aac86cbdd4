"""The calculators of ``kos calc`` at the desk."""

from __future__ import annotations

from rapidfuzz import fuzz, process

from kos.desk.arguments import tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.formatting import TextPart, bold, button, code, in_rows, table
from kos.domain.calculators import KINDS, Calculator, calculate
from kos.domain.calculators.spoken import label_of, spoken_inputs
from kos.errors import InvalidInput
from kos.views.table import TableView

_PAGE = 12
_ALIKE = 60.0
_PERCENT = "_pct"


def _calc(visit: DeskContext) -> DeskReply:
    wanted = visit.words.first().casefold().replace("-", "_")
    if not wanted:
        return _kinds(visit)
    calculator = _known(wanted)
    if not visit.words.named and len(visit.words.plain) == 1:
        return _about(visit, calculator)
    pairs = [(name, name, value) for name, value in visit.words.named.items()]
    for word in visit.words.plain[1:]:
        raise InvalidInput(calculator.kind, tidy(word, 60), "name=value")
    inputs = spoken_inputs(calculator, pairs, ", ".join(calculator.inputs))
    outputs = calculate(calculator.kind, inputs)
    rows = tuple(
        (label_of(name), f"{value}%" if name.endswith(_PERCENT) else value)
        for name, value in outputs.items()
    )
    view = TableView(title="", headings=("", ""), rows=rows, numbers=frozenset({1}))
    return reply_of(bold(calculator.kind), f"\n{calculator.summary}\n", table(view))


def _kinds(visit: DeskContext) -> DeskReply:
    blocks: list[tuple[TextPart, ...]] = [
        (code(f"/calc {calculator.kind}"), f"\n{calculator.summary}")
        for calculator in KINDS.values()
    ]
    return visit.listed("Calculators", blocks, _PAGE, "/calc")


def _known(wanted: str) -> Calculator:
    calculator = KINDS.get(wanted)
    if calculator is not None:
        return calculator
    near = process.extractOne(wanted, KINDS.keys(), scorer=fuzz.WRatio, score_cutoff=_ALIKE)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise InvalidInput("kind", tidy(wanted, 40), f"a calculator listed by /calc{hint}")


def _about(visit: DeskContext, calculator: Calculator) -> DeskReply:
    parts: list[TextPart] = [bold(calculator.kind), f"\n{calculator.summary}\n"]
    for name, entry in calculator.inputs.items():
        absent = "" if entry.is_required else f" (default: {entry.default or 'none'})"
        parts.append(f"\n{name}: {entry.reader.allowed}{absent}")
    typed = " ".join(f"{name}=…" for name, entry in calculator.inputs.items() if entry.is_required)
    parts += ["\n\n", code(f"/calc {calculator.kind} {typed}".rstrip())]
    back = button("All calculators", "/calc page=1")
    return reply_of(*parts, buttons=in_rows([back]), is_edit=visit.is_edit)


COMMANDS = (
    Command(
        "calc",
        _calc,
        "Lay, dutching, accumulator and odds calculators",
        Subject.CALCULATORS,
        "[KIND name=value ...]",
        details="/calc lists the calculators, /calc KIND the inputs of one. "
        "Separate lists with commas.",
        examples=(
            "/calc qualifying back_stake=10 back_odds=2.5 lay_odds=2.54 commission=0.02",
            "/calc dutch_total odds=2.1,3.5,4.2 total_stake=50",
        ),
    ),
)
