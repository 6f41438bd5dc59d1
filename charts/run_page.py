"""Plots for the pages of runs: small PNGs within the markdown, so that nothing has to be served.

Without pyplot, which keeps global state; and loaded when a plot is drawn, for it takes a second.
"""

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import Any

_SIZE = (8.0, 2.6)
_DPI = 80


def image(figure: Any, title: str) -> str:
    """A figure as markdown with the picture inside."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=_DPI, bbox_inches="tight")
    encoded = base64.b64encode(content.getvalue()).decode()
    return f"![{title}](data:image/png;base64,{encoded})"


def ticks_by_hour(rows: Sequence[Sequence[Any]]) -> str:
    """(feed, quarter of an hour, ticks, spread): how many ticks came, and at what spread."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE)
    left, right = figure.subplots(1, 2)
    for feed in sorted({str(row[0]) for row in rows}):
        own = [row for row in rows if row[0] == feed]
        left.plot([row[1] for row in own], [row[2] for row in own], label=feed, lw=1)
        first = own[0][3] or 1.0
        right.plot([row[1] for row in own], [row[3] / first for row in own], label=feed, lw=1)
    left.set_title("ticks in 15 minutes", fontsize=9)
    right.set_title("median spread, first = 1", fontsize=9)
    return _finished(figure, (left, right), "ticks and spread")


def _finished(figure: Any, axes: Sequence[Any], title: str) -> str:
    for axis in axes:
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=7, frameon=False)
    figure.autofmt_xdate(rotation=30)
    return image(figure, title)
