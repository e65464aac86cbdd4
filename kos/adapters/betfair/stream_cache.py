"""Stream messages to market books: framing, images, updates. No socket, no clock.

The stream sends an image once and then only what changed, so a change that cannot be read makes
all that follows wrong. Therefore a market with an unreadable change is *torn*: its book is
withheld, and no change is applied to it, until the service sends its image again. A line that
cannot be read at all may have been about any market and tears them all.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from kos.adapters.betfair.fields import (
    best_first,
    flag,
    handicap,
    integer,
    listing,
    market_id,
    price,
    size,
)
from kos.adapters.betfair.payloads import RUNNER_STATUSES, STATUSES, status_of
from kos.adapters.json_fields import Drops, NotJson, Untrusted, mapping, parse
from kos.domain.market.quotes import Drop, MarketBook, PriceSize, RunnerBook

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""An image of 200 football markets at full depth has 0.7 MB."""

_MOST_CONFLATION_MS: Final = 120_000
"""What a live key may ask for; a longer conflation is the delayed key's."""
_MAX_SEGMENTED: Final = 100_000
_MAX_LEVEL: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS: Final = 4_102_444_800_000
_CLOCK: Final = re.compile(r"[!-~]{1,8192}")

_Key = tuple[int, Decimal]
_SideChange = list[tuple[Decimal, PriceSize | None]]
"""What to set and what to remove on one side; keys are levels or prices."""


class StreamLadder(enum.Enum):
    """Which prices of the stream make the book: names of the back and of the lay side."""

    DISPLAY = ("bdatb", "bdatl")
    """Best offers with those that match across runners, as on the web site."""
    BEST = ("batb", "batl")
    FULL = ("atb", "atl")
    """Every price, keyed by the price itself; the other two are keyed by level."""


class LineSplitter:
    """Bytes as they come to whole lines, however they were cut into packets."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their ends; empty ones are left out.

        Raises:
            Untrusted: A line is longer than any honest one.
        """
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            line = b"".join((*self._parts, end)).removesuffix(b"\r")
            self._parts, self._held = [], 0
            self._check(len(line))
            if line:
                lines.append(line)
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
            self._check(self._held)
        return lines

    def _check(self, length: int) -> None:
        if length > self._max_line_bytes:
            raise Untrusted("line too long")


def read_line(line: bytes) -> dict[str, Any]:
    """One message of the stream.

    Raises:
        Untrusted: It is no JSON object.
    """
    try:
        return mapping(parse(line), "message")
    except NotJson:
        raise Untrusted("message not JSON") from None


class Clocks(msgspec.Struct, frozen=True):
    """Where a broken subscription can be taken up again."""

    initial: str
    latest: str


class Change(msgspec.Struct, frozen=True):
    """What one message did."""

    books: tuple[MarketBook, ...] = ()
    """The books that it changed, as they are now."""
    drops: tuple[Drop, ...] = ()


class _Definition(msgspec.Struct, frozen=True):
    status: str
    is_in_play: bool
    version: int
    runners: tuple[tuple[_Key, str], ...]
    """Key and status, in the order of display."""


class _RunnerChange(msgspec.Struct, frozen=True):
    key: _Key
    back: _SideChange
    lay: _SideChange


class _MarketChange(msgspec.Struct, frozen=True):
    market_id: str
    is_image: bool
    definition: _Definition | None
    runners: tuple[_RunnerChange, ...]


class _Runner:
    """Both sides of one runner, and the book last made of them."""

    def __init__(self) -> None:
        self.back: dict[Decimal, PriceSize] = {}
        self.lay: dict[Decimal, PriceSize] = {}
        self.made: RunnerBook | None = None


class _StreamMarket:
    def __init__(self) -> None:
        self.definition: _Definition | None = None
        self.runners: dict[_Key, _Runner] = {}

    def apply(self, change: _MarketChange) -> None:
        if change.definition is not None:
            self.definition = change.definition
        for moved in change.runners:
            runner = self.runners.setdefault(moved.key, _Runner())
            runner.made = None
            _move(runner.back, moved.back)
            _move(runner.lay, moved.lay)


