"""Charts as PNG, drawn off screen; matplotlib is imported for the first one."""

from __future__ import annotations

import io
import threading
import unicodedata
import warnings
from collections.abc import Sequence
from datetime import date
from operator import itemgetter

from kos.errors import InvalidInput

MISSING = "To see charts, run pip install 'kos-engine[charts]' and restart KOS."
_SIZE_INCHES = (8.0, 7.0)
_DPI = 100
_MOST_BARS = 15
_LABEL = 18
_LAST_PLAIN = "\u024f"
"""The font has every letter up to here."""
_drawing = threading.Lock()


def profit_chart(
    title: str, days: Sequence[tuple[date, int]], venues: Sequence[tuple[str, int]]
) -> bytes:
    """Profit over time, added up day by day, above profit by bookmaker and exchange.

    Args:
        title: The title of the chart.
        days: Each day with its profit in pence, in order; at least one.
        venues: Each name with its profit in pence; the largest are shown.

    Raises:
        InvalidInput: The library that draws is not installed; says how to install it.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidInput("chart", "matplotlib", MISSING) from None
    totals: list[float] = []
    for _, pence in days:
        totals.append((totals[-1] if totals else 0.0) + pence / 100)
    shown = sorted(
        sorted(venues, key=lambda venue: -abs(venue[1]))[:_MOST_BARS], key=itemgetter(1, 0)
    )
    with _drawing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font that lacks a letter draws a box
        figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        above, below = figure.subplots(2, 1)
        above.set_title(_plain(title, 80), parse_math=False)
        above.step([day for day, _ in days], totals, where="post", marker="o", markersize=3)
        above.axhline(0, linewidth=0.8, color="grey")
        above.set_ylabel("profit (£)")
        above.grid(visible=True, alpha=0.3)
        above.tick_params(axis="x", rotation=30)
        bars = [pence / 100 for _, pence in shown]
        colours = ["tab:green" if amount >= 0 else "tab:red" for amount in bars]
        below.barh(range(len(shown)), bars, color=colours)
        below.set_yticks(
            range(len(shown)), [_plain(name, _LABEL) for name, _ in shown], parse_math=False
        )
        below.axvline(0, linewidth=0.8, color="grey")
        below.set_xlabel("profit by bookmaker and exchange (£)")
        png = io.BytesIO()
        figure.savefig(png, format="png")
    return png.getvalue()


def _plain(text: str, most: int) -> str:
    """A label in the font's own letters."""
    shown = unicodedata.normalize("NFKC", text)
    return "".join(c if " " <= c <= _LAST_PLAIN and c.isprintable() else "?" for c in shown[:most])
