"""Settings: layers, secrets, and every problem at once."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from kos.config.load import load
from kos.config.settings import Secret, WebSettings
from kos.errors import InvalidSettings


def file_with(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "kos.toml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def problems_of(file: Path | None, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as refused:
        load(file, environ or {})
    return refused.value.problems


def test_without_a_file_every_setting_has_a_default(tmp_path: Path) -> None:
    settings, origins = load(None, {"KOS_CONFIG": str(tmp_path / "absent.toml")})
    assert settings.odds_api.regions == ("uk",)
    assert not settings.odds_api.key
    assert origins == ()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = file_with(tmp_path, '[odds_api]\nmonthly_credits = 1000\nregions = ["uk", "eu"]\n')
    settings, origins = load(file, {"KOS_ODDS_API__MONTHLY_CREDITS": "2000"})
    assert settings.odds_api.monthly_credits == 2000
    assert settings.odds_api.regions == ("uk", "eu")
    assert {origin.key: origin.source for origin in origins} == {
        "odds_api.monthly_credits": "$KOS_ODDS_API__MONTHLY_CREDITS",
        "odds_api.regions": str(file),
    }


def test_a_list_in_the_environment_is_written_with_commas() -> None:
    settings, _ = load(None, {"KOS_ODDS_API__SPORTS": "soccer_epl, basketball_nba"})
    assert settings.odds_api.sports == ("soccer_epl", "basketball_nba")


def test_every_problem_is_reported_at_once_with_key_and_value(tmp_path: Path) -> None:
    file = file_with(
        tmp_path,
        '[odds_api]\nmonthly_credits = -1\nurl = "ftp://x"\nregoins = ["uk"]\n[nonsense]\na = 1\n',
    )
    problems = "\n".join(problems_of(file, {"KOS_ODDS_API__TYPO": "1"}))
    for part in ("odds_api.monthly_credits = -1", "odds_api.url", "regoins", "[nonsense]", "TYPO"):
        assert part in problems


def test_values_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    file = file_with(tmp_path, "[odds_api]\nmonthly_credits = 100\nreserve_credits = 100\n")
    assert "reserve_credits" in problems_of(file)[0]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    assert "kos.toml" in problems_of(file_with(tmp_path, "[odds_api\n"))[0]
    assert "no such file" in problems_of(tmp_path / "other.toml")[0]


def test_a_secret_in_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = file_with(tmp_path, '[odds_api]\nkey = "abcdefgh12345"\n', mode=0o644)
    problem = problems_of(file)[0]
    assert "chmod 600" in problem
    assert "abcdefgh12345" not in problem


def test_a_secret_never_shows_in_a_problem(tmp_path: Path) -> None:
    file = file_with(tmp_path, '[odds_api]\nkey = "abc"\n')
    problem = problems_of(file)[0]
    assert "odds_api.key" in problem
    assert "'abc'" not in problem


def test_secrets_come_from_the_credentials_directory_first(tmp_path: Path) -> None:
    (tmp_path / "odds-api-key").write_text("from-credentials\n")
    pointed = tmp_path / "key"
    pointed.write_text("from-file")
    pointed.chmod(0o600)
    environ = {
        "KOS_CONFIG": str(tmp_path / "absent.toml"),
        "KOS_ODDS_API__KEY": "from-environment",
        "KOS_ODDS_API__KEY_FILE": str(pointed),
    }
    assert load(None, environ)[0].odds_api.key.reveal() == "from-file"
    environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    settings, _ = load(None, environ)
    assert settings.odds_api.key.reveal() == "from-credentials"
    assert settings.secrets() == ("from-credentials",)


def test_a_secret_prints_as_stars_and_survives_a_spawn() -> None:
    secret = Secret("abcdefgh12345")
    assert "abcdefgh" not in f"{secret} {secret!r}"
    assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301 - our own bytes


def test_a_secret_of_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path) -> None:
    pointed = tmp_path / "key"
    pointed.write_text("a-key-of-the-feed")
    for mode in (0o604, 0o640, 0o620):
        pointed.chmod(mode)
        problem = problems_of(None, {"KOS_ODDS_API__KEY_FILE": str(pointed)})[0]
        assert f"chmod 600 {pointed}" in problem
        assert "a-key-of-the-feed" not in problem


def test_a_secret_that_cannot_be_read_is_a_problem_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "odds-api-key").write_bytes(b"\xff\xfe\x00")
    absent = tmp_path / "absent"
    problems = problems_of(
        None,
        {"CREDENTIALS_DIRECTORY": str(tmp_path), "KOS_BETFAIR__APP_KEY_FILE": str(absent)},
    )
    assert any(str(tmp_path / "odds-api-key") in each for each in problems)
    assert any(str(absent) in each and "No such file" in each for each in problems)


def test_a_secret_file_named_in_the_settings_is_looked_for_beside_them(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("beside-the-settings")
    (tmp_path / "key").chmod(0o600)
    file = file_with(tmp_path, '[odds_api]\nkey_file = "key"\n', mode=0o644)
    settings, origins = load(file, {})
    assert settings.odds_api.key.reveal() == "beside-the-settings"
    assert origins[0].source == str(tmp_path / "key")


def test_proxies_that_cannot_work_are_refused_with_what_to_write() -> None:
    wrong = {
        "url without session": {"KOS_PROXIES__URL": "http://127.0.0.1:3128"},
        "no address": {"KOS_PROXIES__URL": "ftp://127.0.0.1", "KOS_PROXIES__SESSIONS": "1"},
        "unknown gap": {"KOS_PROXIES__URL": "http://{user}-{session}@127.0.0.1:3128"},
        "no login": {"KOS_PROXIES__USED_BY": "odds_api"},
        "unknown service": {"KOS_PROXIES__USED_BY": "coral"},
    }
    said = {what: " ".join(problems_of(None, environ)) for what, environ in wrong.items()}
    assert "sessions = 1" in said["url without session"]
    assert "socks5h" in said["no address"]
    assert "{user}" in said["unknown gap"]
    assert "proxies.username" in said["no login"]
    assert "proxies.used_by" in said["unknown service"]


@pytest.mark.parametrize(
    ("host", "is_local", "address"),
    [
        ("localhost", True, "http://localhost:8700/"),
        ("127.0.0.1", True, "http://127.0.0.1:8700/"),
        ("::1", True, "http://[::1]:8700/"),
        ("0.0.0.0", False, "http://0.0.0.0:8700/"),  # noqa: S104 - read, not bound
        ("kos.example", False, "http://kos.example:8700/"),
    ],
)
def test_the_address_of_the_page_is_one_that_can_be_typed(
    host: str, is_local: bool, address: str
) -> None:
    web = WebSettings(host=host)
    assert (web.is_local, web.address) == (is_local, address)