def _move(side: dict[Decimal, PriceSize], change: _SideChange) -> None:
    for key, level in change:
        if level is None:
            side.pop(key, None)
        else:
            side[key] = level


class StreamCache:
    """The books of one subscription. For one thread.

    Args:
        ladder: Which prices to read; the others are ignored.
        depth: Levels on each side of a book, best first.
    """

    def __init__(self, *, ladder: StreamLadder = StreamLadder.DISPLAY, depth: int = 3) -> None:
        self._ladder = ladder
        self._depth = depth
        self._is_delayed = False
        """A conflation came that only a delayed key gets."""
        self._markets: dict[str, _StreamMarket] = {}
        self._torn: set[str] = set()
        self.is_lost = False
        """Something was lost that may have been about any market: only a new image helps."""
        self._subscription_id: int | None = None
        self._initial_clock: str | None = None
        self._clock: str | None = None
        self._published_at: datetime | None = None
        self._confirmed_at: datetime | None = None
        self._segments: list[Any] | None = None
        self._segments_are_image = False
        self.is_late = False
        """The service says that its data is late (status 503)."""
        self.heartbeat_ms: int | None = None
        """As the service set it."""

    # --- the subscription ------------------------------------------------------------------

    def begin(self, subscription_id: int, *, is_resumed: bool = False) -> None:
        """A subscription was sent; messages of others are left out from now on.

        What is held stays until the new image comes, as it may be patched (``is_resumed``) or is
        still the best there is; its age tells.
        """
        self._subscription_id = subscription_id
        self._segments = None
        if not is_resumed:
            self._initial_clock = self._clock = None
            self.is_lost = False  # its first message is an image

    def clocks(self) -> Clocks | None:
        """Where to resume; None where only a new image can help."""
        if self._initial_clock is None or self._clock is None or self.torn or self.is_lost:
            return None
        return Clocks(self._initial_clock, self._clock)

    def forget_clocks(self) -> None:
        """The service refused them."""
        self._initial_clock = self._clock = None

    @property
    def torn(self) -> frozenset[str]:
        """Markets whose books are withheld until their image comes."""
        return frozenset(self._torn)

    def tear_all(self) -> None:
        """Something was lost that may have been about any market."""
        self._torn.update(self._markets)
        self.is_lost = True
        self._segments = None

    # --- messages ---------------------------------------------------------------------------

    def apply(self, message: dict[str, Any], received_at: datetime) -> Change:
        """Take in one change message (``op`` is ``mcm``).

        Nothing raises: what cannot be read is named in ``drops`` and its market withheld.
        """
        drops = Drops()
        id_ = message.get("id")
        if id_ is not None and self._subscription_id is not None and id_ != self._subscription_id:
            return Change(drops=(Drop("id", "message of another subscription"),))
        self._note_health(message, received_at)
        if message.get("ct") == "HEARTBEAT":
            self._note_clocks(message)
            return Change()
        whole = self._whole(message, drops)
        if whole is None:
            return Change(drops=drops.listed())
        markets, is_image = whole
        self._note_clocks(message)
        return self._apply_markets(markets, drops, is_image=is_image)

    def _note_health(self, message: dict[str, Any], received_at: datetime) -> None:
        status = message.get("status")
        self.is_late = status is not None and status != 200  # noqa: PLR2004 - well, said aloud
        conflate_ms = message.get("conflateMs")
        if type(conflate_ms) is int and conflate_ms > _MOST_CONFLATION_MS:
            self._is_delayed = True
        heartbeat_ms = message.get("heartbeatMs")
        if type(heartbeat_ms) is int:
            self.heartbeat_ms = heartbeat_ms
        if self.is_late:
            return
        # Silence about a market means that nothing moved: each message confirms all books.
        self._confirmed_at = received_at
        published_ms = message.get("pt")
        if type(published_ms) is int and 0 < published_ms < _LATEST_MS:
            self._published_at = _EPOCH + timedelta(milliseconds=published_ms)

    def _note_clocks(self, message: dict[str, Any]) -> None:
        initial, latest = message.get("initialClk"), message.get("clk")
        if isinstance(initial, str) and _CLOCK.fullmatch(initial):
            self._initial_clock = initial
        if isinstance(latest, str) and _CLOCK.fullmatch(latest):
            self._clock = latest

    def _whole(self, message: dict[str, Any], drops: Drops) -> tuple[list[Any], bool] | None:
        """The market changes of a message, once all its segments are there."""
        try:
            markets = listing(message.get("mc"), "mc")
        except Untrusted as refused:
            drops.add("mc", str(refused))
            self.tear_all()
            return None
        segment = message.get("segmentType")
        is_image = message.get("ct") == "SUB_IMAGE"
        if segment is None:
            if self._segments is not None:
                drops.add("segmentType", "message amid segments")
                self.tear_all()
            return markets, is_image
        if segment == "SEG_START":
            self._segments, self._segments_are_image = [], is_image
        elif self._segments is None or segment not in {"SEG", "SEG_END"}:
            drops.add("segmentType", "segment without a start")
            self.tear_all()
            return None
        self._segments += markets
        if len(self._segments) > _MAX_SEGMENTED:
            drops.add("segmentType", "segments without an end")
            self.tear_all()
            return None
        if segment != "SEG_END":
            # The clock of a half message would skip the other half.
            self._note_clocks({"initialClk": message.get("initialClk")})
            return None
        markets, self._segments = self._segments, None
        return markets, self._segments_are_image

    def _apply_markets(self, values: list[Any], drops: Drops, *, is_image: bool) -> Change:
        if is_image:
            self._markets, self._torn, self.is_lost = {}, set(), False
        touched: dict[str, None] = {}
        for i, value in enumerate(values):
            try:
                touched |= dict.fromkeys(self._apply_market(value, is_image=is_image))
            except Untrusted as refused:
                drops.add(f"mc[{i}]", str(refused))
                self._tear(value)
        return Change(tuple(self._made(touched)), drops.listed())

    def _apply_market(self, value: Any, *, is_image: bool) -> Iterator[str]:
        change = _market_change(value, self._ladder)
        id_ = change.market_id
        if is_image or change.is_image:
            self._markets[id_] = _StreamMarket()
            self._torn.discard(id_)
        elif id_ in self._torn:
            return
        elif id_ not in self._markets:
            # A market may come into being under a subscription; a change alone is no beginning.
            if change.definition is None or self.is_lost:
                raise Untrusted("change of a market without an image")
            self._markets[id_] = _StreamMarket()
        self._markets[id_].apply(change)
        yield id_

    def _tear(self, value: Any) -> None:
        """Withhold the market that an unreadable change was about; all, if it does not say."""
        id_ = value.get("id") if isinstance(value, dict) else None
        if not isinstance(id_, str):
            self.tear_all()
        elif id_ in self._markets or value.get("img") is True or "marketDefinition" in value:
            self._torn.add(id_)

    # --- books --------------------------------------------------------------------------------

    def books(self) -> tuple[MarketBook, ...]:
        """All books as they are now, confirmed by the last message that was well."""
        return tuple(self._made(self._markets))

    def _made(self, ids: Iterable[str]) -> Iterator[MarketBook]:
        confirmed_at = self._confirmed_at
        if confirmed_at is None:
            return
        for id_ in ids:
            market = self._markets.get(id_)
            if market is None or market.definition is None or id_ in self._torn:
                continue
            definition = market.definition
            yield MarketBook(
                market_id=id_,
                status=definition.status,
                is_in_play=definition.is_in_play,
                is_delayed=self._is_delayed,
                version=definition.version,
                runners=tuple(
                    self._runner_book(market, key, status) for key, status in definition.runners
                ),
                received_at=confirmed_at,
                published_at=self._published_at,
            )

    def _runner_book(self, market: _StreamMarket, key: _Key, status: str) -> RunnerBook:
        runner = market.runners.get(key)
        if runner is None:
            return RunnerBook(selection_id=key[0], status=status, handicap=key[1])
        if runner.made is None or runner.made.status != status:
            runner.made = RunnerBook(
                selection_id=key[0],
                status=status,
                to_back=self._side(runner.back, highest=True),
                to_lay=self._side(runner.lay, highest=False),
                handicap=key[1],
            )
        return runner.made

    def _side(self, levels: dict[Decimal, PriceSize], *, highest: bool) -> tuple[PriceSize, ...]:
        ordered = best_first(list(levels.values()), highest=highest)
        if self._ladder is not StreamLadder.FULL:
            # While levels move, two may name one price for a moment; neither sum nor choice is
            # certain, so the smaller is what surely waits.
            by_price: dict[Decimal, PriceSize] = {}
            for level in ordered:
                held = by_price.get(level.price)
                if held is None or level.size < held.size:
                    by_price[level.price] = level
            ordered = tuple(by_price.values())
        return ordered[: self._depth]


