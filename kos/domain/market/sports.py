"""Facts of the world about a sport key: its sport, the form of its bet, its place on the exchange.

A sport key of the odds feed begins with its sport (``soccer_epl``); a few keys differ from their
sport and have a line of their own. New keys appear every season, so an unknown one gets cautious
facts, never an error.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from kos.domain.market.outcomes import BetForm


class SportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the events of one sport key."""

    sport: str
    """The sport's own key, e.g. ``soccer``; ``unknown`` where nothing fits."""
    name: str
    """For people: ``Soccer``."""
    h2h_outcomes: BetForm | None = None
    """How many outcomes the match market has at a UK book and on the exchange. None: both forms
    occur or nothing is known, so compare the sets of outcomes.

    Where this says two-way, a bookmaker's ``h2h`` with a draw is **another bet** (many ice hockey
    books quote 60 minutes three-way while the exchange's money line counts overtime): pairing
    the two would show a profit that is not there.
    """
    is_draw_excluded: bool = False
    """True where no draw may ever be offered: the match market settles without one."""
    event_type_id: str | None = None
    """Betfair's id of the sport; None where Betfair is not known to have it."""
    event_type: str | None = None
    """Betfair's name of the sport."""
    market_type: str | None = None
    """Betfair's type code of the market that answers ``h2h`` (for outrights the winner)."""
    is_away_first: bool = False
    """Betfair names these events ``Away @ Home`` (North American leagues)."""
    is_outright: bool = False
    """A winner market over many runners: no home, no away."""
    liquidity_floor: Decimal = Decimal(20)
    """Pounds that should wait at the best lay price, where the settings say nothing else."""
    duration: timedelta = timedelta(hours=3)
    """From kickoff until an event is usually over, breaks included."""


class SportWanted(msgspec.Struct, frozen=True):
    """A sport of the exchange in which bookmaker events exist."""

    event_type_id: str
    event_type: str
    market_types: tuple[str, ...]
    """Type codes of the markets that answer the bookmakers' head-to-head prices."""


def _listed(
    sport: str,
    name: str,
    event_type_id: str,
    minutes: int,
    h2h_outcomes: BetForm | None = None,
    *,
    event_type: str = "",
    market_type: str | None = "MATCH_ODDS",
    is_draw_excluded: bool = False,
    is_away_first: bool = False,
    is_outright: bool = False,
) -> SportFacts:
    """A sport that Betfair has, mostly under the same name and with `MATCH_ODDS`."""
    return SportFacts(
        sport=sport,
        name=name,
        h2h_outcomes=h2h_outcomes,
        is_draw_excluded=is_draw_excluded,
        event_type_id=event_type_id,
        event_type=event_type or name,
        market_type=market_type,
        is_away_first=is_away_first,
        is_outright=is_outright,
        duration=timedelta(minutes=minutes),
    )


_TWO, _THREE = BetForm.TWO_WAY, BetForm.THREE_WAY
_SPORTS: Final = (
    _listed("soccer", "Soccer", "1", 115, _THREE),
    _listed("tennis", "Tennis", "2", 150, _TWO, is_draw_excluded=True),
    _listed("golf", "Golf", "3", 4 * 24 * 60, market_type="WINNER", is_outright=True),
    _listed("cricket", "Cricket", "4", 220, _TWO),
    _listed("rugbyunion", "Rugby Union", "5", 110),
    _listed("rugbyleague", "Rugby League", "1477", 110),
    _listed("boxing", "Boxing", "6", 75),
    _listed("mma", "Mixed Martial Arts", "26420387", 45, _TWO, is_draw_excluded=True),
    _listed(
        "americanfootball", "American Football", "6423", 200, _TWO,
        is_draw_excluded=True, is_away_first=True,
    ),
    _listed("baseball", "Baseball", "7511", 185, _TWO, is_draw_excluded=True),
    _listed("basketball", "Basketball", "7522", 140, _TWO, is_draw_excluded=True),
    _listed(
        "icehockey", "Ice Hockey", "7524", 160, _TWO,
        is_draw_excluded=True, market_type="MONEY_LINE",
    ),
    _listed("aussierules", "Aussie Rules", "61420", 155, _TWO, event_type="Australian Rules"),
    _listed("handball", "Handball", "468328", 95, _THREE),
    _listed("politics", "Politics", "2378961", 24 * 60, market_type=None, is_outright=True),
    SportFacts(sport="lacrosse", name="Lacrosse", duration=timedelta(minutes=130)),
)  # fmt: skip

