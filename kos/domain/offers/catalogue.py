"""The offer catalogue: what bookmakers promise, as data read from and written to TOML or CSV.

Terms change, so they are never code: each instance of an offer keeps the terms it began with.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from kos.domain.books.calendar import read_moment
from kos.domain.books.double_entry import Pence
from kos.domain.market.odds import as_decimal, read_odds
from kos.domain.money import from_pence, read_pence
from kos.errors import InvalidInput

ANY_ODDS = "any"
"""The word for minimum odds of 1: none."""


class OfferKind(StrEnum):
    """Whom an offer is for."""

    SIGN_UP = "sign-up"
    RELOAD = "reload"


class Trigger(StrEnum):
    """What makes the bookmaker owe the bonus."""

    PLACEMENT = "placement"
    SETTLEMENT = "settlement"
    LOSS = "loss"
    WIN = "win"
    EVENT = "event"


class BonusKind(StrEnum):
    """What a bonus is paid in."""

    SNR = "snr"
    """Free bet, stake not returned."""
    SR = "sr"
    """Free bet, stake returned with the winnings."""
    CASH = "cash"
    """Withdrawable at once: a refund."""
    BONUS = "bonus"
    """Bonus money staked like a free bet whose stake is returned."""


class Qualifying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the qualifying bet must be."""

    min_stake: Pence
    """In one bet; two halves do not qualify."""
    max_stake: Pence | None = None
    """A higher stake is accepted but earns nothing extra."""
    min_odds: Decimal = Decimal(1)
    """Decimal, stake included: evens is 2."""
    is_inclusive: bool = True
    """Whether a bet at exactly the minimum odds counts."""
    min_legs: int = 1
    sports: tuple[str, ...] = ()
    """Those that count; empty means all."""
    markets: tuple[str, ...] = ()
    """Those that count; empty means all."""
    within_days: int | None = None
    """Days from the deposit in which it must be placed."""
    needs_opt_in: bool = False
    code: str = ""


class Bonus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of token that the offer pays, ``count`` times."""

    face: Pence
    kind: BonusKind = BonusKind.SNR
    count: int = 1
    min_odds: Decimal = Decimal(1)
    limits: str = ""
    """Sport, market or legs it is good for, in the bookmaker's words."""
    is_divisible: bool = False
    """Whether a stake below the face leaves the rest; else the rest is forfeited."""
    expires_after_days: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bookmaker's offer and its terms, as seen on a day."""

    key: str
    """KOS's name of it, e.g. ``coral-bet10-get10``."""
    bookmaker: str
    """The odds feed's key of the bookmaker, e.g. ``coral``."""
    title: str
    kind: OfferKind = OfferKind.SIGN_UP
    is_once_only: bool = True
    deposit_min: Pence = 0
    qualifying: Qualifying
    trigger: Trigger = Trigger.SETTLEMENT
    trigger_event: str = ""
    """What must happen when the trigger is an event."""
    bonuses: tuple[Bonus, ...]
    is_credited_at_once: bool = False
    """Whether the terms say instant credit."""
    credit_within_hours: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """The offer is open from ``starts_at`` until before ``ends_at``."""
    terms: str = ""
    terms_seen_at: datetime | None = None

    def problems(self) -> list[str]:
        """What does not hold together, in words; empty when all is well."""
        problems = [
            f"{name} must not be empty"
            for name in ("key", "bookmaker", "title")
            if not getattr(self, name).strip()
        ]
        asked = self.qualifying
        minimums = (
            ("deposit_min", self.deposit_min, 0),
            ("min_stake", asked.min_stake, 1),
            ("min_legs", asked.min_legs, 1),
            ("qualifying.min_odds", asked.min_odds, 1),
        )
        problems += [
            f"{name} is {value}, at least {least}"
            for name, value, least in minimums
            if value < least
        ]
        if not self.bonuses:
            problems.append("bonuses must name at least one")
        for number, bonus in enumerate(self.bonuses, 1):
            if bonus.face < 1 or bonus.count < 1 or bonus.min_odds < 1:
                problems.append(f"bonus {number}: face, count and min_odds must be at least 1")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            problems.append("ends_at must be after starts_at")
        for name in ("starts_at", "ends_at", "terms_seen_at"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                problems.append(f"{name} needs a time zone, e.g. 2026-11-23T12:00:00Z")
        if self.trigger is Trigger.EVENT and not self.trigger_event:
            problems.append("trigger_event must say what must happen")
        return problems

    def is_open(self, at: datetime) -> bool:
        """Whether the offer can be taken up at that moment."""
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )


def checked(offer: Offer) -> Offer:
    """The offer itself.

    Raises:
        InvalidInput: Its terms do not hold together; every problem is named.
    """
    problems = offer.problems()
    if problems:
        raise InvalidInput(
            f"offer {offer.key or '(no key)'}", ValueError("; ".join(problems)), "valid terms"
        )
    return offer


# --- text ----------------------------------------------------------------------------------------

_PENCE = frozenset({"min_stake", "max_stake", "face", "deposit_min"})
_ODDS = frozenset({"min_odds"})
_TIMES = frozenset({"starts_at", "ends_at", "terms_seen_at"})


