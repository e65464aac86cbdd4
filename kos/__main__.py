"""The ``kos`` command and ``python -m kos``.

Importing this module must stay cheap: every node process that is spawned imports its parent's
main module again, so the command line is only loaded inside :func:`main`.
"""

from __future__ import annotations

import sys

_INTERRUPTED = 130
"""What a shell makes of SIGINT."""


def main() -> None:
    """Run the command line; an interrupt, even while it loads, is an exit code and no traceback."""
    try:
        from kos.cli.app import main as run  # noqa: PLC0415 - see the module's docstring

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
