"""``kos run``: the service itself, on the real feeds or on the sandbox."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from kos.cli.exits import EXIT_CONFIG, EXIT_SOFTWARE
from kos.cli.settings import ConfigOption, StateDirOption, settings_of
from kos.config.settings import LogsSettings, ProxySettings, Secret, Settings, TelegramSettings
from kos.errors import InvalidInput

if TYPE_CHECKING:
    from kos.sandbox.server import Addresses
    from kos.service.systemd import ServiceManager

_SANDBOX_CREDITS = 10_000_000
"""A plan large enough to poll every few seconds; the budget works on it as on any other."""
_SANDBOX_POLL_S = 10.0
_SANDBOX_PRICE_TTL_S = 40.0
_SANDBOX_CALL_SPACING_S = 0.2
_SANDBOX_TEMPO = 4.0
"""Prices move this much faster than in life, so that a newcomer sees them move."""


def run(
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Show a live table of the best opportunities.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Use simulated markets, even when keys are set.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed for the simulated markets.")] = 1,
    recordings: Annotated[
        Path | None,
        typer.Option(help="Sandbox: serve recorded payloads from this folder instead."),
    ] = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Run KOS until it is stopped by Ctrl-C or SIGTERM.

    Without an Odds API key in the settings the markets come from the sandbox, and every screen
    says so.
    """
    from kos.service.systemd import ServiceManager

    manager = ServiceManager()  # before any child starts, which must not speak to it
    # Until the system takes them over, a signal ends this process by way of its clean-up.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: sys.exit(0))

    def read() -> Settings:
        return settings_of(config, state_dir)

    settings = read()
    with ExitStack() as stack:
        read_all = read
        if sandbox or recordings is not None or not settings.odds_api.key:
            addresses = stack.enter_context(_simulated(seed, recordings))

            def read_all() -> Settings:
                return sandbox_settings(read(), addresses)

            from kos.cli.example import put_example

            put_example(read_all().state_dir)
        code = _serve(read_all, manager, is_live=live, stack=stack)
    sys.exit(code)


def _serve(
    read: Callable[[], Settings], manager: ServiceManager, *, is_live: bool, stack: ExitStack
) -> int:
    from kos.main import build, reload_of
    from kos.observability.logs import LOG_FILE, LogSettings, configure_process
    from kos.observability.memory import settle_children
    from kos.runtime import SystemStartFailed, call_on_hangup, dump_on_signal, stop_on_signals

    settings = read()
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    logs = LogSettings(
        level=settings.service.log_level,
        # A live table owns the terminal; the file beside the state is written in any case.
        is_on_stdout=not is_live,
        is_json=not sys.stdout.isatty(),
        file=settings.state_dir / LOG_FILE if is_live or settings.logs.file_mb else None,
        file_bytes=(settings.logs.file_mb or LogsSettings().file_mb) * 1_000_000,
        files_kept=settings.logs.files_kept,
        fold_s=settings.logs.fold_s,
        secrets=settings.secrets(),
    )
    configure_process("main", logs)
    settle_children()
    system = build(settings, logs, manager)
    stop_on_signals(system)
    dump_on_signal(system)
    if not sys.stdout.isatty():
        call_on_hangup(system, reload_of(system, settings, logs, manager, read))
    if settings.web.is_enabled and settings.web.port and sys.stdout.isatty():
        typer.echo(f"Web: {settings.web.address}", err=True)
    if is_live:
        from kos.cli.live import LiveTable

        stack.enter_context(LiveTable(settings))
    try:
        return system.run()
    except SystemStartFailed as failed:
        typer.echo(f"kos: {failed}", err=True)
        return EXIT_CONFIG if failed.is_final else EXIT_SOFTWARE


@contextmanager
def _simulated(seed: int, recordings: Path | None) -> Iterator[Addresses]:
    """The addresses of a sandbox, while it runs."""
    from kos.sandbox import start_process

    if recordings is not None and not recordings.is_dir():
        raise InvalidInput("--recordings", str(recordings), "a folder of recorded payloads")
    sandbox = start_process(
        seed=seed, recordings=recordings, credits_a_month=_SANDBOX_CREDITS, tempo=_SANDBOX_TEMPO
    )
    try:
        yield sandbox.addresses
    finally:
        sandbox.close()


def sandbox_settings(settings: Settings, sandbox: Addresses) -> Settings:
    """The same settings, but on the sandbox's addresses and keys, and with its quick markets.

    State goes to a folder of its own: simulated credits and bets never mix with real ones.
    """
    replace = msgspec.structs.replace
    return replace(
        settings,
        odds_api=replace(
            settings.odds_api,
            url=sandbox.odds_api_url,
            key=Secret(sandbox.api_key),
            monthly_credits=_SANDBOX_CREDITS,
            min_interval_s=_SANDBOX_POLL_S,
        ),
        betfair=replace(
            settings.betfair,
            app_key=Secret(sandbox.betfair_app_key),
            username=Secret(sandbox.betfair_username),
            password=Secret(sandbox.betfair_password),
            certificate="",
            certificate_key="",
            identity_url=sandbox.betfair_url,
            identity_cert_url=sandbox.betfair_cert_url,
            api_url=sandbox.betfair_url,
            price_ttl_s=_SANDBOX_PRICE_TTL_S,
            call_spacing_s=_SANDBOX_CALL_SPACING_S,
            ca_file="",
        ),
        proxies=ProxySettings(),
        # Simulated alerts have no business on a real phone, and the real daemon may be polling.
        telegram=TelegramSettings(),
        service=replace(
            settings.service, state_dir=str(settings.sandbox_state_dir), is_simulated=True
        ),
    )
