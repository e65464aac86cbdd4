"""The options of a command, made from the table of filters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, TypeVar

import typer

from kos.domain.opportunities.filters import FILTERS, Filter, FilterUnit, SignalKind

Command = TypeVar("Command", bound=Callable[..., None])
Given = str | bool | None
"""The value of an option: a text, or whether a switch is set; None if it is left out."""

DEFAULT_LIMIT = 10
_METAVARS = {
    FilterUnit.POUNDS: "POUNDS",
    FilterUnit.ODDS: "ODDS",
    FilterUnit.ODDS_RANGE: "ODDS-ODDS",
    FilterUnit.DURATION: "HOURS",
    FilterUnit.COUNT: "NUMBER",
    FilterUnit.BOOKMAKER: "NAME",
    FilterUnit.EXCHANGE: "NAME",
    FilterUnit.SPORT: "NAME",
}


def with_filters(kinds: Collection[SignalKind]) -> Callable[[Command], Command]:
    """Give a command the options of all filters for these kinds, in its ``**given``.

    Args:
        kinds: What the command can be asked for.
    """

    def decorated(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = signature.parameters.values()
        options = [
            option
            for declared in FILTERS
            if declared.kinds.intersection(kinds)
            for option in _options(declared, kinds)
        ]
        first = [
            parameter for parameter in own if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]
        last = [parameter for parameter in own if parameter.kind is parameter.KEYWORD_ONLY]
        # typer reads a command's options from its signature.
        command.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*first, *options, *last]
        )
        return command

    return decorated


def texts_of(options: Mapping[str, Given]) -> dict[str, str]:
    """The options that were given, by name, each as a text."""
    return {name: str(value) for name, value in options.items() if value}


def _options(declared: Filter, kinds: Collection[SignalKind]) -> Iterator[inspect.Parameter]:
    """Its options; those under its other names are understood, and not in the help."""
    switches = {switch.name for switch in declared.switches}
    for switch in declared.switches:
        option = typer.Option(_dashed(switch.name), help=switch.help)
        yield _parameter(switch.name, bool, option, default=False)
    for name in declared.names:
        if name in switches:
            continue
        letters = [f"-{declared.letter}"] if declared.letter and name == declared.name else []
        option = typer.Option(
            _dashed(name),
            *letters,
            metavar=_metavar(declared, kinds),
            help=_help(declared, kinds),
            hidden=bool(switches) or name != declared.name,
        )
        yield _parameter(name, str | None, option, default=None)


def _parameter(name: str, kind: Any, option: object, *, default: Given) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _metavar(declared: Filter, kinds: Collection[SignalKind]) -> str:
    choices = [choice.value for choice in declared.choices if choice.kinds.intersection(kinds)]
    if declared.name == "kind":
        choices = [kind.value for kind in SignalKind if kind in kinds]
    return f"[{'|'.join(choices)}]" if choices else _METAVARS[declared.unit]


def _help(declared: Filter, kinds: Collection[SignalKind]) -> str:
    if declared.name == "limit":
        return f"{declared.help} Default: {DEFAULT_LIMIT}."
    others = {kind: text for kind, text in declared.defaults.items() if kind in kinds}
    text = f"{declared.help} Default: {declared.default}" if declared.default else declared.help
    for default in dict.fromkeys(others.values()):
        names = " and ".join(str(kind) for kind, text in others.items() if text == default)
        text += f" ({default} for {names})"
    return f"{text}." if declared.default else text
