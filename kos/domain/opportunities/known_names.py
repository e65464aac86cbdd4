"""The bookmakers, exchanges and sports that can be asked for, by any name people use for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

from kos.domain.market.places import OWN_EXCHANGE, PLACE_NAMES, place_name
from kos.domain.market.sports import SPORT_KEYS, SPORT_WORDS, sport_title
from kos.domain.opportunities.event_prices import EXCHANGES
from kos.domain.opportunities.opportunity import SignalKeys
from kos.errors import InvalidInput

ALL = ("all", "laid")
"""Words for every bookmaker."""

_ALIKE = 60.0
"""From 0 to 100: how alike a name must be to be suggested."""
_LEAST_START = 3
"""The fewest letters that stand for a longer name."""
_MOST_SHOWN = 60
_REGION = re.compile(r"_(?:uk|eu|us|au|ie)$")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")


class KnownNames:
    """The keys of one sort, each with its title and every spelling of its name.

    Args:
        label: The filter, for refusals.
        titles: Key to title.
        words: Other words, each with the key it means.
        is_closed: Whether there are no others. If not, a key that is like none of them is taken
            as it is.
    """

    def __init__(
        self, label: str, titles: Mapping[str, str], words: Mapping[str, str], *, is_closed: bool
    ) -> None:
        self.label = label
        self.titles = titles
        self.is_closed = is_closed
        self._spellings = {letters(word): key for word, key in words.items()}
        for key, title in titles.items():
            self._spellings.setdefault(letters(_REGION.sub("", key)), key)
            self._spellings.setdefault(letters(title), key)
        self._spellings |= {letters(key): key for key in titles}

    def exact(self, text: str) -> str | None:
        """The key of a name in any spelling; None if there is no such name."""
        return self._spellings.get(letters(text))

    def started(self, text: str) -> str | None:
        """The key of the only name that starts with the text; None if there is none or several."""
        start = letters(text)
        keys = {key for name, key in self._spellings.items() if name.startswith(start)}
        return keys.pop() if len(start) >= _LEAST_START and len(keys) == 1 else None

    def nearest(self, text: str) -> tuple[str, float]:
        """The title of the most similar name, and how alike it is; empty if none is."""
        near = process.extractOne(
            letters(text), self._spellings.keys(), scorer=fuzz.ratio, score_cutoff=_ALIKE
        )
        if near is None:
            return "", 0.0
        key = self._spellings[near[0]]
        return self.titles.get(key, key), near[1]

    def key_of(self, text: str) -> str:
        """The key of a name as typed.

        Raises:
            InvalidInput: There is no such name; suggests the nearest.
        """
        key = self.exact(text) or self.started(text)
        if key is not None:
            return key
        near, _ = self.nearest(text)
        plain = key_form(text)
        if plain and not near and not self.is_closed:
            return plain
        raise InvalidInput(self.label, text[:_MOST_SHOWN], self._allowed(near))

    def _allowed(self, near: str) -> str:
        noun = self.label
        article = "an" if noun.startswith(("a", "e")) else "a"
        if near:
            return f"{article} {noun} that KOS knows (did you mean {near}?)"
        usual = [title for key, title in self.titles.items() if key in PLACE_NAMES]
        examples = list(dict.fromkeys(usual or self.titles.values()))[:3]
        return f"the name of {article} {noun}, e.g. {', '.join(examples)}"


class KnownSports(KnownNames):
    """The sports and competitions; the start of a key means all keys that begin so.

    Args:
        titles: Key to title.
        has_all: Whether every competition is among them. If not, any of a known sport is taken.
    """

    def __init__(self, titles: Mapping[str, str], *, has_all: bool) -> None:
        super().__init__("sport", titles, _competitions(titles) | SPORT_WORDS, is_closed=True)
        self._has_all = has_all

    def exact(self, text: str) -> str | None:
        """The key of a name in any spelling, or a start of keys; None if there is neither."""
        key = super().exact(text)
        if key is not None:
            return key
        start = key_form(text)
        is_start = any(known_key.startswith(f"{start}_") for known_key in self.titles)
        return start if start and is_start else None

    def started(self, text: str) -> str | None:
        """The text itself where keys start with it, or where it may be a competition; else None."""
        start = key_form(text)
        if len(start) >= _LEAST_START and any(
            known_key.startswith(start) for known_key in self.titles
        ):
            return start
        sport, _, competition = start.partition("_")
        return start if competition and sport in SPORT_KEYS and not self._has_all else None


def bookmakers(seen: SignalKeys | None) -> KnownNames:
    """The bookmakers that can be asked for; ``seen``: those with prices now, if known."""
    places = seen.bookmakers if seen is not None else ()
    titles = {place.key: PLACE_NAMES.get(place.key, place.title) for place in places}
    titles |= {key: title for key, title in PLACE_NAMES.items() if key not in titles}
    return KnownNames("bookmaker", titles, {}, is_closed=bool(places))


def exchanges() -> KnownNames:
    """The exchanges that can be asked for."""
    titles = {key: place_name(key) for key in (OWN_EXCHANGE, *sorted(EXCHANGES))}
    return KnownNames("exchange", titles, {}, is_closed=True)


def sports(seen: SignalKeys | None) -> KnownSports:
    """The sports and competitions that can be asked for; ``seen``: those with prices now, if known."""
    listed = seen.sports if seen is not None else ()
    titles = {key: sport_title(key) for key in (*SPORT_KEYS, *SPORT_WORDS.values())}
    titles |= {sport.key: sport.title for sport in listed}
    return KnownSports(titles, has_all=bool(listed))


def _competitions(keys: Iterable[str]) -> dict[str, str]:
    """The names of competitions without their sport, where only one sport has them."""
    words: dict[str, str] = {}
    doubtful: set[str] = set()
    for key in keys:
        competition = key.partition("_")[2]
        if words.setdefault(competition, key) != key:
            doubtful.add(competition)
    return {word: key for word, key in words.items() if word and word not in doubtful}


def letters(text: str) -> str:
    """The letters and digits of a name alone, in lower case: ``Sky Bet`` is ``skybet``."""
    return _NOT_LETTERS.sub("", text.casefold())


def key_form(text: str) -> str:
    """A name in the form of a key: ``SOCCER EPL`` is ``soccer_epl``."""
    return _NOT_LETTERS.sub("_", text.casefold()).strip("_")
