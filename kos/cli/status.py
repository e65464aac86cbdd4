"""``kos status``: how the running daemon is."""

from __future__ import annotations

import typer

from kos.cli.settings import ConfigOption, JsonOption, settings_of

_TIMEOUT_S = 5.0


def status(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show nodes, actors, ages, credits and restarts of the running daemon."""
    from kos.errors import WaitAndRetry
    from kos.main import connect_to_daemon
    from kos.messages import BudgetDescribed, GetBudget
    from kos.runtime import RuntimeFault

    settings = settings_of(config)
    try:
        with connect_to_daemon(settings) as client:
            system = client.describe()
            try:
                budget = client.ask("budget", GetBudget(), timeout_s=_TIMEOUT_S)
            except RuntimeFault:
                # The feeds may be on their way back: the rest is worth showing all the same.
                budget = None
    except RuntimeFault as fault:
        raise WaitAndRetry("daemon", str(fault)) from fault
    described = budget if isinstance(budget, BudgetDescribed) else None
    if as_json:
        import msgspec

        answer = {"system": system, "budget": described}
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, status_tables

    screen = console()
    for table in status_tables(system, described):
        screen.print(table)
