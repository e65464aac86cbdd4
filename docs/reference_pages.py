# ruff: noqa: INP001 - MkDocs loads it by its path
"""Makes the reference pages from the code while the site is built: they cannot be out of date."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
import typer
from mkdocs.structure.files import File, Files

from kos import errors, messages
from kos.cli.app import app
from kos.config.described import rows as setting_rows
from kos.desk import TABLE
from kos.desk.command import Subject
from kos.domain.offers.facts import MONEY_FACTS, OFFER_FACTS
from kos.domain.offers.forms import FACT_FORMS
from kos.domain.offers.typed_facts import spoken_names
from kos.domain.opportunities.filters import FILTERS, Filter, FilterUnit, SignalKind
from kos.observability.vocabulary import COMMON_KEYS, EVENTS, KEYS
from kos.service.metrics import METRICS
from kos.views.facts import field_rows

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every page of :data:`PAGES` to the site."""
    for name, page in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files


def commands_page() -> str:
    """Every command of the desk, the same on Telegram and in ``kos chat``."""
    lines = [
        "# Commands",
        "",
        (
            "The same on Telegram and in `kos chat`, made from the one table of commands. `/help` lists "
            "those that you may use, `/help COMMAND` tells more of one."
        ),
    ]
    for subject in Subject:
        commands = [each for each in TABLE if each.subject is subject and not each.is_hidden]
        if commands:
            lines.append(f"\n## {subject.value}")
        for command in commands:
            lines += [f"\n### `{command.usage}`\n", f"{command.summary}."]
            if command.details:
                lines += ["", command.details]
            lines += ["", f"For: {', '.join(sorted(seat.value for seat in command.seats))}."]
            if command.examples:
                lines += ["", "```", *command.examples, "```"]
    return "\n".join(lines)


def terminal_page() -> str:
    """Every command of the terminal with its options, as ``--help`` has them."""
    root: Any = typer.main.get_command(app)
    return "\n".join(
        [
            "# Commands of the terminal",
            "",
            "Made from the program itself: `kos COMMAND --help` says the same.",
            *_command(root, "kos"),
        ]
    )


def _command(command: Any, name: str) -> Iterator[str]:
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    if name != "kos":
        yield f"\n## {name}\n"
        yield inspect.cleandoc(command.help or "").replace("\b", "")
        wanted = [param for param in shown if param.name != "help"]
        if wanted:
            yield "\n| argument or option | meaning |\n|---|---|"
        for param in wanted:
            names = ", ".join(f"`{each}`" for each in (*param.opts, *param.secondary_opts))
            said = (
                names if param.param_type_name == "option" else f"`{param.metavar or param.name}`"
            )
            yield f"| {said} | {_cell(getattr(param, 'help', '') or '')} |"
    for sub_name, sub in sorted(getattr(command, "commands", {}).items()):
        if not sub.hidden:
            yield from _command(sub, f"{name} {sub_name}")


def filters_page() -> str:
    """Every filter of a question about opportunities, with its names and limits."""
    return "\n".join(
        [
            "# Filters",
            "",
            (
                "The same filters work in `kos signals`, `kos replay`, chat and on the Opportunities "
                "page, and each understands the names of the others. In the terminal, write a name "
                "with two hyphens in front and hyphens for underscores: `--within-hours 2`. In chat, "
                "write `within=2h`."
            ),
            "",
            *_table(
                ("filter", "other names", "value", "default", "for", "meaning"),
                map(_filter_cells, FILTERS),
            ),
        ]
    )


def _filter_cells(declared: Filter) -> tuple[str, ...]:
    others = [name for name in declared.names if name != declared.name]
    others += [each.name for each in declared.switches if each.name != declared.name]
    values = declared.unit.value
    if declared.choices:
        values = ", ".join(f"`{choice.value}`" for choice in declared.choices)
    elif declared.unit is FilterUnit.POUNDS:
        values = f"£{declared.least:,} to £{declared.most:,}"
    elif declared.unit is FilterUnit.COUNT:
        values = f"{declared.least} to {declared.most}"
    kinds = [kind.value for kind in SignalKind if kind in declared.kinds]
    defaults = [f"`{declared.default}`"] if declared.default else []
    defaults += [f"`{text}` for {kind}" for kind, text in declared.defaults.items()]
    return (
        f"`{declared.name}`",
        ", ".join(f"`{name}`" for name in others),
        values,
        ", ".join(defaults),
        "all" if len(kinds) == len(SignalKind) else ", ".join(kinds),
        declared.help,
    )


