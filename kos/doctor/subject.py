"""What is examined: the settings, and the daemon that runs on them, if one does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from kos.config.load import Origin, default_path, load
from kos.config.settings import RUN_DIR_NAME, Settings
from kos.errors import InvalidSettings
from kos.messages import MESSAGES
from kos.runtime import Client, RuntimeFault, SystemDescribed, connect


class ExaminedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined."""

    settings: Settings
    """The defaults where those of the operator do not hold."""
    origins: tuple[Origin, ...]
    problems: tuple[str, ...]
    file: Path
    state_dir: Path
    """Of the running daemon, else of the settings."""
    client: Client | None
    system: SystemDescribed | None
    """The running daemon; None where none answers."""

    def actor(self, name: str) -> tuple[str, Mapping[str, object]] | None:
        """State and pulse of an actor of the running daemon."""
        for node in self.system.nodes if self.system else ():
            for actor in node.actors:
                if actor.name == name:
                    return actor.state, actor.pulse
        return None


def subject_of(config: Path | None, state_dir: Path | None = None) -> ExaminedSystem:
    """The settings and the running daemon, as far as there are any; never raises for them."""
    problems: tuple[str, ...] = ()
    settings = Settings()
    origins: tuple[Origin, ...] = ()
    try:
        settings, origins = load(config)
    except InvalidSettings as refused:
        problems = refused.problems
    settings = settings.kept_in(state_dir)
    for folder in (settings.state_dir, settings.sandbox_state_dir):
        client = _connected(folder)
        if client is not None:
            break
    else:
        folder = settings.state_dir
    return ExaminedSystem(
        settings=settings,
        origins=origins,
        problems=problems,
        file=config or default_path(),
        state_dir=folder,
        client=client,
        system=None if client is None else client.describe(),
    )


def _connected(folder: Path) -> Client | None:
    try:
        return connect(folder / RUN_DIR_NAME, MESSAGES, timeout_s=10.0)
    except RuntimeFault:
        return None
