"""``kos match``: the matcher on two files, one JSON line per bookmaker event."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from kos.cli.settings import StateDirOption, daemon_asker, settings_of
from kos.domain.market.quotes import Verdict
from kos.domain.matching import BookmakerFixture, ExchangeFixture, FixtureMatch, Matcher
from kos.errors import InvalidInput
from kos.messages import GetUnmatched, UnmatchedDescribed

_T = TypeVar("_T")

_REFUSED = 2
_TIMEOUT_S = 10.0


class _BadLine(Exception):  # noqa: N818 - it names the line, the command makes it an exit code
    """A line that is not an event, with where it stands and what is wrong."""


def match_command(  # noqa: PLR0917 - typer passes options by name
    bookmaker: Annotated[
        Path | None,
        typer.Option(help="JSON lines: id, sport_key, commence_time, home_team, away_team."),
    ] = None,
    exchange: Annotated[
        Path | None,
        typer.Option(
            help="JSON lines: event_id, event_type, competition, event_name, market_start_time, runners."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines; always so of files and in a pipe.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the evidence for every verdict.")
    ] = False,
    no_aliases: Annotated[
        bool, typer.Option("--no-aliases", help="Do not use the tables of known names.")
    ] = False,
    no_learning: Annotated[
        bool, typer.Option("--no-learning", help="Do not learn names from fixtures.")
    ] = False,
    unmatched: Annotated[
        bool,
        typer.Option(
            "--unmatched",
            help="Ask the running daemon which events are unmatched and why. Needs no files.",
        ),
    ] = False,
    sport: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="With --unmatched: a sport key or prefix."),
    ] = None,
    state_dir: StateDirOption = None,
) -> None:
    """Match a bookmaker feed's events to the exchange's, with the reasons."""
    if unmatched:
        _print_clinic(sport, state_dir, as_json=as_json or not sys.stdout.isatty())
        return
    if bookmaker is None or exchange is None:
        raise InvalidInput("--bookmaker or --exchange", None, "two files, or --unmatched")
    try:
        left = list(_read(bookmaker, _bookmaker_fixture))
        right = list(_read(exchange, _exchange_fixture))
    except _BadLine as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(_REFUSED) from None
    learning = not no_learning
    matcher = Matcher(learning=learning, tables=None) if no_aliases else Matcher(learning=learning)
    lines = [_line(match, with_evidence=explain) for match in matcher.match(left, right)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _line(match: FixtureMatch, *, with_evidence: bool) -> str:
    row: dict[str, Any] = {
        "left": match.left_id,
        "right": match.right_id,
        "verdict": match.verdict.value,
        "confidence": match.confidence,
        "swapped": match.is_swapped,
    }
    if with_evidence:
        row["evidence"] = match.evidence.sentences()
    return json.dumps(row, ensure_ascii=False)


def _print_clinic(sport: str | None, state_dir: Path | None, *, as_json: bool) -> None:
    """The daemon's events on one side only: doubts first, each with the best guess and the why."""
    settings = settings_of(None, state_dir)
    question = GetUnmatched(sport=sport)
    with daemon_asker(settings) as asker:
        answer = asker.ask("reconciler", question, UnmatchedDescribed, _TIMEOUT_S)
    for match in sorted(answer.matches, key=lambda match: (match.verdict.value, match.sport_key)):
        row = {
            "event": answer.names.get(match.event_id, match.event_id),
            "sport_key": match.sport_key,
            "verdict": match.verdict.value,
            "best_guess": match.market_id,
            "reasons": match.reasons,
        }
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
            continue
        verdict = "in doubt" if match.verdict is Verdict.DOUBT else "no partner"
        print(f"{row['event']}, {match.sport_key}: {verdict}")
        for reason in match.reasons:
            print(f"  {reason}")
    if not as_json and not answer.matches:
        print("every event is matched")


def _read(path: Path, decode: Callable[[dict[str, Any]], _T]) -> Iterator[_T]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _BadLine(
            f"{path}: cannot be read ({error.strerror}). Give a file of JSON lines"
        ) from None
    seen: set[str] = set()
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("not a JSON object")  # noqa: TRY004, TRY301 - one way out for all
            fixture = decode(row)
            name = str(getattr(fixture, "id", ""))
            if name in seen:
                raise ValueError(f"the id {name!r} is also on an earlier line")  # noqa: TRY301
        except ValueError as error:
            raise _BadLine(f"{path}:{number}: {error}; fix or remove the line") from None
        seen.add(name)
        yield fixture


def _text(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field} must be non-empty text, not {value!r:.60}")
    return value


def _moment(row: dict[str, Any], field: str) -> datetime:
    text = _text(row, field)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{field} must be an ISO 8601 time, not {text!r:.60}") from None
    if moment.tzinfo is None:
        raise ValueError(
            f"{field} must name its time zone (2026-03-02T15:00:00Z), not {text!r:.60}"
        )
    return moment.astimezone(UTC)


def _bookmaker_fixture(row: dict[str, Any]) -> BookmakerFixture:
    return BookmakerFixture(
        id=_text(row, "id"),
        sport_key=_text(row, "sport_key"),
        kickoff=_moment(row, "commence_time"),
        home=_text(row, "home_team"),
        away=_text(row, "away_team"),
    )


def _exchange_fixture(row: dict[str, Any]) -> ExchangeFixture:
    runners = row.get("runners", [])
    if not isinstance(runners, list) or not all(isinstance(r, str) for r in runners):
        raise ValueError(f"runners must be a list of text, not {runners!r:.60}")
    competition = row.get("competition") or ""
    if not isinstance(competition, str):
        raise ValueError(f"competition must be text, not {competition!r:.60}")  # noqa: TRY004
    return ExchangeFixture(
        id=_text(row, "event_id"),
        event_type=_text(row, "event_type"),
        competition=competition,
        name=_text(row, "event_name"),
        kickoff=_moment(row, "market_start_time"),
        runners=tuple(runners),
    )
