"""Filters, with or without their names, as a query to the scorer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Generic, TypeVar

import msgspec

from kos.desk.arguments import Arguments, tidy
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.money import read_count
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.event_prices import EXCHANGES
from kos.domain.opportunities.filters import BY_NAME, FILTERS, SignalKind
from kos.domain.opportunities.known_names import ALL, KnownNames, bookmakers, exchanges, sports
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys
from kos.domain.opportunities.queries import canonical, dutch_query, opportunity_query
from kos.errors import InvalidInput

KINDS: Final = {
    "qualifier": SignalKind.QUALIFYING,
    "snr": SignalKind.SNR,
    "sr": SignalKind.SR,
    "refund": SignalKind.REFUND,
    "arbs": SignalKind.ARBS,
    "dutch": SignalKind.DUTCH,
}
"""The commands that query the scorer, with what they ask for."""
LAID: Final = "laid"
"""Means all bookmakers."""
MOST: Final = 60
"""The number of opportunities per query, if no other is given."""
FILTER_HELP: Final = (
    f"Filters: {' '.join(f'{declared.word}={declared.example}' for declared in FILTERS if declared.example)}. "
    "within= also takes 90m or 3d; arbs= takes yes, no or only. "
    "You can leave the names out: /qualifier coral soccer 2h £25 2-6"
)

Query = TypeVar("Query", OpportunityQuery, DutchQuery)
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_FOR_ALL: Final = frozenset({"arbs", "dutch"})
"""Commands that need no bookmaker."""
_MOST_WORDS: Final = 3
"""The most words of a name that can be typed without quotes."""
_BARE: Final = {
    "odds": re.compile(r"\d{1,4}(?:\.\d{1,3})?-\d{1,4}(?:\.\d{1,3})?", re.ASCII),
    "within_hours": re.compile(r"\d+(?:\.\d+)?\s?(?:m|min|h|d)\w*", re.ASCII | re.IGNORECASE),
    "stake": re.compile(r"£?\s?\d[\d,]*(?:\.\d+)?", re.ASCII),
}


class Question(msgspec.Struct, Generic[Query], frozen=True):
    """A query to the scorer, and its typed form."""

    name: str
    words: Arguments
    """Without the page."""
    query: Query
    page: int

    def command(self) -> str:
        """As typed, without the page."""
        head, words = self.name, self.words
        joined = f"{head}_{words.first()}"
        if words.first() and _COMMAND.fullmatch(joined):
            head, words = joined, words.rest()
        return f"/{head} {words.text()}".rstrip()


def question_of(name: str, words: Arguments, seen: SignalKeys) -> Question[OpportunityQuery]:
    """The query that a command's words describe.

    Args:
        name: One of :data:`KINDS`, any but ``dutch``.
        words: As typed: a bookmaker, filters, a page.
        seen: The names with prices now.

    Raises:
        InvalidInput: A value is wrong or a word does not belong here; says what is allowed.
    """
    texts, page = _texts(name, words, seen)
    query = opportunity_query(KINDS[name], texts, seen, MOST)
    return Question(name, _arguments(name, texts, query.bookmaker), query, page)


def dutch_question_of(words: Arguments, seen: SignalKeys) -> Question[DutchQuery]:
    """The query that the words of ``/dutch`` describe; see `question_of`.

    Raises:
        InvalidInput: A value is wrong or a word does not belong here; says what is allowed.
    """
    texts, page = _texts("dutch", words, seen)
    query = dutch_query(texts, seen, MOST)
    return Question("dutch", _arguments("dutch", texts, query.bookmaker), query, page)


def _texts(name: str, words: Arguments, seen: SignalKeys) -> tuple[dict[str, str], int]:
    """What was typed, by the filters' own names, and the page."""
    named = {word: value for word, value in words.named.items() if word != "page"}
    texts = canonical(named, KINDS[name])
    for word, text in _bare(words.plain, seen):
        for own, value in canonical({word: text}, KINDS[name]).items():
            if texts.setdefault(own, value) != value:
                raise InvalidInput(BY_NAME[own].label, f"{texts[own]} and {value}", "one value")
    return texts, read_count("page", words.get("page") or "1")


def _arguments(name: str, texts: Mapping[str, str], bookmaker: str | None) -> Arguments:
    """The same in the words of chat."""
    first = (bookmaker,) if bookmaker else () if name in _FOR_ALL else (LAID,)
    named = {BY_NAME[own].word: text for own, text in texts.items() if own != "bookmaker"}
    return Arguments(first, named)


def _bare(plain: tuple[str, ...], seen: SignalKeys) -> Iterator[tuple[str, str]]:
    """The filters that words without a name mean, each with its text.

    A name of several words needs no quotes: ``william hill``.
    """
    names = {
        "bookmaker": _without_exchanges(bookmakers(seen)),
        "exchange": exchanges(),
        "sport": sports(seen),
    }
    place = 0
    while place < len(plain):
        for size in range(min(_MOST_WORDS, len(plain) - place), 0, -1):
            text = " ".join(plain[place : place + size])
            word = _meaning(text, names, is_whole=size > 1)
            if word:
                yield word, text
                place += size
                break
        else:
            raise InvalidInput("word", tidy(plain[place], 60), _expected(plain[place], names))


def _without_exchanges(names: KnownNames) -> KnownNames:
    """The bookmakers alone: the bare name of an exchange is where to lay."""
    places = EXCHANGES | {OWN_EXCHANGE}
    titles = {key: title for key, title in names.titles.items() if key not in places}
    return KnownNames(names.label, titles, dict.fromkeys(ALL, LAID), is_closed=True)


def _meaning(text: str, names: Mapping[str, KnownNames], *, is_whole: bool) -> str:
    """The filter that a text without a name means; empty for none."""
    for word, of_filter in names.items():
        if of_filter.exact(text) is not None:
            return word
    if is_whole:
        return ""
    for word, form in _BARE.items():
        if form.fullmatch(text):
            return word
    return next(
        (word for word, of_filter in names.items() if of_filter.started(text) is not None), ""
    )


def _expected(text: str, names: Mapping[str, KnownNames]) -> str:
    near, _ = max(
        (of_filter.nearest(text) for of_filter in names.values()), key=lambda scored: scored[1]
    )
    hint = f" (did you mean {near}?)" if near else ""
    return f"a bookmaker, an exchange, a sport, 2h, £25 or 2-6{hint}"
