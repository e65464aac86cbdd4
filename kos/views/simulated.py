"""The warning that stands on every screen while the markets are simulated."""

from __future__ import annotations

SIMULATED_MARKETS = "SIMULATED MARKETS"
SIMULATED = f"{SIMULATED_MARKETS}: these are not real prices"
