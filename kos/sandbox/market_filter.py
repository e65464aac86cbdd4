"""The exchange's MarketFilter: which markets a caller asked for."""

from __future__ import annotations

import re
from typing import Any

from kos.sandbox.clock import iso_ms
from kos.sandbox.exchange import Market


class Fail(Exception):  # noqa: N818 - it is an answer, not a failure
    """An error answer: an APING code such as TOO_MUCH_DATA, or a transport code such as DSC-0018."""

    def __init__(self, code: str, details: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.details = details


def _listed(wanted: dict[str, Any], name: str) -> list[str] | None:
    values = wanted.get(name)
    if values is None or values == []:
        return None
    if not isinstance(values, list):
        raise Fail("DSC-0009")
    return [str(value) for value in values]


def passes(market: Market, wanted: dict[str, Any], now: float) -> bool:
    """Says whether a market is asked for: fields combine with and, values of one field with or.

    Args:
        market: The market.
        wanted: The filter as it came.
        now: Wall seconds, for ``inPlayOnly``.

    Raises:
        Fail: DSC-0009 for a value of the wrong type.
    """
    held = {
        "eventTypeIds": market.event_type_id,
        "eventIds": market.event_id,
        "competitionIds": market.competition_id,
        "marketIds": market.id,
        "marketBettingTypes": market.betting_type,
        "marketCountries": market.country or "GB",
        "marketTypeCodes": market.type,
        "venues": "",
        "raceTypes": "",
    }
    for name, value in held.items():
        allowed = _listed(wanted, name)
        if allowed is not None and value not in allowed:
            return False
    if wanted.get("bspOnly") is True:
        return False
    turns = wanted.get("turnInPlayEnabled")
    if turns is not None and turns is not market.turns_in_play:
        return False
    playing = wanted.get("inPlayOnly")
    if playing is not None and playing is not (market.turns_in_play and market.start <= now):
        return False
    return _starts_within(market, wanted.get("marketStartTime")) and _named(
        market, wanted.get("textQuery")
    )


def _starts_within(market: Market, span: Any) -> bool:
    if not span:
        return True
    if not isinstance(span, dict):
        raise Fail("DSC-0009")
    start = iso_ms(market.start)
    for name in ("from", "to"):
        bound = span.get(name)
        if bound is None:
            continue
        if not isinstance(bound, str) or not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", bound):
            raise Fail("DSC-0009")
        moment = bound.rstrip("Z").ljust(16)
        if (name == "from" and start[: len(moment)] < moment) or (
            name == "to" and start[: len(moment)] > moment
        ):
            return False
    return True


def _named(market: Market, query: Any) -> bool:
    if not query:
        return True
    pattern = ".*".join(re.escape(part) for part in str(query).split("*"))
    return re.search(pattern, market.event_name, re.IGNORECASE) is not None
