# ruff: noqa: RUF001 - foreign letters are the point of the table
"""Names to comparable parts: folded words, marks of the side, initials.

A mark (women, age group, reserves, simulated) stands at the end of a name, so that a club whose
name merely holds such a word keeps it. ``Willem II`` is a first team.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

_LETTERS = str.maketrans(
    {
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
        "þ": "th", "Þ": "Th", "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ı": "i",
        "ə": "e", "Ə": "E", "’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "–": "-", "—": "-",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z",
        "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
        "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
        "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "і": "i",
        "ї": "i", "є": "e", "ґ": "g",
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
        "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
        "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    }
)  # fmt: skip


def fold(text: str) -> str:
    """The text in lower-case plain letters: accents dropped, Cyrillic and Greek transliterated."""
    if text.isascii():
        return text.lower()
    text = text.lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(_LETTERS).lower()


class WordLists(msgspec.Struct, frozen=True):
    """What is known of words as such; see ``words.toml``."""

    letters: frozenset[str]
    college_letters: frozenset[str]
    weak: frozenset[str]
    nicknames: frozenset[str]
    second_sides: frozenset[str]
    second_sides_last: frozenset[str]
    directions: frozenset[str]
    phrases: dict[str, str]
    same: dict[str, str]
    second_teams: dict[str, str]
    phrase_pattern: re.Pattern[str]


def read_data(name: str) -> dict[str, Any]:
    """One of the package's own tables, by file name."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def words() -> WordLists:
    """The table of words, read once."""
    table = read_data("words.toml")
    phrases: dict[str, str] = table["phrases"]
    alternatives = "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))
    return WordLists(
        letters=frozenset(table["letters"].split()),
        college_letters=frozenset(table["college_letters"].split()),
        weak=frozenset(table["weak"].split()),
        nicknames=frozenset(table["nicknames"].split()),
        second_sides=frozenset(table["second_sides"].split()),
        second_sides_last=frozenset(table["second_sides_last"].split()),
        directions=frozenset(table["directions"].split()),
        phrases=phrases,
        same=table["same"],
        second_teams=table["second_teams"],
        phrase_pattern=re.compile(rf"\b(?:{alternatives})\b"),
    )


_JOINED = re.compile(r"(?<=\w)['.](?=\w)|['.]")
_SPLIT = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=65536)
def tokenise(text: str) -> tuple[str, ...]:
    """Words of a name, folded, with one spelling for known short forms and translations."""
    plain = fold(text).replace("&", " and ")
    plain = re.sub(r"\b([a-z])\.\s?(?=[a-z]\.)", r"\1", plain)
    plain = _SPLIT.sub(" ", _JOINED.sub("", plain)).strip()
    lexicon = words()
    plain = lexicon.phrase_pattern.sub(lambda m: lexicon.phrases[m[0]], plain)
    same = lexicon.same
    return tuple(same.get(t, t) for t in plain.split())


NORTH_AMERICAN = frozenset({"americanfootball", "basketball", "baseball", "icehockey", "lacrosse"})
"""Sports in which ``St`` after a name is short for State, and brackets hold a state."""


_OF_COLLEGES = NORTH_AMERICAN - {"icehockey"}


class Vocabulary(msgspec.Struct, frozen=True, gc=False):
    """How much the words of a name tell in one sport."""

    letters: frozenset[str]
    """Club letters and forms of club: they tell nothing of who it is."""
    weak: frozenset[str]
    """Kinds of club and other words that many share."""
    nicknames: frozenset[str]
    """Words that add nothing beside a city or a school; none where they are the name."""

    def weight(self, word: str) -> float:
        """0.15 for club letters and figures, 0.4 for words that many share, 1 for the rest."""
        if word in self.letters or word.isdigit():
            return 0.15
        return 0.4 if word in self.weak else 1.0


@cache
def vocabulary(sport: str) -> Vocabulary:
    """The words of a sport. Colleges have few club letters: ``SE Louisiana`` is not Louisiana."""
    lexicon = words()
    return Vocabulary(
        letters=lexicon.college_letters if sport in _OF_COLLEGES else lexicon.letters,
        weak=lexicon.weak,
        nicknames=lexicon.nicknames if sport in NORTH_AMERICAN else frozenset(),
    )


PERSONAL = frozenset({"tennis", "mma", "boxing", "darts", "snooker", "tabletennis"})
"""Sports of persons: letters after a name are initials there, not marks of a side."""


def name_words(base: str, sport: str) -> tuple[str, ...]:
    """Words of a name without marks, as its sport means them."""
    tokens = tokenise(base)
    if sport in NORTH_AMERICAN and "st" in tokens[1:]:
        return (tokens[0], *("state" if t == "st" else t for t in tokens[1:]))
    return tokens


class Marks(msgspec.Struct, frozen=True, gc=False):
    """What kind of side a name means. Two sides with different marks are never the same."""

    women: bool = False
    age: str = ""
    """``u21``, ``youth``; empty for seniors."""
    reserve: str = ""
    """``b`` for second teams under any name, ``c`` for third teams; empty for first teams."""
    simulated: bool = False


