"""What may change while KOS runs, and what waits for the next start."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from kos.config.settings import Settings, tables
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidSettings
from kos.service.reload import LIVE, Reload, merge

replace = msgspec.structs.replace


def settings_with(**odds_api: object) -> Settings:
    present = Settings()
    return replace(present, odds_api=replace(present.odds_api, **odds_api))


def test_every_live_setting_exists() -> None:
    for table, names in LIVE.items():
        assert names <= set(tables()[table].__struct_fields__)


def test_only_live_settings_are_taken_over_and_the_rest_is_named() -> None:
    fresh = settings_with(sports=("soccer",), url="http://127.0.0.1:1")
    fresh = replace(fresh, scoring=ScoringRules(max_rating=Decimal("1.2")))
    merged = merge(Settings(), fresh)
    assert merged.changed == ("odds_api.sports", "scoring.max_rating")
    assert merged.waiting == ("odds_api.url",)
    assert merged.settings.odds_api == settings_with(sports=("soccer",)).odds_api
    assert merged.settings.scoring == fresh.scoring


def test_what_is_refused_changes_nothing_and_the_next_reading_counts() -> None:
    readings: list[Settings | InvalidSettings] = [
        InvalidSettings(("odds_api.sports = 1: no list",)),
        Settings(),
        settings_with(sports=("soccer",)),
        settings_with(sports=("soccer",)),
    ]
    applied: list[Settings] = []

    def read() -> Settings:
        found = readings.pop(0)
        if isinstance(found, InvalidSettings):
            raise found
        return found

    reload = Reload(Settings(), read, applied.append)
    reload()
    reload()
    assert applied == []
    reload()
    reload()
    assert applied == [settings_with(sports=("soccer",))]
