"""A terminal that types commands on a state folder of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from kos.cli.app import app


class Terminal:
    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._runner = CliRunner(env={"COLUMNS": "160"})

    def type(self, line: str, *words: str) -> Result:
        words = (*line.split(), *words, "--state-dir", str(self.state_dir))
        return self._runner.invoke(app, list(words))

    def well(self, line: str, *words: str) -> str:
        result = self.type(line, *words)
        assert result.exit_code == 0, (line, result.output, result.exception)
        return result.stdout

    def json(self, line: str) -> Any:
        return json.loads(self.well(f"{line} --json"))

    def script(self, lines: str) -> None:
        for line in lines.strip().splitlines():
            self.well(line)
