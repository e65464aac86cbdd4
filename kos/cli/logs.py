"""``kos logs``: the daemon's log, filtered, followed, readable."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kos.cli.settings import ConfigOption, StateDirOption, settings_of
from kos.config.settings import Settings
from kos.domain.books.calendar import read_moment
from kos.errors import InvalidInput, WaitAndRetry

if TYPE_CHECKING:
    from kos.observability.reading import Wanted

_STDIN = "-"


def logs(
    source: Annotated[
        str | None,
        typer.Argument(help="A log file, or - for standard input. Default: the daemon's log."),
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow new lines.")] = False,
    level: Annotated[
        str | None,
        typer.Option(help="This level or above: debug, info, warning, error, critical."),
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="This event. End with a dot for all events with that prefix.")
    ] = None,
    node: Annotated[str | None, typer.Option(help="This process: main, feeds, engine...")] = None,
    actor: Annotated[
        str | None, typer.Option(help="This actor. End with a dot for all actors with that prefix.")
    ] = None,
    sport: Annotated[str | None, typer.Option(help="This sport key or prefix.")] = None,
    job: Annotated[str | None, typer.Option(help="Everything with this job_id.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Since 10m, 2h or 1d ago, or a UK time such as 18:15.")
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option("--lines", "-n", help="Number of lines. Default: 100, or all with --since."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print raw lines.")] = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the daemon's log.

    From the journal: journalctl -u kos -o cat | kos logs -
    """
    from kos.observability.reading import Wanted
    from kos.observability.vocabulary import LEVELS

    if level is not None and level not in LEVELS:
        raise InvalidInput("--level", level, f"one of {', '.join(LEVELS)}")
    wanted = Wanted(
        level=level,
        event=event,
        node=node,
        actor=actor,
        sport_key=sport,
        job_id=job,
        since=read_moment("--since", since, datetime.now(UTC), is_past=True) if since else None,
    )
    path = None
    if source != _STDIN:
        path = Path(source) if source else _own_log(settings_of(config, state_dir))
    if lines is None:
        lines = None if since or path is None else 100
    _print(_shown(path, wanted, lines, is_followed=follow, as_json=as_json))


def _print(texts: Iterator[str]) -> None:
    """Write line by line until the end, the user's interrupt, or a reader who has had enough."""
    try:
        for text in texts:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # The reader has closed the pipe; the interpreter must not fail over that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shown(
    path: Path | None, wanted: Wanted, limit: int | None, *, is_followed: bool, as_json: bool
) -> Iterator[str]:
    from kos.observability.readable import readable
    from kos.observability.reading import LogFile, parse

    has_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def render(texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            line = parse(text)
            if line is not None and wanted.takes(line):
                yield text.rstrip("\n") if as_json else readable(line, has_colour=has_colour)

    def last(texts: Iterable[str]) -> Iterable[str]:
        return render(texts) if limit is None else deque(render(texts), maxlen=limit)

    if path is None:
        yield from last(sys.stdin)
        return
    if not path.exists() and not is_followed:
        raise WaitAndRetry("log", f"there is no file {path}")
    with closing(LogFile(path)) as file:
        yield from last(file.past())
        if is_followed:
            yield from render(file.coming())


def _own_log(settings: Settings) -> Path:
    """Of the daemon of these settings, or of the one on the sandbox: who logged last."""
    from kos.observability.logs import LOG_FILE

    own = settings.state_dir / LOG_FILE
    existing = [log for log in (own, settings.sandbox_state_dir / LOG_FILE) if log.exists()]
    return max(existing, key=lambda path: path.stat().st_mtime, default=own)
