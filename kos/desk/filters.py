"""Filters, with or without their names, as a query to the scorer."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from rapidfuzz import fuzz, process

from kos.desk.arguments import Arguments, one_of, tidy
from kos.domain.books.calendar import read_duration
from kos.domain.market.odds import MOST_ODDS, as_decimal, read_odds
from kos.domain.money import read_count, read_pounds
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking
from kos.errors import CommandNotAllowed, InvalidInput

KINDS = {
    "qualifier": BetKind.QUALIFYING,
    "snr": BetKind.FREE_BET_SNR,
    "sr": BetKind.FREE_BET_SR,
    "refund": BetKind.REFUND,
    "arbs": BetKind.QUALIFYING,
    "dutch": BetKind.QUALIFYING,
}
"""The commands that query the scorer, with the kind of their back bet."""
LAID = "laid"
"""Means all bookmakers."""
MOST = 60
"""The maximum number of opportunities per query."""
FILTER_HELP = (
    "Filters: stake=10 sport=soccer within=2h (or 90m, 3d) odds=2-6 (or min= max=) "
    "liquidity=50 liability=100 exchange=betfair rank=rating free=10 (value of the free bet you "
    "earn) arbs=no or arbs=only. You can leave the names out: /qualifier coral soccer 2h £25 2-6"
)

_STAKE = Decimal(10)
_EXCHANGES = ("betfair", "betfair_ex_uk", "smarkets", "matchbook")
_ALIKE = 60.0
_RANGE = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)-(\d{1,4}(?:\.\d{1,3})?)", re.ASCII)
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SPORT = re.compile(r"[a-z0-9_]{1,60}")


class Question(msgspec.Struct, frozen=True):
    """A query to the scorer, and its typed form."""

    name: str
    words: Arguments
    """Without the page."""
    query: OpportunityQuery
    page: int

    def command(self) -> str:
        """As typed, without the page."""
        head, words = self.name, self.words
        joined = f"{head}_{words.first()}"
        if words.first() and _COMMAND.fullmatch(joined):
            head, words = joined, words.rest()
        return f"/{head} {words.text()}".rstrip()


def question_of(name: str, words: Arguments, bookmakers: dict[str, str]) -> Question:
    """The query that a command's words describe.

    Args:
        name: One of :data:`KINDS`.
        words: As typed: a bookmaker, filters, a page.
        bookmakers: Those in the data, key to title.

    Raises:
        InvalidInput: A value is wrong; names the word and what is allowed.
        CommandNotAllowed: A word does not belong here; says what does.
    """
    words.refuse_others("bookmaker", "page", *_FILTERS)
    wanted, named = words.get("bookmaker"), {}
    for place, word in enumerate(words.plain):
        field = _field_of(word, bookmakers)
        if place == 0 and name not in _FOR_ALL and field in {"sport", ""}:
            field = "bookmaker"
        if field == "bookmaker" and not wanted:
            wanted = word
        elif field not in {"", "bookmaker"} and field not in named:
            named[field] = word.casefold()
        else:
            raise CommandNotAllowed(
                f"Not recognised: {tidy(word, 60)}. Try a bookmaker, a sport, 2h, £25 or 2-6."
            )
    named |= {
        field: value for field, value in words.named.items() if field not in {"bookmaker", "page"}
    }
    key = None if wanted in {"", LAID} else bookmaker_of(wanted, bookmakers)
    found: dict[str, Any] = {"stake": _STAKE}
    for field, value in named.items():
        found |= _FILTERS[field](value)
    _refuse_unfit(name, named)
    if name == "arbs":
        found |= {"only_arbs": True, "hide_arbs": False}
    if name in {"arbs", "dutch"}:
        found.setdefault("ranking", Ranking.RATING)
    if found.get("min_odds", 0) > found.get("max_odds", 10**9):
        raise CommandNotAllowed("Put the lower odds first, e.g. 2-6.")
    return Question(
        name,
        Arguments((key,) if key else () if name in _FOR_ALL else (LAID,), named),
        OpportunityQuery(kind=KINDS[name], bookmaker=key, limit=MOST, **found),
        read_count("page", words.get("page") or "1"),
    )


_FOR_ALL = frozenset({"arbs", "dutch"})
"""Commands that need no bookmaker: their first word can be a sport."""
_ONLY_FOR = {
    "free": frozenset({"qualifier", "dutch"}),
    "back": frozenset({"refund"}),
    "cash": frozenset({"refund"}),
}


def _refuse_unfit(name: str, named: dict[str, str]) -> None:
    for field, names in _ONLY_FOR.items():
        if field in named and name not in names:
            fitting = " and ".join(f"/{each}" for each in sorted(names))
            raise CommandNotAllowed(f"{field}= only works with {fitting}.")


def _field_of(word: str, bookmakers: dict[str, str]) -> str:
    """The filter that a word without a name means; empty for none."""
    folded = word.casefold()
    if folded == LAID or folded in bookmakers:
        return "bookmaker"
    if folded in _EXCHANGES:
        return "exchange"
    return next((field for field, form in _BARE.items() if form.fullmatch(folded)), "")


_BARE = {
    "odds": _RANGE,
    "within": re.compile(r"\d+(?:\.\d+)?(?:m|min|h|d)", re.ASCII),
    "stake": re.compile(r"£?\d+(?:\.\d+)?", re.ASCII),
    "sport": re.compile(r"[a-z][a-z0-9_]{2,60}", re.ASCII),
}


def _odds(text: str) -> dict[str, Any]:
    both = _RANGE.fullmatch(text)
    if both is None:
        raise InvalidInput("odds", text, "a range such as 2-6")
    return {
        "min_odds": as_decimal(read_odds("odds", both[1], MOST_ODDS)),
        "max_odds": as_decimal(read_odds("odds", both[2], MOST_ODDS)),
    }


def _sport(text: str) -> dict[str, Any]:
    if not _SPORT.fullmatch(text.casefold()):
        raise InvalidInput("sport", text, "a sport, e.g. soccer or soccer_epl")
    return {"sport": text.casefold()}


def _ranking(text: str) -> dict[str, Any]:
    return {"ranking": Ranking(one_of("rank", text, [each.value for each in Ranking]))}


def _at_least_none(field: str, text: str) -> Decimal:
    return read_pounds(field, text, Decimal(0))


_FILTERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "stake": lambda text: {"stake": read_pounds("stake", text)},
    "sport": _sport,
    "within": lambda text: {
        "max_minutes_to_kickoff": read_duration("within", text).total_seconds() / 60
    },
    "odds": _odds,
    "min": lambda text: {"min_odds": as_decimal(read_odds("min", text, MOST_ODDS))},
    "max": lambda text: {"max_odds": as_decimal(read_odds("max", text, MOST_ODDS))},
    "liquidity": lambda text: {"min_liquidity": _at_least_none("liquidity", text)},
    "liq": lambda text: {"min_liquidity": _at_least_none("liq", text)},
    "liability": lambda text: {"max_liability": _at_least_none("liability", text)},
    "exchange": lambda text: {"exchange": one_of("exchange", text, _EXCHANGES)},
    "free": lambda text: {"free_bet_value": read_pounds("free", text)},
    "rank": _ranking,
    "arbs": lambda text: {
        "hide_arbs": one_of("arbs", text, ("yes", "no", "only")) == "no",
        "only_arbs": one_of("arbs", text, ("yes", "no", "only")) == "only",
    },
    "back": lambda text: {"refund_value": read_pounds("back", text)},
    "cash": lambda text: {"is_refund_cash": one_of("cash", text, ("yes", "no")) == "yes"},
}


def bookmaker_of(text: str, bookmakers: dict[str, str]) -> str:
    """The key of a bookmaker from its name as typed.

    Raises:
        InvalidInput: There is no such bookmaker; suggests the nearest.
    """
    wanted = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
    if wanted in bookmakers or (not bookmakers and wanted):
        return wanted
    plain = wanted.replace("_", "")
    names = {
        spelling: key
        for key, title in bookmakers.items()
        for spelling in (key.replace("_", ""), re.sub(r"[^a-z0-9]+", "", title.casefold()))
    }
    if plain in names:
        return names[plain]
    begun = {key for spelling, key in names.items() if plain and spelling.startswith(plain)}
    if len(begun) == 1:
        return begun.pop()
    near = process.extractOne(plain, names, scorer=fuzz.ratio) if plain and names else None
    hint = f" (did you mean {bookmakers[names[near[0]]]}?)" if near and near[1] >= _ALIKE else ""
    raise InvalidInput(
        "bookmaker", tidy(text, 40), f"one of {', '.join(bookmakers.values())}{hint}"
    )
