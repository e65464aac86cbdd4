"""``kos status``: how the daemon is, read from its heartbeat; a hung one is shown as such."""

from __future__ import annotations

from msgspec.structs import replace

from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, print_json, settings_of


def status(
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Show nodes, actors, ages, credits and restarts, from the last heartbeat.

    It is read from the heartbeat file and asks no one, so that it also works while the daemon
    hangs, and after its end.
    """
    from kos.cli.pulse import find_pulse

    beat, judgement = find_pulse(settings_of(config, state_dir))
    if as_json:
        brief = replace(beat, system=replace(beat.system, nodes=()))
        print_json(
            {
                "health": judgement,
                "system": beat.system,
                "budget": beat.credits,
                "heartbeat": brief,
            }
        )
        return
    from kos.cli.tables import console, status_tables

    screen = console()
    for table in status_tables(beat, judgement):
        screen.print(table)