_BY_SPORT: Final = {facts.sport: facts for facts in _SPORTS}
_BY_GROUP: Final = {facts.name.casefold(): facts for facts in _SPORTS}
_BY_EVENT_TYPE: Final = {facts.event_type_id: facts for facts in _SPORTS if facts.event_type_id}

_NORTH_AMERICAN: Final = (
    "basketball_nba",
    "basketball_ncaab",
    "basketball_wnba",
    "basketball_wncaab",
    "baseball_mlb",
    "baseball_milb",
    "baseball_ncaa",
    "icehockey_ahl",
    "icehockey_nhl",
)
"""Keys, and beginnings of keys, whose events Betfair writes ``Away @ Home``."""

_OWN_FLOORS: Final = {"soccer_epl": Decimal(50), "basketball_nba": Decimal(30)}

_LONG_CRICKET: Final = {
    "cricket_test_match": timedelta(days=5),
    "cricket_odi": timedelta(hours=8),
    "cricket_icc_world_cup": timedelta(hours=8),
    "cricket_icc_world_cup_womens": timedelta(hours=8),
    "cricket_icc_trophy": timedelta(hours=8),
    "cricket_asia_cup": timedelta(hours=8),
}

_OUTRIGHT_SUFFIX: Final = "_winner"

SPORT_KEYS: Final = (*_BY_SPORT, *_OWN_FLOORS, *_NORTH_AMERICAN, *_LONG_CRICKET)
"""The sports, and the competitions with facts of their own: known before any price is."""
SPORT_WORDS: Final = {
    "football": "soccer",
    "premier league": "soccer_epl",
    "english premier league": "soccer_epl",
    "nfl": "americanfootball_nfl",
    "ufc": "mma",
    "rugby union": "rugbyunion",
    "rugby league": "rugbyleague",
    "hockey": "icehockey",
}
"""Other words for sports and competitions, each with the key it means."""
_SHORT_WORD: Final = 4
"""A word of a key with at most so many letters is an abbreviation: EPL, NBA."""


def sport_title(sport_key: str) -> str:
    """A sport key for people.

    >>> sport_title("soccer_epl"), sport_title("icehockey")
    ('Soccer EPL', 'Ice Hockey')
    """
    sport, *words = sport_key.split("_")
    facts = _BY_SPORT.get(sport)
    names = [facts.name if facts else sport.title()]
    names += [word.upper() if len(word) <= _SHORT_WORD else word.title() for word in words]
    return " ".join(names)


@lru_cache(maxsize=1024)
def sport_of(sport_key: str, group: str = "") -> SportFacts:
    """The facts for a sport key.

    Args:
        sport_key: The feed's key, e.g. ``icehockey_nhl``.
        group: The feed's group (``Ice Hockey``), which decides where the key's own beginning
            is unknown.
    """
    key = sport_key.strip().lower()
    facts = _BY_SPORT.get(key.partition("_")[0]) or _BY_GROUP.get(group.strip().casefold())
    if facts is None:
        return SportFacts(
            sport="unknown",
            name=group.strip() or "Unknown",
            is_outright=key.endswith(_OUTRIGHT_SUFFIX),
        )
    if key.endswith(_OUTRIGHT_SUFFIX):
        return msgspec.structs.replace(
            facts,
            is_outright=True,
            h2h_outcomes=None,
            is_draw_excluded=True,
            market_type="WINNER" if facts.sport == "golf" else None,
            is_away_first=False,
        )
    if key == "cricket_test_match":
        facts = msgspec.structs.replace(facts, h2h_outcomes=BetForm.THREE_WAY)
    return msgspec.structs.replace(
        facts,
        is_away_first=facts.is_away_first or key.startswith(_NORTH_AMERICAN),
        liquidity_floor=_OWN_FLOORS.get(key, facts.liquidity_floor),
        duration=_LONG_CRICKET.get(key, facts.duration),
    )


def sport_of_event_type(event_type_id: str) -> SportFacts | None:
    """The facts of the sport that Betfair gives this id; None where KOS knows no such sport."""
    return _BY_EVENT_TYPE.get(event_type_id)
