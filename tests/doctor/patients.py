"""Subjects for the doctor, made of settings alone."""

from __future__ import annotations

from pathlib import Path

from kos.config.load import load
from kos.doctor.subject import ExaminedSystem


def patient(state_dir: Path, **environ: str) -> ExaminedSystem:
    """What would be examined with these settings, and without a daemon."""
    given = {"KOS_CONFIG": str(state_dir / "absent.toml"), **environ}
    given.setdefault("KOS_SERVICE__STATE_DIR", str(state_dir))
    settings, origins = load(None, given)
    return ExaminedSystem(
        settings=settings,
        origins=origins,
        problems=(),
        file=state_dir / "absent.toml",
        state_dir=state_dir,
        client=None,
        system=None,
    )
