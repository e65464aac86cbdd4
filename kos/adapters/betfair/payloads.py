"""Answers of the betting API to domain values; what cannot be trusted is left out by name.

A body is parsed once by msgspec with fractions kept digit for digit, then walked value by value,
so that one bad level costs one level and not the batch. Three things cost more than themselves,
as half of them would be a wrong answer: a market without its status or in-play flag, a side of a
book that names one price twice, and a runner whose id or status cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from kos.adapters.betfair.fields import (
    best_first,
    flag,
    handicap,
    integer,
    listing,
    market_id,
    number,
    price,
    size,
    text,
    text_or_empty,
    utc,
)
from kos.adapters.json_fields import Drops, Untrusted, mapping, read_each
from kos.domain.market.quotes import (
    Drop,
    ExchangeMarket,
    ExchangeRunner,
    MarketBook,
    PriceSize,
    RunnerBook,
)

HIDDEN_GROUP: Final = "xxDNDxx"
"""The service's own mark of things that are not for display."""

STATUSES: Final = frozenset({"INACTIVE", "OPEN", "SUSPENDED", "CLOSED"})
RUNNER_STATUSES: Final = frozenset(
    {"ACTIVE", "WINNER", "LOSER", "PLACED", "REMOVED", "REMOVED_VACANT", "HIDDEN"}
)

_TWO_SIDES: Final = re.compile(r"\S.*\s(?:v|@)\s.*\S")
_HEAD_TO_HEAD_RUNNERS: Final = (2, 3)
_HUNDRED: Final = Decimal(100)


class MarketDescription(msgspec.Struct, frozen=True):
    """What a market's description says beyond the catalogue; holds for a day."""

    market_id: str
    base_rate: Decimal
    """Commission on net winnings for the account that asks, as a fraction of one."""
    discount_allowed: bool
    ladder: str
    """``CLASSIC``, ``FINEST`` or ``LINE_RANGE``."""


def read_catalogue(
    result: Any, market_type: str, event_type_id: str
) -> tuple[tuple[ExchangeMarket, ...], tuple[Drop, ...]]:
    """The matches of a listMarketCatalogue result that was filtered by both other arguments.

    Args:
        result: Parsed ``result`` of the answer.
        market_type: Type code that was asked for; the answer itself need not repeat it.
        event_type_id: Likewise.
    """
    drops = Drops()
    read = partial(_market, market_type=market_type, event_type_id=event_type_id)
    by_id: dict[str, ExchangeMarket] = {}
    for market in read_each(_results(result), "", drops, read):
        if market.market_id in by_id:
            drops.add(market.market_id, "market twice in one answer")
        else:
            by_id[market.market_id] = market
    return tuple(by_id.values()), drops.listed()


def read_descriptions(result: Any) -> tuple[tuple[MarketDescription, ...], tuple[Drop, ...]]:
    """The descriptions of a listMarketCatalogue result with MARKET_DESCRIPTION."""
    drops = Drops()
    return tuple(read_each(_results(result), "", drops, _description)), drops.listed()


def read_books(
    result: Any, asked: Collection[str], received_at: datetime
) -> tuple[tuple[MarketBook, ...], tuple[Drop, ...]]:
    """The books of a listMarketBook result, matched to what was asked by market id alone."""
    drops = Drops()
    read = partial(_book, received_at=received_at)
    wanted = set(asked)
    by_id: dict[str, MarketBook] = {}
    twice: set[str] = set()
    for book in read_each(_results(result), "", drops, read):
        if book.market_id not in wanted:
            drops.add(book.market_id, "market that was not asked for")
        elif book.market_id in by_id:
            # Nothing says which of the two is right.
            drops.add(book.market_id, "market twice in one answer")
            twice.add(book.market_id)
        else:
            by_id[book.market_id] = book
    return tuple(book for id_, book in by_id.items() if id_ not in twice), drops.listed()


def read_levels(values: Any, path: str, drops: Drops, *, highest: bool) -> tuple[PriceSize, ...]:
    """One side of a runner's book, best price first; levels without money are no levels."""
    levels: list[PriceSize] = []
    prices: set[Decimal] = set()
    for level in read_each(listing(values, "side"), path, drops, _level):
        if level.price in prices:
            drops.add(path, "price twice on one side")
            return ()
        prices.add(level.price)
        if level.size:
            levels.append(level)
    return best_first(levels, highest=highest)


def _results(result: Any) -> list[Any]:
    if not isinstance(result, list):
        raise Untrusted("result not a list")
    return result