def from_toml(text: str) -> tuple[Offer, ...]:
    """The offers of a TOML text: ``[[offer]]`` tables, money in pounds, odds in any spelling, times in UK time.

    Raises:
        InvalidInput: It is no TOML, or an offer in it is not sound; says which and why.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("catalogue", error, "TOML with [[offer]] tables") from error
    tables = read.get("offer")
    if not isinstance(tables, list) or set(read) != {"offer"}:
        raise InvalidInput("catalogue", sorted(read), "only [[offer]] tables")
    return _all_of(_offer(table, f"offer {number}") for number, table in enumerate(tables, 1))


def to_toml(offers: Iterable[Offer]) -> str:
    """The offers as :func:`from_toml` reads them."""
    return "\n".join(_toml_table(offer) for offer in offers)


_COLUMNS = (
    "key", "bookmaker", "title", "kind", "is_once_only", "deposit_min", "qualifying.min_stake",
    "qualifying.max_stake", "qualifying.min_odds", "qualifying.is_inclusive",
    "qualifying.min_legs", "qualifying.sports", "qualifying.markets", "qualifying.within_days",
    "qualifying.needs_opt_in", "qualifying.code", "trigger", "trigger_event", "bonuses",
    "is_credited_at_once", "credit_within_hours", "starts_at", "ends_at", "terms", "terms_seen_at",
)  # fmt: skip
"""The columns of the CSV form. ``bonuses`` holds JSON, lists are separated by ``|``."""


def from_csv(text: str) -> tuple[Offer, ...]:
    """The offers of a CSV text with a head line of :data:`_COLUMNS`, in any order, some left out.

    Raises:
        InvalidInput: A column is unknown or an offer is not sound; says which line and why.
    """
    columns, rows = csv_rows(text)
    unknown = sorted(set(columns) - set(_COLUMNS))
    if unknown or not columns:
        raise InvalidInput("catalogue", unknown, f"columns from {', '.join(_COLUMNS)}")
    return _all_of(_offer(_table(row, number), f"line {number}") for number, row in rows)


def to_csv(offers: Iterable[Offer]) -> str:
    """The offers as :func:`from_csv` reads them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for offer in offers:
        plain = _plain(msgspec.to_builtins(offer))
        row: dict[str, object] = {}
        for column in _COLUMNS:
            head, _, tail = column.partition(".")
            value = plain[head].get(tail) if tail else plain.get(head)
            if column == "bonuses":
                value = json.dumps(value)
            elif isinstance(value, list):
                value = "|".join(value)
            elif isinstance(value, bool):
                value = "true" if value else "false"
            row[column] = "" if value is None else value
        writer.writerow(row)
    return out.getvalue()


def _table(row: Mapping[str, str], line: int) -> dict[str, Any]:
    """The table of a row: its cells that are not empty, those of the qualifying bet in their own."""
    table: dict[str, Any] = {}
    for column, cell in row.items():
        if cell == "":
            continue
        head, _, tail = column.partition(".")
        value: Any = cell.split("|") if tail in {"sports", "markets"} else cell
        if column == "bonuses":
            try:
                value = json.loads(cell)
            except ValueError as error:
                allowed = "a JSON list of bonuses"
                raise InvalidInput(f"line {line} bonuses", cell, allowed) from error
        (table.setdefault(head, {}) if tail else table)[tail or head] = value
    return table


def csv_rows(
    text: str, *, skipinitialspace: bool = False
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a CSV text, and each row by them with the number of its line.

    Raises:
        InvalidInput: A row has too few or too many cells for the header row.
    """
    text = text.removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=skipinitialspace)
    rows: list[tuple[int, dict[str, str]]] = []
    for row in reader:
        if None in row or None in row.values():
            cells = [cell for cell in row.values() if isinstance(cell, str)]
            cells += row.get(None, ())
            raise InvalidInput(f"line {reader.line_num}", cells, "as many cells as the header row")
        rows.append((reader.line_num, row))
    return list(reader.fieldnames or ()), rows


def _all_of(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    entries = tuple(offers)
    twice = sorted(key for key, n in Counter(offer.key for offer in entries).items() if n > 1)
    if twice:
        raise InvalidInput("catalogue", ", ".join(twice), "each key only once")
    return entries


def _offer(table: object, where: str) -> Offer:
    try:
        return checked(msgspec.convert(_typed(table, where), Offer, strict=False))
    except msgspec.ValidationError as error:
        raise InvalidInput(where, error, "the fields of an offer (see the docs)") from error


def _typed(value: object, where: str, name: str = "") -> object:
    """Pounds to pence, odds to decimals and UK times to moments, wherever they stand."""
    match value:
        case dict():
            return {key: _typed(inner, f"{where} {key}", key) for key, inner in value.items()}
        case list():
            return [_typed(inner, where, name) for inner in value]
        case str() | int() | float() if name in _PENCE:
            return read_pence(where, str(value))
        case str() | int() | float() if name in _ODDS:
            return str(as_decimal(read_odds(where, str(value), word_for_one=ANY_ODDS)))
        case str() | date() if name in _TIMES:
            return read_moment(where, str(value), None)
    return value


def _plain(value: Any, name: str = "") -> Any:
    """The reverse of :func:`_typed`, without what is None."""
    if isinstance(value, dict):
        return {key: _plain(inner, key) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(from_pence(value)) if name in _PENCE else value


def _toml_table(offer: Offer) -> str:
    plain = _plain(msgspec.to_builtins(offer))
    tables = {key: value for key, value in plain.items() if isinstance(value, dict)}
    bonuses = plain.pop("bonuses")
    lines = ["[[offer]]"]
    lines += [f"{key} = {_toml(value)}" for key, value in plain.items() if key not in tables]
    for name, table in tables.items():
        lines += ["", f"[offer.{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
    for bonus in bonuses:
        lines += ["", "[[offer.bonuses]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in bonus.items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    # A JSON text of a string, number, boolean or list of strings is the same value in TOML,
    # but for the delete character, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
