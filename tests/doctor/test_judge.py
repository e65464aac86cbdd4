"""What the doctor makes of what it is shown."""

from __future__ import annotations

import pytest

from kos.doctor import judge
from kos.doctor.finding import Finding, Level, exit_code
from kos.errors import AccessRefused, KosError, RateLimited, RemoteUnavailable
from tests.agreed import assert_agreed

OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


def findings() -> list[tuple[Finding, Level]]:
    """What every judgement finds, and how bad it is."""
    return [
        (judge.python((3, 11), [], {}), OK),
        (judge.python((3, 10), [], {}), FAILURE),
        (judge.python((3, 12), ["typer"], {}), FAILURE),
        (judge.python((3, 12), [], {"rich": "1, at least 13 is needed"}), FAILURE),
        (judge.settings((), "kos.toml", 3), OK),
        (judge.settings(("a = 1: too small",), "kos.toml", 3), FAILURE),
        (judge.secrets({"odds_api.key": "/run/credentials/odds-api-key"}), OK),
        (judge.secrets({"odds_api.key": "$KOS_ODDS_API__KEY"}), WARNING),
        (judge.no_odds_key(), WARNING),
        (judge.odds_key(None, 400, 100, 500, 25), OK),
        (judge.odds_key(None, 25, 475, 500, 25), WARNING),
        (judge.odds_key(None, 400, 100, 20_000, 25), WARNING),
        (judge.odds_key(None, None, None, 500, 25), WARNING),
        (judge.betfair(None), OK),
        (judge.actor_pulse("betfair", "exchange", "running", {"problem": ""}), OK),
        (judge.actor_pulse("betfair", "exchange", "running", {"problem": "refused"}), FAILURE),
        (judge.actor_pulse("betfair", "exchange", "backing_off", {}), FAILURE),
        (judge.telegram_token(200, "kos_bot"), OK),
        (judge.telegram_token(401, ""), FAILURE),
        (judge.telegram_token(502, ""), FAILURE),
        (judge.telegram_webhook(""), OK),
        (judge.telegram_webhook("elsewhere.example"), FAILURE),
        (judge.telegram_poller(200), OK),
        (judge.telegram_poller(409), FAILURE),
        (judge.telegram_poller(500), WARNING),
        (judge.clock(0.0), OK),
        (judge.clock(-1.9), OK),
        (judge.clock(5.0), WARNING),
        (judge.clock(-3600.0), FAILURE),
        (judge.time_zones(is_known=True), OK),
        (judge.time_zones(is_known=False), FAILURE),
        (judge.disk(50_000_000_000, "/s"), OK),
        (judge.disk(500_000_000, "/s"), WARNING),
        (judge.disk(5_000_000, "/s"), FAILURE),
        (judge.file_system("ext4", "/s"), OK),
        (judge.file_system("nfs4", "/s"), FAILURE),
        (judge.file_system("tmpfs", "/s"), WARNING),
        (judge.file_system("overlay", "/s"), WARNING),
        (judge.state_dir("/s", None, is_own=True, is_writable=True), OK),
        (judge.state_dir("/s", 0o700, is_own=True, is_writable=True), OK),
        (judge.state_dir("/s", 0o755, is_own=True, is_writable=True), WARNING),
        (judge.state_dir("/s", 0o700, is_own=False, is_writable=True), FAILURE),
        (judge.state_dir("/s", 0o700, is_own=True, is_writable=False), FAILURE),
        (judge.database((), None), OK),
        (judge.database((), 7), OK),
        (judge.database(("integrity: broken", "more"), 7), FAILURE),
        (judge.proxies(None), OK),
        (judge.proxies(RemoteUnavailable("proxy", "no connection")), FAILURE),
        (judge.port("metrics", "127.0.0.1:1", is_free=True, is_daemon_up=False), OK),
        (judge.port("metrics", "127.0.0.1:1", is_free=False, is_daemon_up=False), FAILURE),
        (judge.port("metrics", "127.0.0.1:1", is_free=False, is_daemon_up=True), OK),
        (judge.daemon(answers=True, recorded_pid=7, is_alive=True), OK),
        (judge.daemon(answers=False, recorded_pid=0, is_alive=False), OK),
        (judge.daemon(answers=False, recorded_pid=7, is_alive=False), WARNING),
        (judge.daemon(answers=False, recorded_pid=7, is_alive=True), FAILURE),
        (judge.heartbeat(None, 5, is_daemon_up=False), OK),
        (judge.heartbeat(4, 5, is_daemon_up=True), OK),
        (judge.heartbeat(60, 5, is_daemon_up=True), FAILURE),
        (judge.heartbeat(None, 5, is_daemon_up=True), FAILURE),
        (judge.open_files(1024), OK),
        (judge.open_files(-1), OK),
        (judge.open_files(256), WARNING),
        (judge.redaction([]), OK),
        (judge.redaction(["a bot token"]), FAILURE),
        (judge.unit(is_there=False, is_same=False), OK),
        (judge.unit(is_there=True, is_same=True), OK),
        (judge.unit(is_there=True, is_same=False), WARNING),
    ]


@pytest.mark.parametrize(("finding", "level"), findings())
def test_each_finding_has_its_level_and_says_what_to_do_unless_all_is_well(
    finding: Finding, level: Level
) -> None:
    assert finding.level is level
    assert finding.found
    assert bool(finding.remedy) == (level is not OK)


def test_every_finding_reads_as_agreed() -> None:
    lines = [
        f"{finding.check}, {finding.level}: {finding.found} / {finding.remedy}"
        for finding, _ in findings()
    ]
    assert_agreed("doctor.txt", "\n".join(lines))


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (AccessRefused("odds api", "INVALID_KEY", "copy the key again"), FAILURE),
        (RateLimited("odds api", "429"), WARNING),
        (RemoteUnavailable("odds api", "no connection"), FAILURE),
    ],
)
def test_a_refusal_is_told_with_the_remedy_that_it_carries(error: KosError, level: Level) -> None:
    for finding in (judge.odds_key(error, None, None, 500, 25), judge.betfair(error)):
        assert finding.level is level
        if isinstance(error, AccessRefused):
            assert f"{finding.found}: {finding.remedy}" == str(error)
        else:
            assert finding.found == str(error)


def test_the_exit_code_is_that_of_the_worst() -> None:
    fine, bad, broken = judge.clock(0), judge.clock(5), judge.clock(500)
    assert exit_code([fine]) == 0
    assert exit_code([fine, bad]) == 1
    assert exit_code([broken, bad, fine]) == 2