def facts_page() -> str:
    """Every fact that people record, with its fields."""
    lines = [
        "# Facts",
        "",
        (
            "Made from the descriptions that the chat, the page's forms and `kos offers facts` use. "
            "Enter fields as `field=value`; those in brackets may be left out. Number repeated parts: `lays.0.stake=5 lays.1.stake=4`."
        ),
    ]
    for title, facts in (("Offers", OFFER_FACTS), ("A participant's money", MONEY_FACTS)):
        lines.append(f"\n## {title}")
        for name in spoken_names(facts):
            form = FACT_FORMS[name]
            lines += [f"\n### {form.label} (`{name}`)\n", form.meaning]
            rows = field_rows(form)
            if rows:
                cells = ((f"`{word}`", label, takes) for word, label, takes in rows)
                lines += ["", *_table(("field", "label", "takes"), cells)]
    return "\n".join(lines)


def settings_page() -> str:
    """Every setting with its default, range and environment variable."""
    lines = [
        "# Settings",
        "",
        (
            "Read once at the start: defaults, then the TOML file, then the environment. `kos config "
            "show` prints those in force and where each comes from; `kos config init` writes a file "
            "with all of them."
        ),
    ]
    table = ""
    for row in setting_rows():
        if row.table != table:
            table = row.table
            lines += [f"\n## [{table}]\n", "| setting | meaning | taken | default | environment |"]
            lines.append("|---|---|---|---|---|")
        default = "secret" if row.is_secret else f"`{row.default}`" if row.default else ""
        variable = f"`{row.variable}`" if row.variable else ""
        cells = (f"`{row.name}`", row.meaning, row.limits, default, variable)
        lines.append(_row(cells))
    return "\n".join(lines)


def messages_page() -> str:
    """Every message that crosses an actor's border, with its fields."""
    lines = ["# Messages", "", inspect.cleandoc(messages.__doc__ or "").partition("\n\n")[2], ""]
    for message in messages.MESSAGES:
        lines += [f"\n## {message.__name__}\n", inspect.cleandoc(message.__doc__ or ""), ""]
        hints = get_type_hints(message)
        fields = [field for field in msgspec.structs.fields(message) if field.name in hints]
        if fields:
            lines += ["| field | type | meaning |", "|---|---|---|"]
        notes = _field_notes(message)
        lines += [
            _row((f"`{field.name}`", f"`{_type(field.type)}`", notes.get(field.name, "")))
            for field in fields
        ]
    return "\n".join(lines)


def _field_notes(message: type) -> dict[str, str]:
    """The text that stands under each field in the source, those of its bases included."""
    import ast  # noqa: PLC0415 - needed for this page alone

    notes: dict[str, str] = {}
    for base in reversed(message.__mro__):
        if base.__module__ != message.__module__:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        if not isinstance(body, ast.ClassDef):
            continue
        for field, note in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(note, ast.Expr)
                and isinstance(note.value, ast.Constant)
            ):
                notes[field.target.id] = inspect.cleandoc(str(note.value.value))
    return notes


def _type(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) else str(hint)
    for module in ("kos.domain.", "kos.", "datetime.", "decimal.", "typing."):
        text = text.replace(module, "")
    return text.replace("|", "or")


def log_events_page() -> str:
    """Every event that the log may have, and every key."""
    return "\n".join(
        [
            "# Log events",
            "",
            "One line is one event; nothing else is ever logged.",
            "\n## Events\n",
            *_table(
                ("event", "level", "meaning", "keys"),
                (
                    (f"`{name}`", ", ".join(event.levels), event.meaning, ", ".join(event.keys))
                    for name, event in sorted(EVENTS.items())
                ),
            ),
            "\n## Keys\n",
            *_table(
                ("key", "meaning", "unit", "on"),
                (
                    (f"`{name}`", key.meaning, key.unit, where)
                    for keys, where in (
                        (COMMON_KEYS.items(), "any line"),
                        (sorted(KEYS.items()), "events"),
                    )
                    for name, key in keys
                ),
            ),
        ]
    )


def metrics_page() -> str:
    """Every metric."""
    return "\n".join(
        [
            "# Metrics",
            "",
            *_table(
                ("metric", "kind", "labels", "meaning"),
                (
                    (f"`{name}`", metric.kind, ", ".join(metric.labels), metric.meaning)
                    for name, metric in sorted(METRICS.items())
                ),
            ),
        ]
    )


def errors_page() -> str:
    """The tree of errors."""
    tree = inspect.cleandoc(errors.__doc__ or "")
    head, _, rest = tree.partition("\n\n")
    drawn, _, after = rest.partition("\n\n")
    return f"# Errors\n\n{head}\n\n```\n{drawn}\n```\n\n{after}\n"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), "|" + "---|" * len(head), *map(_row, lines)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


PAGES: dict[str, Callable[[], str]] = {
    "commands": commands_page,
    "terminal": terminal_page,
    "filters": filters_page,
    "facts": facts_page,
    "settings": settings_page,
    "messages": messages_page,
    "log-events": log_events_page,
    "metrics": metrics_page,
    "errors": errors_page,
}
"""The reference pages by the names of their files."""
