"""The exit codes of the command line; those above 2 are the ones of ``sysexits.h``."""

from __future__ import annotations

EXIT_REFUSED = 2
"""The request is refused, or not available now."""

EXIT_SOFTWARE = 70
"""The daemon gave up: something kept failing. Starting it again may help."""

EXIT_CONFIG = 78
"""A person has to change something first: starting again as it is would end the same."""
