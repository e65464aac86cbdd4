"""Every setting in words: complete, true to the structs, and without a secret."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kos.config.described import commented_file, rows, toml_of
from kos.config.load import load
from kos.config.settings import Secret, Settings, tables
from kos.domain.people.conversation import Seat


class Window(msgspec.Struct):
    """A table within a setting."""

    hours: int
    name: str


REPOSITORY = Path(__file__).resolve().parents[2]
CANARY = "canary-7f3a9c"


def test_every_setting_says_what_it_means() -> None:
    silent = [row.key for row in rows() if not row.meaning]
    assert silent == []
    assert len(rows()) == sum(len(table.__struct_fields__) for table in tables().values())


def test_the_commented_file_as_it_is_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "kos.toml"
    file.write_text(commented_file(), "utf-8")
    settings, origins = load(file, {})
    assert settings == Settings()
    assert origins == ()


def test_every_default_of_the_commented_file_is_the_default(tmp_path: Path) -> None:
    names = "|".join(row.name for row in rows())
    taken_in = re.sub(rf"(?m)^# (({names}) = )", r"\1", commented_file())
    file = tmp_path / "kos.toml"
    file.write_text(taken_in, "utf-8")
    file.chmod(0o600)
    settings, origins = load(file, {})
    assert settings == Settings()
    assert len(origins) == sum(bool(row.default) for row in rows())


def test_the_example_file_is_the_one_that_init_writes() -> None:
    example = (REPOSITORY / "packaging" / "kos.example.toml").read_text("utf-8")
    assert example == commented_file(), "run: kos config init - > packaging/kos.example.toml"


def test_a_row_has_the_value_in_force_and_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "kos.toml"
    file.write_text("[odds_api]\nmonthly_credits = 20000\n", "utf-8")
    environ = {"KOS_ODDS_API__REGIONS": "uk,eu", "KOS_ODDS_API__KEY": CANARY}
    found = {row.key: row for row in rows(*load(file, environ))}
    assert found["odds_api.monthly_credits"].value == "20000"
    assert found["odds_api.monthly_credits"].source == str(file)
    assert found["odds_api.monthly_credits"].default == "500"
    assert found["odds_api.regions"].value == '["uk", "eu"]'
    assert found["odds_api.regions"].source == "$KOS_ODDS_API__REGIONS"
    assert found["odds_api.key"].value == '"***"'
    assert found["odds_api.key"].source == "$KOS_ODDS_API__KEY"
    assert found["odds_api.url"].source == "default"


def test_no_secret_is_in_any_row() -> None:
    secrets = {row.variable: CANARY for row in rows() if row.is_secret and row.variable}
    assert len(secrets) >= 5
    try:
        settings, origins = load(None, {"KOS_CONFIG": "/absent.toml"} | secrets)
    except Exception as error:  # noqa: BLE001 - a contradiction among them is none of this test
        pytest.fail(str(error))
    assert CANARY not in msgspec.json.encode(rows(settings, origins)).decode()
    assert set(settings.secrets()) == {CANARY}


@pytest.mark.parametrize("key", ["scoring.unknown_liquidity", "odds_api.max_sports"])
def test_limits_are_told(key: str) -> None:
    row = next(row for row in rows() if row.key == key)
    assert row.limits in {"one of last, equal, reject", "at least 1, at most 500"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "true"),
        (12, "12"),
        (Decimal("0.50"), "0.50"),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        (Seat.ADMIN, '"admin"'),
        (Window(hours=2, name="x"), '{ hours = 2, name = "x" }'),
        ({"a": 1, "b c": 2}, '{ a = 1, "b c" = 2 }'),
        (("x", "y"), '["x", "y"]'),
        ((), "[]"),
        (Path("/srv/kos"), '"/srv/kos"'),
        (Secret(""), '""'),
        (Secret("hush"), '"***"'),
    ],
)
def test_each_kind_of_value_is_written_as_toml(value: object, written: str) -> None:
    assert toml_of(value) == written