_WOMEN = re.compile(
    r"[\s(]*(?:\(\s*w\w{0,5}\s*\)?|\bwomen'?s?|\bwowen|\bladies|\bgirls|\bwfc|\bfcw|\bwbbl|\bwnbl"
    r"|\bfem(?:enina|enino|enil|inino|inina|inin|inas|eninas|inines?|minile)?|\bfrauen|\bvrouwen|\bdames"
    r"|\bkvinder|\bkvinner|\bdamer|\bnaiset|\bw)\s*\)?\s*$"
)
_WOMEN_CUT = re.compile(r"\s(?:\(|wo|wom|wome|lad|ladi|ladie)$")
_AGE = re.compile(r"[\s(]+(?:u|under|sub|jo)[\s-]?(\d{2})s?\b\s*\)?\s*$")
_YOUTH = re.compile(r"[\s(-]+(?:youth|academy|juvenil|primavera)\s*\)?\s*$")
_RESERVE = re.compile(
    r"[\s(]+(?:\(\s*(?:res|reserves?|reserva|am|amateure?|a|b|ii|2)\s*\)?|ii|b|2|res|reserves?|reserva|castilla"
    r"|amateure?|akatemia|2nd xi)\s*\)?\s*$"
)
_THIRD = re.compile(r"[\s(]+(?:iii|c)\s*\)?\s*$")
_A_SIDE = re.compile(r"\s(?:a|xi)\s*$")
_JONG = re.compile(r"^jong\s+")
_SIMULATED = re.compile(r"[\s(]+(?:\(e\)|esports?|srl|virtual|cyber|simulated)\s*\)?\s*$")
_COUNTRY = re.compile(r"\s*\(\s*([a-z]{2,3})\s*\)?\s*$")
_CODES = {
    "arg": "argentina", "bol": "bolivia", "bra": "brazil", "chi": "chile", "col": "colombia", "ecu": "ecuador",
    "par": "paraguay", "per": "peru", "uru": "uruguay", "ven": "venezuela", "mex": "mexico", "usa": "usa",
    "ksa": "saudi", "qat": "qatar", "uae": "uae", "kuw": "kuwait", "brn": "bahrain", "bhr": "bahrain", "egy": "egypt",
    "tun": "tunisia", "mar": "morocco", "alg": "algeria", "rsa": "southafrica", "eng": "england", "sco": "scotland",
    "wal": "wales", "irl": "ireland", "nir": "northernireland", "esp": "spain", "por": "portugal", "ger": "germany",
    "gre": "greece", "cyp": "cyprus", "srb": "serbia", "rus": "russia", "ukr": "ukraine", "jpn": "japan", "kor": "korea",
    "chn": "china", "aus": "australia", "irq": "iraq", "irn": "iran", "jor": "jordan", "leb": "lebanon", "omn": "oman",
    "syr": "syria", "sud": "sudan", "lby": "libya", "hon": "honduras", "gua": "guatemala", "crc": "costarica",
    "slv": "elsalvador", "pan": "panama", "bul": "bulgaria", "rou": "romania", "rom": "romania", "bih": "bosnia",
}  # fmt: skip
_RANKED = re.compile(r"^(?:#\d{1,2}|\(\d{1,2}\)|no\.? ?\d{1,2})\s+")
_CUT_LENGTH = 20
"""Exchange names are cut at about 23 characters, marks first."""


class Stripped(msgspec.Struct, frozen=True, gc=False):
    """A name without its marks."""

    base: str
    marks: Marks
    country: str
    """A country in brackets, as exchanges print it: ``ecu``, ``uru``; empty otherwise."""


_WITH_A_SIDES = frozenset({"cricket", "rugbyunion", "rugbyleague"})

# First teams whose names end like a mark.
_NOT_MARKS = frozenset({"willem ii"})

_ENDINGS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (_SIMULATED, "simulated", "yes"),
    (_WOMEN, "women", "yes"),
    (_AGE, "age", "u{}"),
    (_YOUTH, "age", "youth"),
    (_RESERVE, "reserve", "b"),
    (_THIRD, "reserve", "c"),
)
"""Endings of names, their meaning and kind."""