def _market_change(value: Any, ladder: StreamLadder) -> _MarketChange:
    fields = mapping(value, "market change")
    definition = fields.get("marketDefinition")
    image = fields.get("img")
    return _MarketChange(
        market_id=market_id(fields.get("id")),
        is_image=False if image is None else flag(image, "img"),
        definition=None if definition is None else _definition(definition),
        runners=tuple(_runner_change(change, ladder) for change in listing(fields.get("rc"), "rc")),
    )


def _definition(value: Any) -> _Definition:
    fields = mapping(value, "marketDefinition")
    runners = [_definition_runner(runner) for runner in listing(fields.get("runners"), "runners")]
    runners.sort(key=lambda runner: runner[0])
    keys = {key for _, key, _ in runners}
    if len(keys) != len(runners):
        raise Untrusted("runner twice in one definition")
    return _Definition(
        status=status_of(fields.get("status"), STATUSES),
        is_in_play=flag(fields.get("inPlay"), "inPlay"),
        version=integer(fields.get("version", 0), "version"),
        runners=tuple((key, status) for _, key, status in runners),
    )


def _definition_runner(value: Any) -> tuple[int, _Key, str]:
    fields = mapping(value, "runner")
    priority = integer(fields.get("sortPriority", 0), "sortPriority")
    return priority, _runner_key(fields), status_of(fields.get("status"), RUNNER_STATUSES)


