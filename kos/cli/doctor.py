"""``kos doctor``: checks for problems, with remedies."""

from __future__ import annotations

import sys

import typer

from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, print_json

_MARKS = {"ok": "ok", "warning": "WARN", "failure": "FAIL"}


def doctor(
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Check everything KOS needs, and show how to fix problems.

    Exit code 0 when all is well, 1 with warnings, 2 with failures. A running daemon is asked, not
    disturbed; nothing is changed.
    """
    from kos.doctor.checks import checks_of
    from kos.doctor.examine import examine
    from kos.doctor.finding import exit_code
    from kos.doctor.subject import subject_of
    from kos.observability.logs import LogSettings, configure_process
    from kos.observability.redact import Redactor

    configure_process("doctor", LogSettings(is_on_stdout=False))  # findings alone are told
    subject = subject_of(config, state_dir)
    redactor = Redactor(subject.settings.secrets())
    findings = examine(checks_of(subject), redact=redactor.text)
    code = exit_code(findings)
    if as_json:
        print_json({"exit_code": code, "findings": findings})
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            typer.echo(f"{_MARKS[finding.level]:4}  {finding.check:{width}}  {finding.found}")
            if finding.remedy:
                typer.echo(f"{'':4}  {'':{width}}  -> {finding.remedy}")
    sys.exit(code)
