"""Checks the contracts of the tree in the current folder; run as a program of its own.

Prints, by a contract's name, what breaks it; empty where it is kept.
"""

from __future__ import annotations

import json

from importlinter import configuration
from importlinter.application.use_cases import create_report, read_user_options
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import registry


def main() -> None:
    """Build the graph of ``kos`` here, without a cache, and check every contract of ``setup.cfg``."""
    configuration.configure()
    for kind in (ForbiddenContract, LayersContract, ProtectedContract):
        registry.register(kind, kind.type_name)
    report = create_report(read_user_options("setup.cfg"), cache_dir=None)
    broken = {
        contract.name: "" if check.kept else str(check.metadata)
        for contract, check in report.get_contracts_and_checks()
    }
    print("\n" + json.dumps(broken))  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