def _market(
    value: Any, path: str, drops: Drops, *, market_type: str, event_type_id: str
) -> ExchangeMarket:
    fields = mapping(value, "market")
    id_ = market_id(fields.get("marketId"))
    event = mapping(fields.get("event"), "event")
    sport = mapping(fields.get("eventType") or {}, "eventType")
    competition = mapping(fields.get("competition") or {}, "competition")
    event_name = text(event.get("name"), "event name")
    competition_name = text_or_empty(competition.get("name"), "competition name")
    if HIDDEN_GROUP in event_name or HIDDEN_GROUP in competition_name:
        raise Untrusted("hidden group")
    sport_id = text_or_empty(sport.get("id"), "event type id") or event_type_id
    if sport_id != event_type_id:
        raise Untrusted("event type that was not asked for")
    runners = _catalogue_runners(fields.get("runners"), f"{path}.runners", drops)
    market = ExchangeMarket(
        market_id=id_,
        market_type=market_type,
        event_id=text(event.get("id"), "event id"),
        event_name=event_name,
        event_type_id=event_type_id,
        event_type=text_or_empty(sport.get("name"), "event type name"),
        competition=competition_name,
        kickoff=utc(fields.get("marketStartTime") or event.get("openDate"), "marketStartTime"),
        runners=runners,
        country=text_or_empty(event.get("countryCode"), "countryCode"),
    )
    # Containers (competitions, specials) and outrights are no match of two sides.
    if not _TWO_SIDES.fullmatch(event_name):
        raise Untrusted("event not two-sided")
    if len(runners) not in _HEAD_TO_HEAD_RUNNERS:
        raise Untrusted("market not two-sided")
    return market


def _catalogue_runners(values: Any, path: str, drops: Drops) -> tuple[ExchangeRunner, ...]:
    """All runners, or a refusal: a match that lacks one of its sides fits what it should not."""
    listed = listing(values, "runners")
    runners = read_each(listed, path, drops, _catalogue_runner)
    if len(runners) != len(listed) or len({_key(runner) for runner in runners}) != len(runners):
        raise Untrusted("runners not all readable")
    return tuple(sorted(runners, key=lambda runner: runner.sort_priority))


def _key(runner: ExchangeRunner | RunnerBook) -> tuple[int, Decimal]:
    return runner.selection_id, runner.handicap


def _catalogue_runner(value: Any, _path: str, _drops: Drops) -> ExchangeRunner:
    fields = mapping(value, "runner")
    return ExchangeRunner(
        selection_id=integer(fields.get("selectionId"), "selectionId"),
        name=text(fields.get("runnerName"), "runnerName"),
        sort_priority=integer(fields.get("sortPriority", 0), "sortPriority"),
        handicap=handicap(fields.get("handicap")),
    )


def _description(value: Any, _path: str, _drops: Drops) -> MarketDescription:
    fields = mapping(value, "market")
    id_ = market_id(fields.get("marketId"))
    inner = mapping(fields.get("description"), "description")
    percent = number(inner.get("marketBaseRate"), "marketBaseRate")
    if not 0 <= percent <= _HUNDRED:
        raise Untrusted("marketBaseRate not from 0 to 100")
    ladder = mapping(inner.get("priceLadderDescription") or {}, "priceLadderDescription")
    discount = inner.get("discountAllowed")
    return MarketDescription(
        market_id=id_,
        base_rate=percent / _HUNDRED,
        discount_allowed=False if discount is None else flag(discount, "discountAllowed"),
        ladder=text_or_empty(ladder.get("type"), "price ladder type") or "CLASSIC",
    )


def _book(value: Any, path: str, drops: Drops, *, received_at: datetime) -> MarketBook:
    fields = mapping(value, "market")
    id_ = market_id(fields.get("marketId"))
    delayed = fields.get("isMarketDataDelayed")
    return MarketBook(
        market_id=id_,
        status=status_of(fields.get("status"), STATUSES),
        is_in_play=flag(fields.get("inplay"), "inplay"),
        # Who does not say that prices are live, has not said it.
        is_delayed=True if delayed is None else flag(delayed, "isMarketDataDelayed"),
        version=integer(fields.get("version", 0), "version"),
        runners=_book_runners(fields.get("runners"), f"{path}.runners", drops),
        received_at=received_at,
    )


def status_of(value: Any, statuses: Collection[str]) -> str:
    """A status that KOS knows the meaning of."""
    word = text(value, "status")
    if word not in statuses:
        raise Untrusted("status unknown")
    return word


def _book_runners(values: Any, path: str, drops: Drops) -> tuple[RunnerBook, ...]:
    by_key: dict[tuple[int, Decimal], RunnerBook] = {}
    twice: set[tuple[int, Decimal]] = set()
    for runner in read_each(listing(values, "runners"), path, drops, _book_runner):
        if _key(runner) in by_key:
            drops.add(path, "runner twice in one market")
            twice.add(_key(runner))
        by_key[_key(runner)] = runner
    return tuple(runner for key, runner in by_key.items() if key not in twice)


def _book_runner(value: Any, path: str, drops: Drops) -> RunnerBook:
    fields = mapping(value, "runner")
    offers = mapping(fields.get("ex") or {}, "ex")
    back, lay = offers.get("availableToBack"), offers.get("availableToLay")
    return RunnerBook(
        selection_id=integer(fields.get("selectionId"), "selectionId"),
        status=status_of(fields.get("status"), RUNNER_STATUSES),
        to_back=read_levels(back, f"{path}.ex.availableToBack", drops, highest=True),
        to_lay=read_levels(lay, f"{path}.ex.availableToLay", drops, highest=False),
        handicap=handicap(fields.get("handicap")),
    )


def _level(value: Any, _path: str, _drops: Drops) -> PriceSize:
    fields = mapping(value, "level")
    return PriceSize(price(fields.get("price")), size(fields.get("size")))