@lru_cache(maxsize=65536)
def strip_marks(name: str, sport: str = "soccer") -> Stripped:
    """The name's base, its marks and its country in brackets.

    Args:
        name: As printed.
        sport: Decides what ``A`` at the end and letters in brackets mean.
    """
    if sport in PERSONAL:
        return _strip_person(name)
    endings = _ENDINGS
    if sport in _WITH_A_SIDES:
        endings += ((_A_SIDE, "reserve", "b"),)
    if sport not in NORTH_AMERICAN:
        endings += ((_COUNTRY, "country", "{}"),)
    if len(name.strip()) >= _CUT_LENGTH:
        endings += ((_WOMEN_CUT, "women", "yes"),)
    base = _RANKED.sub("", fold(name).strip())
    mark_values: dict[str, str] = {}
    if match := _JONG.match(base):
        base, mark_values["reserve"] = base[match.end() :], "b"
    while base not in _NOT_MARKS:
        for pattern, field, value in endings:
            match = pattern.search(base)
            if match and match.start() > 0:
                mark_values[field] = value.format(*match.groups())
                base = base[: match.start()].strip()
                break
        else:
            break
    if sport == "soccer" and (club := words().second_teams.get(base)):
        base, mark_values["reserve"] = club, "b"
    marks = Marks(
        women="women" in mark_values,
        age=mark_values.get("age", ""),
        reserve=mark_values.get("reserve", ""),
        simulated="simulated" in mark_values,
    )
    return Stripped(base, marks, _CODES.get(mark_values.get("country", ""), ""))


_BRACKETED_WOMEN = re.compile(r"\s*\(\s*w\w*\s*\)?\s*$")


def _strip_person(name: str) -> Stripped:
    base = _RANKED.sub("", fold(name).strip())
    bare = _BRACKETED_WOMEN.sub("", base)
    return Stripped(_COUNTRY.sub("", bare), Marks(women=bare != base), "")


_WOMENS_COMPETITION = re.compile(
    r"\bwom[ae]n|\bladies|\bwnba|\bwnbl|\bwbbl|\bnrlw|\baflw|\bwsl|\bnwsl|\bwpl\b|\bw-league|\bwcpl|\bwta\b|\bfrauen"
    r"|\bfem[ei]n|\bfemminile|\bdamallsvenskan|\btoppserien|\bkvinde|\bliga f\b|\bgirls|\(w\)|\bwncaa|\bncaaw|\bvrouwen"
    r"|\bdames|\bwomens|\bnaisten|\belitettan|\bwwc\b|\bwt20|\bwodi|\bw\b"
)
_WOMENS_KEY = re.compile(
    r"wom[ae]n|wnba|wncaa|_wta|nrlw|aflw|wbbl|nwsl|_wsl|_wpl|wnbl|ladies|frauen"
)
_MENS_COMPETITION = re.compile(r"\batp\b|\bmens?\b|\bmen's\b")
_AGE_COMPETITION = re.compile(r"\b(?:u|under)[\s-]?(\d{2})s?\b")
_YOUTH_COMPETITION = re.compile(r"\byouth\b")
_RESERVE_COMPETITION = re.compile(r"\breserves?\b")


class Gate(msgspec.Struct, frozen=True, gc=False):
    """What a competition says of all sides in it."""

    women: bool | None
    """None where the competition says neither."""
    age: str = ""


@lru_cache(maxsize=8192)
def competition_gate(competition: str) -> Gate:
    """Kind of the sides in an exchange competition, by its name."""
    plain = fold(competition)
    women: bool | None = None
    if _WOMENS_COMPETITION.search(plain):
        women = True
    elif _MENS_COMPETITION.search(plain):
        women = False
    match = _AGE_COMPETITION.search(plain)
    age = f"u{match[1]}" if match else "youth" if _YOUTH_COMPETITION.search(plain) else ""
    return Gate(women, age)


@lru_cache(maxsize=1024)
def sport_key_gate(sport_key: str) -> Gate:
    """Kind of the sides under a sport key of the odds feed."""
    if _WOMENS_KEY.search(sport_key):
        return Gate(women=True)
    if "_atp" in sport_key:
        return Gate(women=False)
    match = re.search(r"_u(\d{2})\b", sport_key)
    return Gate(None, f"u{match[1]}" if match else "")


_HIDDEN = re.compile(r"xxdnd|do not display", re.IGNORECASE)
_OCCASION = re.compile(
    r"\s*\((?:[^()]*\b(?:odi|t20i?|test|leg|game|gm|match|day|final|replay|neutral|best of|bo\d|odd?s?)\b[^()]*|"
    r"\d+(?:st|nd|rd|th)[^()]*|n|g\d)\)\s*$",
    re.IGNORECASE,
)
_VERSUS = re.compile(r"\s+(?:v|vs|vs\.)\s+", re.IGNORECASE)


@lru_cache(maxsize=65536)
def split_event(name: str) -> tuple[str, str] | None:
    """Home and away of an exchange event name, or None where it is not two-sided.

    ``A v B`` has A at home; ``A @ B`` has B at home.
    """
    if _HIDDEN.search(name):
        return None
    trimmed = _OCCASION.sub("", name.strip())
    if " @ " in trimmed:
        parts = trimmed.split(" @ ")
        parts.reverse()
    else:
        parts = _VERSUS.split(trimmed)
    if len(parts) != 2:  # noqa: PLR2004 - two sides
        return None
    home, away = (part.strip() for part in parts)
    return (home, away) if home and away else None


def is_hidden(*texts: str) -> bool:
    """Whether an exchange event is one that its site keeps from view."""
    return any(_HIDDEN.search(text) for text in texts)
