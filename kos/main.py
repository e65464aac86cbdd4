"""The composition root: settings in, the supervised system out.

The one module that knows every concrete actor. Which actor lives in which node is the table in
:func:`nodes`; moving one is a change of that table and not of the actor.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from kos import NAME
from kos.actors import (
    alerts,
    bot,
    budget,
    dashboard,
    desk,
    exchange,
    ledger,
    proxies,
    reconciler,
    scorer,
    sports,
)
from kos.config.settings import RUN_DIR_NAME, Settings
from kos.messages import MESSAGES
from kos.observability.logs import LogSettings
from kos.observability.process import resettle_process
from kos.runtime import ChildSpec, NodeSpec, OnExhausted, System
from kos.service.reload import Reload
from kos.service.status_publisher import StatusPublisher
from kos.service.systemd import ServiceManager
from kos.service.watchdog import Watchdog

_SCREENS = frozenset({"web", "telegram"})
"""Nodes that may fail for good; KOS goes on without them."""


def run_dir(settings: Settings) -> Path:
    """Where the running daemon is found by the command line: locks and addresses."""
    return settings.state_dir / RUN_DIR_NAME


def nodes(settings: Settings) -> tuple[NodeSpec, ...]:
    """The table: which actor lives in which node, in the order of their start.

    The ledger starts first and stops last; the engine is there before the feeds speak.
    """
    betfair, odds_api, ways = settings.betfair, settings.odds_api, settings.proxies
    is_matching = bool(betfair.app_key)
    discount = settings.scoring.betfair_discount
    sports_args = sports.SportsArgs(
        odds_api=odds_api,
        proxies=ways,
        snapshot_dir=str(settings.state_dir / "quotes"),
        is_matching=is_matching,
    )
    exchange_args = exchange.ExchangeArgs(betfair=betfair, proxies=ways, discount=discount)
    proxies_args = proxies.ProxiesArgs(proxies=ways, target=odds_api.url)
    table: dict[str, tuple[ChildSpec | None, ...]] = {
        "ledger": (ledger.spec(settings.state_dir),),
        "engine": (scorer.spec(settings), reconciler.spec() if is_matching else None),
        "exchange": (exchange.spec(exchange_args) if is_matching else None,),
        "feeds": (
            proxies.spec(proxies_args) if ways.used_by else None,
            budget.spec(budget.BudgetArgs(odds_api=odds_api)),
            sports.spec(sports_args),
        ),
        "web": (dashboard.spec(settings) if settings.web.is_enabled else None,),
        "desk": (desk.spec(desk.args_of(settings)), alerts.spec(alerts.args_of(settings))),
        "telegram": (
            bot.spec(bot.BotArgs(telegram=settings.telegram)) if settings.telegram.token else None,
        ),
    }
    return tuple(
        NodeSpec(
            name=name,
            children=children,
            on_exhausted=OnExhausted.PARK if name in _SCREENS else OnExhausted.ESCALATE,
        )
        for name, row in table.items()
        if (children := tuple(filter(None, row)))
    )


def critical_actors(table: tuple[NodeSpec, ...]) -> frozenset[str]:
    """Nodes whose permanent end stops KOS, unlike those that can be parked."""
    return frozenset(
        child.name
        for node in table
        for child in node.children
        if OnExhausted.PARK not in {node.on_exhausted, child.on_exhausted}
    )


def build(settings: Settings, logs: LogSettings, manager: ServiceManager | None = None) -> System:
    """The whole system, not yet started. The state directory is made private.

    Args:
        settings: What runs, and where.
        logs: How every process logs.
        manager: The service manager that started this process, if any, is told how it goes.
    """
    state = settings.state_dir
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    state.chmod(0o700)
    table = nodes(settings)
    system = System(
        name=NAME,
        nodes=table,
        messages=MESSAGES,
        run_dir=run_dir(settings),
        setup="kos.observability.process:settle_process",
        setup_args=logs,
        resetup="kos.observability.process:resettle_process",
    )
    telling = StatusPublisher(settings, state)
    system.every(settings.service.heartbeat_s, lambda: telling.tell(system.describe()))
    if manager is not None:
        Watchdog(system, manager, critical_actors(table))
    return system


def reload_of(
    system: System,
    settings: Settings,
    logs: LogSettings,
    manager: ServiceManager,
    read: Callable[[], Settings],
) -> Callable[[], None]:
    """What a SIGHUP does to a system that was built of ``settings``.

    Args:
        system: As built.
        settings: Those in force.
        logs: How every process logs; the level follows the settings.
        manager: Told that a reload is going on, and when it is over.
        read: Reads all settings afresh; raises InvalidSettings.
    """

    def take_over(merged: Settings) -> None:
        fresh_logs = msgspec.structs.replace(logs, level=merged.service.log_level)
        resettle_process("main", fresh_logs)
        system.respecify(nodes(merged), fresh_logs)

    reload = Reload(settings, read, take_over)

    def reload_and_tell() -> None:
        manager.reloading()
        try:
            reload()
        finally:
            manager.reloaded()

    return reload_and_tell
