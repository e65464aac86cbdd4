"""The names of bookmakers and exchanges as the brands write them, for the keys of the odds feed."""

from __future__ import annotations

import re
from typing import Final

OWN_EXCHANGE: Final = "betfair"
"""The exchange whose books come from the own account, not from the feed."""
OWN_TITLE: Final = "Betfair"
EXCHANGES_IN_BOOKS: Final = (OWN_EXCHANGE, "smarkets", "matchbook")
"""The exchanges that money is recorded at, the own account's first."""

PLACE_NAMES: Final = {
    "sport888": "888sport",
    OWN_EXCHANGE: OWN_TITLE,
    "betfair_ex_uk": OWN_TITLE,
    "betfair_sb_uk": "Betfair Sportsbook",
    "betfred_uk": "Betfred",
    "betvictor": "BetVictor",
    "betway": "Betway",
    "betgoodwin": "BetGoodwin",
    "boylesports": "BoyleSports",
    "casumo": "Casumo",
    "coral": "Coral",
    "grosvenor": "Grosvenor",
    "kwiff": "Kwiff",
    "ladbrokes_uk": "Ladbrokes",
    "leovegas": "LeoVegas",
    "livescorebet": "LiveScore Bet",
    "matchbook": "Matchbook",
    "mrgreen": "Mr Green",
    "paddypower": "Paddy Power",
    "quinnbet": "QuinnBet",
    "skybet": "Sky Bet",
    "smarkets": "Smarkets",
    "starsports": "Star Sports",
    "talksportbet": "talkSPORT BET",
    "unibet_uk": "Unibet",
    "virginbet": "Virgin Bet",
    "williamhill": "William Hill",
}
_KEY: Final = re.compile(r"[a-z0-9_]+")
_REGIONS: Final = ("_uk", "_eu", "_us", "_au", "_ie")


def place_name(key: str) -> str:
    """The name of a bookmaker or exchange; an unknown key is made readable.

    >>> place_name("williamhill")
    'William Hill'
    >>> place_name("new_book_uk")
    'New Book'
    """
    if key in PLACE_NAMES:
        return PLACE_NAMES[key]
    for region in _REGIONS:
        key = key.removesuffix(region)
    return key.replace("_", " ").title() if _KEY.fullmatch(key) else key