def _runner_key(fields: dict[str, Any]) -> _Key:
    return integer(fields.get("id"), "runner id"), handicap(fields.get("hc"))


def _runner_change(value: Any, ladder: StreamLadder) -> _RunnerChange:
    fields = mapping(value, "runner change")
    back, lay = ladder.value
    return _RunnerChange(
        key=_runner_key(fields),
        back=_side_change(fields.get(back), ladder),
        lay=_side_change(fields.get(lay), ladder),
    )


def _side_change(values: Any, ladder: StreamLadder) -> _SideChange:
    read = _point if ladder is StreamLadder.FULL else _level
    return [read(level) for level in listing(values, "ladder")]


def _point(value: Any) -> tuple[Decimal, PriceSize | None]:
    """``[price, size]``; size 0 removes the price."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - price and size
        raise Untrusted("level not a pair")
    odds, pounds = price(value[0]), size(value[1])
    return odds, PriceSize(odds, pounds) if pounds else None


def _level(value: Any) -> tuple[Decimal, PriceSize | None]:
    """``[level, price, size]``; size 0 empties the level, then the price is 0, too."""
    if not isinstance(value, list) or len(value) != 3:  # noqa: PLR2004 - level, price, size
        raise Untrusted("level not a triple")
    level = integer(value[0], "level")
    if level > _MAX_LEVEL:
        raise Untrusted("level out of range")
    pounds = size(value[2])
    return Decimal(level), PriceSize(price(value[1]), pounds) if pounds else None
