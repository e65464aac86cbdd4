"""Every wrong line that can be made of a module: which characters become which others."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True)
class Mutant:
    """One wrong line.

    Args:
        path: of the module, from the root of the tree.
        line: where the changed code begins, from 1.
        statement: the line where the statement around it begins.
        start: of the changed code, in bytes of the file.
        end: of the changed code, in bytes of the file.
        code: what stands there instead.
        operator: the kind of the change.
        is_at_import: whether the line runs when the module is imported, in no function.
        before: the line as it is, stripped.
        after: the line as it becomes, stripped.
    """

    path: str
    line: int
    statement: int
    start: int
    end: int
    code: str
    operator: str
    is_at_import: bool
    before: str
    after: str

    def apply(self, source: bytes) -> bytes:
        """The module's text with the wrong line in it."""
        return source[: self.start] + self.code.encode() + source[self.end :]


COMPARISONS: dict[type[ast.cmpop], tuple[ast.cmpop, ...]] = {
    ast.Lt: (ast.LtE(), ast.GtE()),
    ast.LtE: (ast.Lt(), ast.Gt()),
    ast.Gt: (ast.GtE(), ast.LtE()),
    ast.GtE: (ast.Gt(), ast.Lt()),
    ast.Eq: (ast.NotEq(),),
    ast.NotEq: (ast.Eq(),),
    ast.Is: (ast.IsNot(),),
    ast.IsNot: (ast.Is(),),
    ast.In: (ast.NotIn(),),
    ast.NotIn: (ast.In(),),
}
ARITHMETIC: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
    ast.FloorDiv: ast.Mult(),
    ast.Mod: ast.Mult(),
}
ROUNDING = {
    "ROUND_UP": "ROUND_DOWN",
    "ROUND_DOWN": "ROUND_UP",
    "ROUND_FLOOR": "ROUND_CEILING",
    "ROUND_CEILING": "ROUND_FLOOR",
    "ROUND_HALF_UP": "ROUND_DOWN",
    "ROUND_HALF_DOWN": "ROUND_UP",
    "ROUND_HALF_EVEN": "ROUND_HALF_UP",
}
LOGGERS = frozenset({"log", "logger", "_log", "LOG"})
UNSEEN = frozenset({"gc", "daemon", "kw_only"})
"""Keywords that change nothing one can see: the collector's rounds, a thread's kind, and whether
fields may be given by place, which only the type checker asks."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def mutants(path: str, source: bytes) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    made = []
    for node, operator, code, statement, is_at_import in _changes(tree, 1, is_at_import=True):
        start = offsets[node.lineno - 1] + node.col_offset
        end = offsets[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        changed = source[:start] + code.encode() + source[end:]
        made.append(
            Mutant(
                path=path,
                line=node.lineno,
                statement=statement,
                start=start,
                end=end,
                code=code,
                operator=operator,
                is_at_import=is_at_import,
                before=lines[node.lineno - 1].decode().strip(),
                after=changed.splitlines()[node.lineno - 1].decode().strip(),
            )
        )
    return sorted(made, key=lambda mutant: (mutant.line, mutant.start, mutant.operator))


def _changes(
    node: ast.AST, statement: int, *, is_at_import: bool
) -> Iterator[tuple[ast.expr | ast.stmt, str, str, int, bool]]:
    """The changes in a node and below it; annotations, texts, imports and logs are let be."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return
        case ast.keyword(arg=name) if name in UNSEEN:
            return
        case ast.If(body=body, orelse=[]) if all(map(_is_log, body)):
            return
    if isinstance(node, ast.expr):
        for operator, code in _of_expression(node):
            yield node, operator, code, statement, is_at_import
    elif isinstance(node, ast.stmt):
        statement = node.lineno
        for changed, operator, code in _of_statement(node):
            yield changed, operator, code, statement, is_at_import
    is_at_import = is_at_import and not isinstance(node, FUNCTIONS)
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child, statement, is_at_import=is_at_import)


def _of_expression(node: ast.expr) -> Iterator[tuple[str, str]]:
    """What an expression can become: the kind of the change, and its code."""
    match node:
        case ast.Compare(ops=[only]):
            for other in COMPARISONS[type(only)]:
                yield "comparison", _changed(node, ops=[other])
        case ast.BoolOp(op=op):
            yield "and or", _changed(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", f"({ast.unparse(operand)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "sign", f"({ast.unparse(operand)})"
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield "arithmetic", _changed(node, op=ARITHMETIC[type(op)])
        case ast.IfExp():
            yield from (
                ("condition", _changed(node, test=ast.Constant(value=value)))
                for value in (True, False)
            )
        case ast.Constant(value=bool(value)):
            yield "constant", str(not value)
        case ast.Constant(value=int(value)):
            yield from (("constant", f"({value + step})") for step in (1, -1))
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(text))]):
            yield from (("constant", code) for code in _decimals(text))
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in ROUNDING:
            yield "rounding", repr(ROUNDING[name])


def _of_statement(node: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """What a statement can become: the node to replace, the kind of the change, and its code."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.If(test=test):
            yield from ((test, "condition", str(value)) for value in (True, False))
        case ast.While(test=test) if not isinstance(test, ast.Constant):
            yield test, "condition", "False"
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield value, "return", "None"
        case ast.Expr(value=ast.Call()) if not _is_log(node):
            yield node, "removed", "pass"
        case ast.Raise() | ast.AugAssign() | ast.Delete():
            yield node, "removed", "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "removed", "pass"
        case ast.Continue():
            yield node, "loop", "break"
        case ast.Break():
            yield node, "loop", "continue"


def _changed(node: ast.expr, **fields: object) -> str:
    """The code of an expression with some of its parts replaced, in brackets."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return f"({ast.unparse(other)})"


def _decimals(text: str) -> Iterator[str]:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return
    if value.is_finite():
        yield from (f'Decimal("{value + step}")' for step in (1, -1))


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_log(node: ast.stmt) -> bool:
    """Whether a statement writes to the log, and does no more."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in LOGGERS
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name)))):
            return name in LOGGERS
    return False
