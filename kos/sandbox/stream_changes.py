"""What the stream says of a market: its definition, its ladders, and what changed between two moments."""

from __future__ import annotations

from typing import Any, Final

from kos.sandbox.clock import iso_ms
from kos.sandbox.exchange import Book, Market
from kos.sandbox.prices import Level

Ladder = dict[int, tuple[float, float]]

_LADDERS: Final = {
    "EX_BEST_OFFERS_DISP": ("bdatb", "bdatl"),
    "EX_BEST_OFFERS": ("batb", "batl"),
    "EX_ALL_OFFERS": ("atb", "atl"),
}


def put_ladders(state: dict[str, Any], name: str, market: Market, book: Book, levels: int) -> None:
    """Puts the ladders of one field filter into a market's state; a closed market has none."""
    back, lay = _LADDERS[name]
    is_open = book.status != "CLOSED"
    for selection, runner in zip(market.selections, book.runners if is_open else (), strict=False):
        ladders = state.setdefault("runners", {}).setdefault(selection.id, {})
        if name == "EX_ALL_OFFERS":
            ladders[back] = {level.price: level.size for level in runner.to_back}
            ladders[lay] = {level.price: level.size for level in runner.to_lay}
        else:
            ladders[back] = _levels(runner.to_back, levels)
            ladders[lay] = _levels(runner.to_lay, levels)


def _levels(levels: tuple[Level, ...], most: int) -> Ladder:
    return {index: (level.price, level.size) for index, level in enumerate(levels[:most])}


def definition(market: Market, book: Book) -> dict[str, Any]:
    """Gives a marketDefinition: without names, as live, and with the market's own commission.

    The catalogue prints the account's commission; the two differ on purpose, as in life.
    """
    is_closed = book.status == "CLOSED"
    start = iso_ms(market.start if book.start is None else book.start)
    return {
        "bspMarket": False,
        "turnInPlayEnabled": market.turns_in_play,
        "persistenceEnabled": True,
        "marketBaseRate": 5.0,
        "discountAllowed": True,
        "eventId": market.event_id,
        "eventTypeId": market.event_type_id,
        "numberOfWinners": 1,
        "bettingType": market.betting_type,
        "marketType": market.type,
        "marketTime": start,
        "suspendTime": start,
        "openDate": iso_ms(market.open_date),
        "bspReconciled": False,
        "complete": True,
        "inPlay": book.is_in_play,
        "crossMatching": len(market.selections) < 4,
        "runnersVoidable": False,
        "numberOfActiveRunners": 0 if is_closed else len(market.selections),
        "betDelay": 5 if book.is_in_play else 0,
        "status": book.status,
        "countryCode": market.country or "GB",
        "timezone": "GMT",
        "regulators": ["MR_INT"],
        "version": book.version,
        "priceLadderDefinition": {"type": "CLASSIC"},
        "runners": [
            {
                "id": selection.id,
                "status": "ACTIVE"
                if not is_closed
                else "WINNER"
                if selection.id == book.winner
                else "LOSER",
                "sortPriority": selection.sort_priority,
            }
            for selection in market.selections
        ],
    }


def difference(
    market_id: str, old: dict[str, Any] | None, new: dict[str, Any]
) -> dict[str, Any] | None:
    """Gives the change message from one state of a market to the next, or None when nothing changed."""
    change: dict[str, Any] = {"id": market_id}
    if old is None:
        change["img"] = True
    before = old or {}
    if new.get("definition") != before.get("definition"):
        change["marketDefinition"] = new["definition"]
    rows = []
    for selection_id, ladders in new.get("runners", {}).items():
        known = before.get("runners", {}).get(selection_id, {})
        row: dict[str, Any] = {}
        for name, ladder in ladders.items():
            moved = _moved(known.get(name, {}), ladder)
            if moved:
                row[name] = moved
        if row:
            rows.append({"id": selection_id, **row})
    if rows:
        change["rc"] = rows
    return change if len(change) > 1 else None


def _moved(old: dict[Any, Any], new: dict[Any, Any]) -> list[list[float]]:
    moved = []
    for key, value in new.items():
        if old.get(key) != value:
            moved.append([key, *value] if isinstance(value, tuple) else [key, value])
    for key, value in old.items():
        if key not in new:
            moved.append([key, 0, 0] if isinstance(value, tuple) else [key, 0])
    return moved
