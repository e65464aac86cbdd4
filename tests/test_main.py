"""The table of nodes: who is critical, and whom a change of the settings concerns."""

from __future__ import annotations

from typing import Any

import msgspec

from kos.config.load import load
from kos.config.settings import Secret, Settings
from kos.main import critical_actors, nodes

TOKEN = "123456789:" + "x" * 35


def settings(**environ: str) -> Settings:
    given = {"KOS_CONFIG": "/absent.toml", "KOS_TELEGRAM__TOKEN": TOKEN} | environ
    return load(None, given)[0]


def args_of(present: Settings) -> dict[str, Any]:
    return {child.name: child.args for node in nodes(present) for child in node.children}


def concerned(before: Settings, after: Settings) -> set[str]:
    old, new = args_of(before), args_of(after)
    assert set(old) == set(new)
    return {name for name in old if old[name] != new[name]}


def test_what_may_be_parked_does_not_starve_the_watchdog() -> None:
    critical = critical_actors(nodes(settings()))
    assert {"ledger", "scorer", "budget", "sports", "desk"} <= critical
    assert not {"dashboard", "bot"} & critical


def test_a_change_concerns_those_who_are_told_of_it_alone() -> None:
    plain = settings()
    assert concerned(plain, settings()) == set()
    assert "scorer" in concerned(plain, settings(KOS_SCORING__BRAND_NEW_S="10"))
    assert "ledger" not in concerned(plain, settings(KOS_SCORING__BRAND_NEW_S="10"))
    told = msgspec.structs.replace(plain.telegram, admins=(7,))
    assert concerned(plain, msgspec.structs.replace(plain, telegram=told)) >= {"bot", "desk"}
    other = msgspec.structs.replace(plain.telegram, token=Secret(TOKEN + "y"))
    assert concerned(plain, msgspec.structs.replace(plain, telegram=other)) == {"bot"}
