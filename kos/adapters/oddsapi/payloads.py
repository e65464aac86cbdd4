"""Odds of The Odds API v4 to domain values; whatever cannot be trusted is left out by name.

A body is decoded whole against typed structs, which is fast. If that fails, each event is decoded
by itself, and only an event that still fails is walked value by value, so that one null costs one
price and not the poll. All three ways end in the same checks: a price that comes out is a decimal
odd above 1 for a named outcome.

Odds formats. The feed can also speak american odds, whole numbers of at least 100 in size, where
150 means 2.50. A body is told by its content, never by its label: decimal odds of a whole market
cannot all be 100 or more, american odds never lie between -100 and 100. See :func:`_odds_format`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from kos.adapters.json_fields import Drops, Untrusted, mapping, read_each
from kos.adapters.oddsapi.fields import (
    REMOTE,
    WireTime,
    check_size,
    decimal,
    parse,
    parse_list,
    readable,
    string,
    string_or_none,
    utc,
    walk,
    wire_time,
)
from kos.domain.market.quotes import (
    BACK_MARKET,
    BookmakerQuotes,
    Drop,
    EventQuotes,
    MarketQuotes,
    OutcomeQuote,
)
from kos.domain.market.sports import sport_of
from kos.errors import RemoteUnavailable

MAX_PRICE: Final = Decimal(100_000)
"""Far above any outsider in an outright market (3001 is the highest recorded)."""

_MAX_PRICE_DIGITS: Final = 30
_MAX_LINK: Final = 2_048
_AMERICAN_MIN: Final = Decimal(100)
_ONE: Final = Decimal(1)
_NO_NUMBER: Final = Decimal("NaN")
_LEAST_BOOK: Final = Decimal("0.8")
"""Chances of a bookmaker's market add up to 1 and more; exchanges and gaps may bring it lower."""
_EXACT: Final = Context(prec=28)
_QUOTED_NUMBER: Final = re.compile(rb'"(?:price|point|bet_limit)"\s*:\s*"')


class OddsFormat(StrEnum):
    """How a body writes its prices."""

    DECIMAL = "decimal"
    AMERICAN = "american"


class OddsBody(msgspec.Struct, frozen=True):
    """One decoded answer of an odds endpoint."""

    events: tuple[EventQuotes, ...]
    drops: tuple[Drop, ...]
    odds_format: OddsFormat = OddsFormat.DECIMAL
    """As the body wrote them; ``events`` always holds decimal odds."""


# --- the wire ---------------------------------------------------------------------------------


class _FeedOutcome(msgspec.Struct, gc=False):
    name: str
    price: Decimal
    point: Decimal | None = None
    bet_limit: Decimal | None = None
    link: str | None = None
    description: str | None = None


class _FeedMarket(msgspec.Struct, gc=False):
    key: str
    outcomes: list[_FeedOutcome]
    last_update: WireTime = None
    link: str | None = None


class _PartMarket(_FeedMarket):
    """A market of the tolerant walk, which had to leave out ``lost`` outcomes already."""

    lost: int = 0


class _Bookmaker(msgspec.Struct, gc=False):
    key: str
    markets: list[_FeedMarket]
    title: str | None = None
    last_update: WireTime = None
    link: str | None = None


class _FeedEvent(msgspec.Struct, gc=False):
    id: str
    sport_key: str
    commence_time: WireTime
    bookmakers: list[_Bookmaker]
    sport_title: str | None = None
    home_team: str | None = None
    away_team: str | None = None


_T = TypeVar("_T")

_BODY: Final = msgspec.json.Decoder(list[_FeedEvent])
_RAW_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT: Final = msgspec.json.Decoder(_FeedEvent)


# --- decoding -----------------------------------------------------------------------------------


def decode_odds(body: bytes, *, convert_american: bool = False) -> OddsBody:
    """Decode an answer of ``/odds``: a list of events with their bookmakers.

    Args:
        body: JSON as it came, decompressed.
        convert_american: Turn a body that is american throughout into decimal odds. Otherwise
            it is refused, for KOS asks the live service for decimal odds.

    Raises:
        RemoteUnavailable: The body is no such list, is too large, or its prices are not in one
            known format.
    """
    drops = Drops()
    return _finish(_wire_events(body, drops), drops, convert_american=convert_american)


def decode_parsed_events(values: list[Any]) -> OddsBody:
    """Decode events that are parsed already, out of a file; american odds are converted."""
    drops = Drops()
    wire = read_each(values, "", drops, _loose_event)
    return _finish(wire, drops, convert_american=True)


