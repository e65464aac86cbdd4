"""The words that name a module or a central class are in the glossary."""

from __future__ import annotations

import ast
import re
from collections import Counter

from tests.architecture.house import ROOT, trees

PLAIN = frozenset(
    (  # noqa: SIM905 - as a list of texts it is a page long
        "alerting allowed and answers api app argument ask asker asking batch betfair block "
        "cache calc calendar change chart chat check cli client config context control "
        "crediting database db decision describe described description detail dialogue dir "
        "ending engine error examine example exit expected failed field form formatting "
        "freshness get group hangup help http input invalid job json judge kept key kind "
        "known kos launcher level life line listing live load log login machine main memory "
        "money name normalise not oddsapi operation option outgoing output page part people "
        "place placing polling process protocol pulse question queue racing readable reader "
        "readiness reading reconcile record recorded recording redact refused reload render "
        "reply report retry rule run rundir scoring server service settling simulated single "
        "spec spoken sport starting state status subject suggestion system systemd table "
        "telegram text typed unavailable unit untrusted value verify view wait web "
    ).split()
)
"""Words of plain English or of every program, which need no explanation here."""
CENTRAL = 9
"""A class that this many modules import is central."""


def terms() -> set[str]:
    """The terms of the glossary, in lower case without hyphens."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)[1:]
    return {plainly(term) for cell in cells for term in cell.split(", ")}


def plainly(term: str) -> str:
    """A term as modules and classes can be named."""
    return term.lower().replace("-", " ").replace("'", "")


def singular(word: str) -> str:
    for ending, instead in (
        ("ies", "y"),
        ("ases", "as"),
        ("ches", "ch"),
        ("xies", "xy"),
        ("ss", "ss"),
        ("s", ""),
    ):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word


def modules() -> set[str]:
    """The names of all modules and rooms, as words."""
    return {
        part.removesuffix(".py").replace("_", " ")
        for path in trees()
        for part in path.split("/")
        if not part.startswith("__")
    }


def classes() -> set[str]:
    """The names of the classes that many modules import, as words."""
    importers = Counter(
        name.name
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kos")
        for name in node.names
        if name.name[0].isupper() and not name.name.isupper()
    )
    return {
        re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
        for name, count in importers.items()
        if count >= CENTRAL
    }


def unexplained(names: set[str]) -> dict[str, list[str]]:
    """The words of each name that are neither plain nor in the glossary, alone or with the others."""
    explained = terms() | PLAIN
    lost = {
        name: [word for word in name.split() if not {word, singular(word)} & explained]
        for name in names
        if not {name, singular(name)} & explained
    }
    return {name: words for name, words in sorted(lost.items()) if words}


def test_every_word_that_names_a_module_is_in_the_glossary() -> None:
    assert unexplained(modules()) == {}


def test_every_word_that_names_a_central_class_is_in_the_glossary() -> None:
    found = classes()
    assert {"opportunity query", "settings", "actor"} <= found
    assert unexplained(found) == {}


def test_a_private_word_would_be_found() -> None:
    assert unexplained({"premises", "lay glance", "lay stake"}) == {
        "lay glance": ["glance"],
        "premises": ["premises"],
    }


def test_the_terms_of_the_glossary_are_in_order_and_each_stands_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    listed = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)[1:]
    order = [plainly(term) for term in listed]
    assert order == sorted(set(order))
