"""The offer catalogue: what bookmakers promise, as data read from and written to TOML or CSV.

Terms change, so they are never code: each instance of an offer keeps the terms it began with.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
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
        problems += _below(0, deposit_min=self.deposit_min)
        problems += _below(
            1, min_stake=self.qualifying.min_stake, min_legs=self.qualifying.min_legs
        )
        if self.qualifying.min_odds < 1:
            problems.append(f"qualifying.min_odds is {self.qualifying.min_odds}, at least 1")
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


def _below(least: int, **values: int) -> list[str]:
    return [
        f"{name} is {value}, at least {least}" for name, value in values.items() if value < least
    ]


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
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    unknown = set(reader.fieldnames or ()) - set(_COLUMNS)
    if unknown or not reader.fieldnames:
        raise InvalidInput("catalogue", sorted(unknown), f"columns from {', '.join(_COLUMNS)}")
    offers = []
    for number, row in enumerate(reader, 2):
        table: dict[str, Any] = {}
        for column, cell in row.items():
            if not isinstance(cell, str) or column is None:
                raise InvalidInput(
                    f"line {number}", cells_of(row), "as many cells as the header row"
                )
            if cell != "":
                _place(table, column, cell, number)
        offers.append(_offer(table, f"line {number}"))
    return _all_of(offers)


def to_csv(offers: Iterable[Offer]) -> str:
    """The offers as :func:`from_csv` reads them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for offer in offers:
        plain = _plain(offer)
        row: dict[str, object] = {}
        for column in _COLUMNS:
            head, _, tail = column.partition(".")
            value = plain.get(head)
            if tail and isinstance(value, dict):
                value = value.get(tail)
            if column == "bonuses":
                value = json.dumps(value)
            elif isinstance(value, list):
                value = "|".join(value)
            elif isinstance(value, bool):
                value = "true" if value else "false"
            row[column] = "" if value is None else value
        writer.writerow(row)
    return out.getvalue()


def _place(table: dict[str, Any], column: str, cell: str, number: int) -> None:
    value: Any = cell
    head, _, tail = column.partition(".")
    if column == "bonuses":
        try:
            value = json.loads(cell)
        except ValueError as error:
            raise InvalidInput(f"line {number} bonuses", cell, "a JSON list of bonuses") from error
    elif tail in {"sports", "markets"}:
        value = cell.split("|")
    (table.setdefault(head, {}) if tail else table)[tail or head] = value


def cells_of(row: Mapping[Any, Any]) -> list[str]:
    """The cells of a CSV row that has too few or too many for its header row."""
    return [cell for cell in row.values() if isinstance(cell, str)] + (row.get(None) or [])


def _all_of(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    entries = tuple(offers)
    keys = [offer.key for offer in entries]
    twice = sorted({key for key in keys if keys.count(key) > 1})
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
    if isinstance(value, dict):
        return {key: _typed(inner, f"{where} {key}", key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner, where, name) for inner in value]
    return _value(value, where, name)


def _value(value: object, where: str, name: str) -> object:
    if name in _PENCE and isinstance(value, str | int | float):
        return read_pence(where, str(value))
    if name in _ODDS and isinstance(value, str | int | float):
        return str(as_decimal(read_odds(where, str(value), word_for_one=ANY_ODDS)))
    if name in _TIMES and isinstance(value, str | date):
        return read_moment(where, str(value), None)
    return value


def _plain(offer: Offer) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(offer)
    return _pounds_again(plain)


def _pounds_again(table: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, value in table.items():
        if value is None:
            continue
        if isinstance(value, dict):
            shown[key] = _pounds_again(value)
        elif isinstance(value, list | tuple):
            shown[key] = [_pounds_again(one) if isinstance(one, dict) else one for one in value]
        elif key in _PENCE:
            shown[key] = str(from_pence(value))
        else:
            shown[key] = value
    return shown


def _toml_table(offer: Offer) -> str:
    plain = _plain(offer)
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
