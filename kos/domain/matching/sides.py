# ruff: noqa: PLR0911, PLR2004 - a list of rules, each with its own figure and its own way out
"""One side of an event made comparable, and how sure two sides are the same.

A score is 0 to 1. From 0.8 the two names alone suffice to call the sides one; from 0.65 they may be
one where everything else agrees; below that they are not taken for one. The weaker of an event's
two sides decides it, so that one famous side can never carry a wrong opponent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import Indel, JaroWinkler

from kos.domain.matching.aliases import Knowledge
from kos.domain.matching.normalise import Marks, name_words, strip_marks, vocabulary, words

SURE = 0.8
"""From here on two names suffice by themselves."""
HINT = 0.35
"""Below this two names are not looked at further."""
POSSIBLE = 0.65
"""From here on two names may be one where all else agrees."""


class Similarity(NamedTuple):
    """How sure two sides are one, and by which rule."""

    value: float
    why: str
    is_odd: bool = False
    """A telling word is shared, in another place of the name, and the rest differs."""
    is_final: bool = False
    """Knowledge or kind forbids it: no learning may overrule."""


NO_LETTERS = Similarity(0.0, "nothing in common")
OTHER_KIND = Similarity(0.0, "another kind of side (women, age, reserves)", is_final=True)


class Side:
    """A team, a person or a pair of persons, as one list prints it."""

    __slots__ = (
        "compact", "core", "country", "is_cut", "is_person", "letters", "marks",
        "name", "pair", "scores", "teams", "tokens", "vocabulary", "women",
    )  # fmt: skip

    def __init__(self, name: str, *, sport: str, is_person: bool, knowledge: Knowledge | None,
                 women: bool | None, age: str, country: str) -> None:  # fmt: skip
        self.name = name
        self.is_person = is_person
        self.vocabulary = vocabulary(sport)
        self.pair: tuple[Side, ...] = ()
        self.scores: dict[Side, Similarity] = {}
        self.teams: frozenset[int] = frozenset()
        self.is_cut = len(name) >= 22
        stripped = strip_marks(name, sport)
        marks = stripped.marks
        self.women = True if marks.women else women
        self.marks = Marks(
            women=False, age=marks.age or age, reserve=marks.reserve, simulated=marks.simulated
        )
        self.country = stripped.country or country
        self.tokens = name_words(stripped.base, sport)
        letters = self.vocabulary.letters
        if is_person:
            core = tuple(t for t in self.tokens if t not in _NAME_SUFFIXES) or self.tokens
            # "Djokovic N." is N. Djokovic.
            self.core = core[-1:] + core[:-1] if len(core) > 1 and len(core[-1]) == 1 else core
            self.letters: tuple[str, ...] = ()
            if "/" in stripped.base or " & " in stripped.base:
                parts = stripped.base.replace(" & ", "/").split("/")
                self.pair = tuple(
                    Side(part.strip(), sport=sport, is_person=True, knowledge=None,
                         women=women, age=age, country="")
                    for part in parts if part.strip()
                )  # fmt: skip
        else:
            core = tuple(t for t in self.tokens if t not in letters and not t.isdigit())
            self.core = core or self.tokens
            self.letters = tuple(t for t in self.tokens if t in letters) if core else ()
            if knowledge is not None and not marks.simulated:
                self.teams = knowledge.teams(
                    sport, " ".join(self.tokens), " ".join(self.core), self.country
                )
        self.compact = "".join(self.core)

    def __repr__(self) -> str:
        return f"Side({self.name!r})"


_NAME_SUFFIXES = frozenset({"jr", "jnr", "sr", "snr", "ii", "iii", "iv"})


def compare(left: Side, right: Side, knowledge: Knowledge | None) -> Similarity:
    """How sure two sides are one; remembered on the left side."""
    similarity = left.scores.get(right)
    if similarity is None:
        similarity = left.scores[right] = _compare(left, right, knowledge)
    return similarity


def _compare(left: Side, right: Side, knowledge: Knowledge | None) -> Similarity:
    if left.marks != right.marks or (
        left.women is not None and right.women is not None and left.women != right.women
    ):
        return OTHER_KIND
    if left.is_person:
        return _compare_people(left, right, knowledge)
    return _compare_teams(left, right)


def _compare_teams(left: Side, right: Side) -> Similarity:
    if left.country and right.country and left.country != right.country:
        return Similarity(
            0.0, f"one is of {left.country}, the other of {right.country}", is_final=True
        )
    if left.teams and right.teams:
        if left.teams & right.teams:
            return Similarity(0.98, "known names of one team")
        return Similarity(0.0, "known names of different teams", is_final=True)
    if left.tokens == right.tokens:
        return Similarity(1.0, "same name")
    if left.core == right.core:
        if left.letters and right.letters and not set(left.letters) & set(right.letters):
            return Similarity(0.93, "same name but for club letters")
        return Similarity(0.99, "same name, club letters aside")
    if left.compact == right.compact or "".join(left.tokens) == "".join(right.tokens):
        return Similarity(0.97, "same letters")
    return max(_compare_tokens(left, right), _compare_initials(left, right))


def _compare_tokens(left: Side, right: Side) -> Similarity:
    weight = left.vocabulary.weight
    rest_left, rest_right = list(left.tokens), list(right.tokens)
    pairs = sorted(
        (
            (similarity, one, other)
            for one in dict.fromkeys(rest_left)
            for other in dict.fromkeys(rest_right)
            if (similarity := token_similarity(one, other)) > 0
        ),
        key=lambda p: (-p[0], p[1], p[2]),
    )
    matched = strong = total = 0.0
    shared: list[str] = []
    for similarity, one, other in pairs:
        if one in rest_left and other in rest_right:
            rest_left.remove(one)
            rest_right.remove(other)
            shared_weight = min(weight(one), weight(other))
            matched += shared_weight * similarity
            total += shared_weight
            strong = max(strong, shared_weight)
            if shared_weight > 0.2:
                shared.append(one if one == other else f"{one}~{other}")
    if not total or strong < 0.4:
        return NO_LETTERS
    for name, rest, others in ((right, rest_right, rest_left), (left, rest_left, rest_right)):
        # What is left of a word that the list had no room for.
        if name.is_cut and rest[-1:] == [name.tokens[-1]]:
            whole = next((t for t in others if t.startswith(rest[-1])), None)
            if whole is not None:
                rest.pop()
                others.remove(whole)
    mean = matched / total
    over_left = sum(weight(t) for t in rest_left)
    over_right = sum(weight(t) for t in rest_right)
    less, more = sorted((over_left, over_right))
    why = "shares " + " ".join(shared)
    if strong < 1.0:
        # Only a kind of club is shared: enough where it is the whole of one name, and a hint at most.
        factor = 0.72 if less <= 0.31 and total >= 0.4 else 0.3
        return Similarity(mean * factor, why + " (a common word)")
    if less <= 0.31:
        factor = max(SURE, 0.96 - 0.06 * min(more, 2.0))
        if less > 0:
            # Letters against a word (AC Milan, Inter Milan) may be two clubs of one town.
            factor = 0.88 if more <= 0.31 else 0.78
        longer, extra = (left, rest_left) if over_left > over_right else (right, rest_right)
        if not left.vocabulary.nicknames.isdisjoint(extra):
            plain = sum(weight(t) for t in extra if t not in left.vocabulary.nicknames)
            factor = 0.96 - 0.06 * min(plain, 2.0)
        factor = min(factor, _ceiling(longer, extra))
        detail = f", only {' '.join(extra)} is left over" if extra else ""
        return Similarity(mean * factor, why + detail)
    detail = f", but {' '.join(rest_left)} stands against {' '.join(rest_right)}"
    value = mean * (0.5 if less <= 0.41 else 0.4)
    return Similarity(value, why + detail, is_odd=_is_elsewhere(left, right, pairs))


def _ceiling(longer: Side, extra: list[str]) -> float:
    """How sure two names can be at most, by the words that only the longer one has."""
    lexicon = words()
    if not lexicon.second_sides.isdisjoint(extra):
        return 0.5
    if extra[-1:] == [longer.tokens[-1]] and extra[-1] in lexicon.second_sides_last:
        return 0.5
    return 0.78 if not lexicon.directions.isdisjoint(extra) else 1.0


def _is_elsewhere(left: Side, right: Side, pairs: list[tuple[float, str, str]]) -> bool:
    """Whether a telling word stands at the head of one name and not of the other.

    ``Saski Baskonia`` and ``Baskonia Vitoria-Gasteiz``, but not two clubs of one town.
    """
    return any(
        (left.core[0] == one) != (right.core[0] == other)
        for similarity, one, other in pairs
        if similarity >= 0.9
        and min(len(one), len(other)) >= 5
        and left.vocabulary.weight(one) == 1.0
    )


_SHORT = 5


def _compare_initials(left: Side, right: Side) -> Similarity:
    """``OB`` for Odense Boldklub, ``KuPS`` for Kuopion PS: pieces of all words in their order."""
    for short, long in ((right, left), (left, right)):
        if len(short.core) != 1 or not 2 <= len(short.compact) <= _SHORT or len(long.tokens) < 2:
            continue
        if _spells(short.compact, long.tokens):
            return Similarity(0.75, f"{short.name} are the first letters of {long.name}")
    return NO_LETTERS


def _spells(short: str, long: tuple[str, ...]) -> bool:
    """Whether the short name is made of beginnings of all the words, in order."""
    if not long:
        return not short
    first = long[0]
    for size in range(min(len(first), len(short)), 0, -1):
        if short[:size] == first[:size] and _spells(short[size:], long[1:]):
            return True
    return False


@lru_cache(maxsize=262144)
def token_similarity(one: str, other: str) -> float:
    """How alike two words are: 1 for equal, less for a beginning, a contraction or a slip; else 0."""
    if one == other:
        return 1.0
    if len(one) > len(other):
        one, other = other, one
    size = len(one)
    if size < 3 or one.isdigit() or other.isdigit():
        return 0.0
    if other.startswith(one):
        return 0.93 if size >= 4 else 0.88
    if one[0] != other[0]:
        return 0.0
    if size >= 5:
        ratio = Indel.normalized_similarity(one, other)
        if ratio >= 0.85:
            return ratio * 0.97
    if size >= 5 and one[-4:] == other[-4:] and _is_within(one, other):
        return 0.88
    common = next(n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    if common >= 4 and common >= size - 2:
        return 0.86
    return 0.0


def _is_within(short: str, long: str) -> bool:
    rest = iter(long)
    return all(letter in rest for letter in short)


def _compare_people(left: Side, right: Side, knowledge: Knowledge | None) -> Similarity:
    if bool(left.pair) != bool(right.pair):
        return Similarity(0.0, "one is a pair, the other is not")
    if left.pair:
        return _compare_pairs(left, right, knowledge)
    if left.core == right.core:
        return Similarity(1.0, "same name")
    if left.compact == right.compact:
        return Similarity(0.98, "same letters")
    if sorted(left.core) == sorted(right.core):
        return Similarity(0.97, "same names in another order")
    given_names = knowledge.given_names if knowledge is not None else {}
    score = max(
        _fits(left.core, right.core, given_names, right.is_cut),
        _fits(right.core, left.core, given_names, is_cut=False),
    )
    if score.value == 0 and min(len(left.core), len(right.core)) >= 2:
        ratio = JaroWinkler.similarity(left.compact, right.compact)
        indel = Indel.normalized_similarity(left.compact, right.compact)
        if indel >= 0.9 and ratio >= 0.93 and left.core[0][0] == right.core[0][0]:
            return Similarity(0.86, "same name with a slip")
    return score


def _compare_pairs(left: Side, right: Side, knowledge: Knowledge | None) -> Similarity:
    if len(left.pair) != len(right.pair) or len(left.pair) != 2:
        return Similarity(0.0, "not two against two")
    (a, b), (c, d) = left.pair, right.pair
    straight = min(compare(a, c, knowledge), compare(b, d, knowledge))
    crossed = min(compare(a, d, knowledge), compare(b, c, knowledge))
    return max(straight, crossed)


def _fits(full: tuple[str, ...], short: tuple[str, ...], given_names: dict[str, frozenset[str]],
          is_cut: bool) -> Similarity:  # fmt: skip
    """Whether the short form can be the full name: its surname there, nothing against it."""
    if len(short) > len(full) or not short:
        return NO_LETTERS
    rest = list(full)
    worst, why = 1.0, []
    for place in range(len(short) - 1, -1, -1):
        word = short[place]
        is_last = place == len(short) - 1
        best, at = 0.0, -1
        for index in range(len(rest) - 1, -1, -1):
            value = _name_word(
                rest[index], word, given_names, is_surname=is_last, is_cut=is_cut and is_last
            )
            if is_last and index == 0 and len(full) > 1:
                # A given name printed as the surname: only where names are turned round.
                value = min(value, 0.7 if len(short) == 1 else value)
            if value > best:
                best, at = value, index
        if at < 0:
            return NO_LETTERS
        why.append(f"{word}" if rest[at] == word else f"{word} for {rest[at]}")
        del rest[at]
        worst = min(worst, best)
    base = 0.95 if len(short) > 1 else 0.9
    return Similarity(base * worst, "fits as " + " ".join(reversed(why)))


def _name_word(full: str, short: str, given_names: dict[str, frozenset[str]], *, is_surname: bool,
               is_cut: bool) -> float:  # fmt: skip
    if full == short:
        return 1.0
    if is_surname:
        if is_cut and len(short) >= 3 and full.startswith(short):
            return 0.95
        if min(len(full), len(short)) >= 6:
            ratio = Indel.normalized_similarity(full, short)
            return 0.93 if ratio >= 0.9 else 0.0
        return 0.0
    if full.startswith(short) or (len(full) >= 3 and short.startswith(full)):
        return 0.98
    if short in given_names.get(full, ()):
        return 0.96
    if min(len(full), len(short)) >= 6 and Indel.normalized_similarity(full, short) >= 0.9:
        return 0.93
    return 0.0


def keys(side: Side) -> frozenset[str]:
    """Short texts: two sides that can score share one, by ``partner_keys``."""
    texts: set[str] = {f"t{team}" for team in side.teams}
    for part in side.pair:
        texts |= keys(part)
    for token in side.core:
        texts.add(token)
        if len(token) >= 3:
            texts.add("p" + token[:3])
        if len(token) >= 7:
            texts.add(f"e{token[0]}{token[-4:]}")
    texts.add("c" + side.compact[:4])
    if side.is_person:
        return frozenset(texts)
    texts.add("c" + "".join(side.tokens)[:4])
    if len(side.core) == 1 and 2 <= len(side.compact) <= _SHORT:
        texts.add("S" + side.compact[0])
    if len(side.tokens) > 1:
        texts.add("L" + side.tokens[0][0])
    return frozenset(texts)


_OPPOSITE = {"S": "L", "L": "S"}


def partner_keys(side: Side) -> frozenset[str]:
    """The keys under which a partner of this side would stand: initials against full names."""
    return frozenset(_OPPOSITE.get(key[0], key[0]) + key[1:] for key in keys(side))
