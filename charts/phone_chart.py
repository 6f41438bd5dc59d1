"""Candles as a picture for a phone: wide enough to be read, on a background of its own.

Fixed colours, for a picture cannot take a page's.
"""

import io
import threading
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from charts.inline_svg import Axes, dates, utc

_PAPER, _INK, _RULE = "#fbfaf7", "#1d2321", "#d8d6cd"
_ROSE, _FELL, _HELD = "#2a7f86", "#b4553c", "#8a6d1f"
_STYLE = {
    "font.family": "sans-serif", "font.size": 11.0, "text.color": _INK, "xtick.color": _INK,
    "ytick.color": _INK, "axes.edgecolor": _RULE, "axes.grid": True, "grid.color": _RULE,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
}  # fmt: skip
_STYLES = threading.Lock()  # matplotlib's are one for all threads


class PhoneCandle(NamedTuple):
    """A minute; `time_s` seconds since 1970, UTC."""

    time_s: int
    open: float
    high: float
    low: float
    close: float


class PhoneMark(NamedTuple):
    """A fill: when (microseconds, UTC), at which price, buy or sell."""

    time_us: int
    price: float
    side: str


class PhoneChart(NamedTuple):
    """What is drawn. `held`, `stop`: prices of an open position; 0: none."""

    title: str
    candles: Sequence[PhoneCandle]
    fills: Sequence[PhoneMark] = ()
    held: float = 0.0
    stop: float = 0.0

    def png(self) -> bytes:
        """The picture, some 1000 by 750 points. Blocking: a third of a second."""
        with _STYLES, mpl.rc_context(_STYLE):
            figure = Figure(figsize=(7.2, 5.4), dpi=140, layout="constrained", facecolor=_PAPER)
            axes = figure.add_subplot(facecolor=_PAPER)
            axes.set_title(self.title, loc="left")
            self._draw(axes)
            axes.yaxis.tick_right()
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
            dates(axes)
            out = io.BytesIO()
            figure.savefig(out, format="png", metadata={"Software": None})
        return out.getvalue()

    def _draw(self, axes: Axes) -> None:
        self._candles(axes)
        for price, style, label in ((self.held, "-", "position"), (self.stop, "--", "stop")):
            if price:
                axes.axhline(price, color=_HELD, lw=1.2, ls=style, label=label)
        for side, marker, colour in (("buy", "^", _ROSE), ("sell", "v", _FELL)):
            own = [fill for fill in self.fills if fill.side == side]
            axes.scatter(
                [utc(fill.time_us) for fill in own], [fill.price for fill in own], s=70,
                marker=marker, color=colour, edgecolors=_INK, linewidths=0.8, zorder=3,
            )  # fmt: skip
        if self.held:
            axes.legend(frameon=False, loc="best")

    def _candles(self, axes: Axes) -> None:
        for rose, colour in ((True, _ROSE), (False, _FELL)):
            own = [c for c in self.candles if (c.close >= c.open) == rose]
            times = [utc(c.time_s * 1_000_000) for c in own]
            axes.vlines(times, [c.low for c in own], [c.high for c in own], color=colour, lw=0.9)
            body = [abs(c.close - c.open) for c in own]
            bottom = [min(c.open, c.close) for c in own]
            axes.bar(times, body, 45 / 86_400, bottom, color=colour, linewidth=0)