def _wire_events(body: bytes, drops: Drops) -> list[tuple[str, _FeedEvent]]:
    """Events by the fastest way that works, each with its path."""
    check_size(body)
    events = _typed(_BODY, body)
    if events is not None:
        return [(f"[{i}]", event) for i, event in enumerate(events)]
    try:
        raws = _RAW_LIST.decode(body)
    except (ValueError, RecursionError):
        # No list, or not JSON by the letter: NaN, a byte order mark, half a surrogate.
        return read_each(parse_list(body), "", drops, _loose_event)
    return read_each(raws, "", drops, _raw_event)


def _raw_event(raw: msgspec.Raw, path: str, drops: Drops) -> tuple[str, _FeedEvent]:
    text = bytes(raw)
    event = _typed(_EVENT, text)
    return _loose_event(parse(text), path, drops) if event is None else (path, event)


def _typed(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T | None:
    """What the typed decoder makes of it, or None where the tolerant walk must look.

    msgspec reads quoted numbers of any spelling ("NaN", "1_0") as numbers, so these are for the
    walk, too.
    """
    if _QUOTED_NUMBER.search(body):
        return None
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError):
        return None


def _finish(
    wire: list[tuple[str, _FeedEvent]], drops: Drops, *, convert_american: bool
) -> OddsBody:
    odds_format, may_be_large = _odds_format([event for _, event in wire])
    if odds_format is OddsFormat.AMERICAN and not convert_american:
        raise RemoteUnavailable(REMOTE, "sent american odds where decimal odds were asked for")
    builder = _Builder(drops, odds_format, may_be_large=may_be_large)
    events: dict[str, EventQuotes] = {}
    for path, event in wire:
        try:
            if event.id in events:
                raise Untrusted("event twice")  # noqa: TRY301 - one way to leave an event out
            events[event.id] = builder.event(event, path)
        except Untrusted as refused:
            drops.add(path, str(refused))
    return OddsBody(tuple(events.values()), drops.listed(), odds_format)


def _odds_format(events: list[_FeedEvent]) -> tuple[OddsFormat, bool]:
    """The format of a body's prices, and whether a whole price of 100 or more may be decimal.

    Evidence for decimal: prices between 1 and 100. Evidence for american: whole prices of -100
    and less. Where both occur, decimal odds must be in the majority; then all whole prices of 100
    and more are doubtful and left out. With whole prices of 100 and more alone, american is
    believed if some market's chances then add up to a book, which decimal odds of that size
    never do.

    Raises:
        RemoteUnavailable: The evidence contradicts itself, or is not enough.
    """
    finite = [
        outcome.price
        for market in _markets(events)
        for outcome in market.outcomes
        if outcome.price.is_finite()
    ]
    if not finite or (min(finite) > _ONE and max(finite) < _AMERICAN_MIN):
        return OddsFormat.DECIMAL, True
    decimal_count = sum([_ONE < price < _AMERICAN_MIN for price in finite])
    whole = [price for price in finite if _is_american(price)]
    negative_count = sum(price < 0 for price in whole)
    if decimal_count:
        if negative_count > decimal_count:
            raise RemoteUnavailable(REMOTE, "sent american and decimal odds in one body")
        return OddsFormat.DECIMAL, negative_count == 0
    if negative_count or any(_is_american_book(market) for market in _markets(events)):
        return OddsFormat.AMERICAN, True
    if whole:
        raise RemoteUnavailable(REMOTE, "sent prices that may be decimal or american odds")
    return OddsFormat.DECIMAL, True


def _markets(events: Iterable[_FeedEvent]) -> Iterable[_FeedMarket]:
    return (
        market for event in events for bookmaker in event.bookmakers for market in bookmaker.markets
    )


def _is_american(price: Decimal) -> bool:
    return _AMERICAN_MIN <= price.copy_abs() <= MAX_PRICE and price == int(price)


def _is_american_book(market: _FeedMarket) -> bool:
    """Whether the market's prices, all whole and 100 or more, make a book as american odds."""
    prices = [outcome.price for outcome in market.outcomes if outcome.price.is_finite()]
    if not all(_is_american(price) and price > 0 for price in prices):
        return False
    chances = sum((_AMERICAN_MIN / (price + _AMERICAN_MIN) for price in prices), Decimal(0))
    return chances >= _LEAST_BOOK


class _Builder:
    """Wire structs to domain structs, with every check; one per body."""

    def __init__(self, drops: Drops, odds_format: OddsFormat, *, may_be_large: bool) -> None:
        self._drop = drops.add
        self._is_american = odds_format is OddsFormat.AMERICAN
        self._may_be_large = may_be_large
        self._good_texts: set[str] = set()

    def event(self, wire: _FeedEvent, path: str) -> EventQuotes:
        """Raises Untrusted where the event as a whole cannot be used."""
        event_id = self._text(wire.id, "id")
        kickoff = utc(wire.commence_time, "commence_time")
        home = self._text(wire.home_team, "home_team") if wire.home_team else None
        away = self._text(wire.away_team, "away_team") if wire.away_team else None
        if home is not None and home == away:
            raise Untrusted("home_team and away_team are the same")
        sport_key = self._text(wire.sport_key, "sport_key")
        is_two_way = sport_of(sport_key).is_draw_excluded
        bookmakers: dict[str, BookmakerQuotes] = {}
        for i, bookmaker in enumerate(wire.bookmakers):
            if bookmaker.key in bookmakers:
                self._drop(f"{path}.bookmakers[{i}]", "bookmaker twice")
                continue
            built = self._bookmaker(bookmaker, path, i, is_two_way=is_two_way)
            if built is not None:
                bookmakers[built.key] = built
        return EventQuotes(
            id=event_id,
            sport_key=sport_key,
            sport_title=self._text(wire.sport_title or sport_key, "sport_title"),
            kickoff=kickoff,
            home=home,
            away=away,
            bookmakers=tuple(bookmakers.values()),
        )

    def _bookmaker(
        self, wire: _Bookmaker, path: str, index: int, *, is_two_way: bool
    ) -> BookmakerQuotes | None:
        markets: dict[str, MarketQuotes] = {}
        try:
            key = self._text(wire.key, "key")
            title = self._text(wire.title or key, "title")
        except Untrusted as refused:
            self._drop(f"{path}.bookmakers[{index}]", str(refused))
            return None
        for i, market in enumerate(wire.markets):
            place = f"{path}.bookmakers[{index}].markets[{i}]"
            try:
                if market.key in markets:
                    raise Untrusted("market twice")  # noqa: TRY301 - one way to leave a market out
                built = self._market(market, wire, place, is_two_way=is_two_way)
            except Untrusted as refused:
                self._drop(place, str(refused))
                continue
            if built.outcomes:
                markets[built.key] = built
        if not markets:
            return None
        link = self._link(wire.link, path, ".bookmakers", index)
        return BookmakerQuotes(key, title, tuple(markets.values()), link)

    def _market(
        self, wire: _FeedMarket, bookmaker: _Bookmaker, path: str, *, is_two_way: bool
    ) -> MarketQuotes:
        key = self._text(wire.key, "key")
        updated = wire.last_update if wire.last_update is not None else bookmaker.last_update
        updated_at = None if updated is None else utc(updated, "last_update")
        lost = wire.lost if isinstance(wire, _PartMarket) else 0
        outcomes: list[OutcomeQuote] = []
        for i, outcome in enumerate(wire.outcomes):
            if self._is_plain(outcome):
                outcomes.append(OutcomeQuote(outcome.name, outcome.price, None, outcome.bet_limit))
                continue
            try:
                outcomes.append(self._outcome(outcome, path, i))
            except Untrusted as refused:
                self._drop(f"{path}.outcomes[{i}]", str(refused))
        if len({(outcome.name, outcome.point) for outcome in outcomes}) < len(outcomes):
            outcomes = self._without_doubles(outcomes, path)
        asked = len(wire.outcomes) + lost
        if is_two_way and len(outcomes) < asked and asked > 2 and key.startswith(BACK_MARKET):  # noqa: PLR2004
            # Without its draw a three-way market would pass for the two-way one, another bet.
            raise Untrusted("three-way market with an outcome missing")
        link = self._link(wire.link, path)
        return MarketQuotes(key, updated_at, tuple(outcomes), link)

    def _is_plain(self, wire: _FeedOutcome) -> bool:
        """Whether nothing of an outcome needs a closer look, as with nearly all."""
        price, limit = wire.price, wire.bet_limit
        return (
            wire.name in self._good_texts
            and price.is_finite()
            and not self._is_american
            and _ONE < price < _AMERICAN_MIN
            and len(str(price)) <= _MAX_PRICE_DIGITS
            and wire.point is None
            and wire.link is None
            and wire.description is None
            and (limit is None or (limit.is_finite() and limit >= 0))
        )

    def _outcome(self, wire: _FeedOutcome, path: str, index: int) -> OutcomeQuote:
        if wire.description is not None:
            raise Untrusted("outcome that only its description tells apart")
        name = wire.name
        if name not in self._good_texts:
            name = self._text(name, "name")
        point, limit = wire.point, wire.bet_limit
        if point is not None and (not point.is_finite() or point.copy_abs() > MAX_PRICE):
            raise Untrusted("point not a number")
        if limit is not None and not (limit.is_finite() and limit >= 0):
            self._drop(f"{path}.outcomes[{index}].bet_limit", "bet_limit not a number")
            limit = None
        link = self._link(wire.link, path, ".outcomes", index)
        return OutcomeQuote(name, self._price(wire.price), point, limit, link)

    def _price(self, price: Decimal) -> Decimal:
        """Decimal odds, or Untrusted."""
        if not price.is_finite():
            raise Untrusted("price not a number")
        if self._is_american:
            return _from_american(price)
        if price <= _ONE:
            raise Untrusted("price not above 1")
        if price > MAX_PRICE:
            raise Untrusted("price beyond all odds")
        if price >= _AMERICAN_MIN and not self._may_be_large and price == int(price):
            raise Untrusted("price looks american among decimal ones")
        if len(price.as_tuple().digits) > _MAX_PRICE_DIGITS:
            raise Untrusted("price with too many digits")
        return price

    def _without_doubles(self, outcomes: list[OutcomeQuote], path: str) -> list[OutcomeQuote]:
        """One of equal outcomes; none of those that come with two prices, for who could choose."""
        prices: dict[tuple[str, Decimal | None], set[Decimal]] = {}
        for outcome in outcomes:
            prices.setdefault((outcome.name, outcome.point), set()).add(outcome.price)
        kept: dict[tuple[str, Decimal | None], OutcomeQuote] = {}
        for outcome in outcomes:
            identity = outcome.name, outcome.point
            if len(prices[identity]) > 1:
                self._drop(f"{path}.outcomes", "outcome twice with two prices")
            elif identity in kept:
                self._drop(f"{path}.outcomes", "outcome twice")
            else:
                kept[identity] = outcome
        return list(kept.values())

    def _text(self, value: str, what: str) -> str:
        if value not in self._good_texts:
            self._good_texts.add(readable(value, what))
        return value

    def _link(self, link: str | None, path: str, part: str = "", index: int = 0) -> str | None:
        if link is None:
            return None
        is_web = link.startswith(("https://", "http://"))
        if is_web and link.isascii() and link.isprintable() and len(link) <= _MAX_LINK:
            if "{" not in link and " " not in link:
                return link
            reason = "link with blanks to fill in"
        else:
            reason = "link not a web address"
        self._drop(f"{path}{part}[{index}].link" if part else f"{path}.link", reason)
        return None


def _from_american(price: Decimal) -> Decimal:
    """Decimal odds of american odds: 150 is 2.50, -200 is 1.50; exact to 28 digits."""
    size = price.copy_abs()
    if size > MAX_PRICE:
        raise Untrusted("price beyond all odds")
    if not _is_american(price):
        raise Untrusted("price not an american one")
    gain = price / _AMERICAN_MIN if price > 0 else _EXACT.divide(_AMERICAN_MIN, size)
    return _EXACT.add(_ONE, gain)


# --- the tolerant walk: parsed values to wire structs ---------------------------------------


def _loose_event(value: Any, path: str, drops: Drops) -> tuple[str, _FeedEvent]:
    fields = mapping(value, "event")
    return path, _FeedEvent(
        id=string(fields, "id"),
        sport_key=string(fields, "sport_key"),
        commence_time=wire_time(fields, "commence_time"),
        bookmakers=walk(fields, "bookmakers", path, drops, _loose_bookmaker),
        sport_title=string_or_none(fields, "sport_title"),
        home_team=string_or_none(fields, "home_team"),
        away_team=string_or_none(fields, "away_team"),
    )


def _loose_bookmaker(value: Any, path: str, drops: Drops) -> _Bookmaker:
    fields = mapping(value, "bookmaker")
    return _Bookmaker(
        key=string(fields, "key"),
        markets=walk(fields, "markets", path, drops, _loose_market),
        title=string_or_none(fields, "title"),
        last_update=wire_time(fields, "last_update"),
        link=string_or_none(fields, "link"),
    )


def _loose_market(value: Any, path: str, drops: Drops) -> _FeedMarket:
    fields = mapping(value, "market")
    outcomes = walk(fields, "outcomes", path, drops, _loose_outcome)
    return _PartMarket(
        key=string(fields, "key"),
        outcomes=outcomes,
        last_update=wire_time(fields, "last_update"),
        link=string_or_none(fields, "link"),
        lost=len(fields["outcomes"]) - len(outcomes),
    )


def _loose_outcome(value: Any, _path: str, _drops: Drops) -> _FeedOutcome:
    fields = mapping(value, "outcome")
    price = decimal(fields.get("price"))
    if price is None:
        raise Untrusted("price missing" if fields.get("price") is None else "price not a number")
    return _FeedOutcome(
        name=string(fields, "name"),
        price=price,
        point=_optional(fields.get("point")),
        bet_limit=_optional(fields.get("bet_limit")),
        link=string_or_none(fields, "link"),
        description=string_or_none(fields, "description"),
    )


def _optional(value: Any) -> Decimal | None:
    """None for null, NaN (which the checks name) for what is no number."""
    if value is None:
        return None
    number = decimal(value)
    return _NO_NUMBER if number is None else number
