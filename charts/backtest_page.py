"""Plots as inline SVG that takes its colours from the page, so that dark and light both fit.

Matplotlib writes fixed colours; each is a stand-in that is replaced by a CSS variable afterwards.
Text stays text, in the page's font.
"""

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

#: Stand-in colour to CSS variable.
_COLOURS = {
    "#0a0001": "--ink-soft", "#0a0002": "--rule", "#0a0003": "--accent", "#0a0004": "--balance",
    "#0a0005": "--bad", "#0a0006": "--good",
}  # fmt: skip
_INK, _RULE, _ACCENT, _BALANCE, _BAD, _GOOD = _COLOURS
_MOST_POINTS = 2_000
_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "tickhouse", "font.family": "sans-serif",
    "font.size": 9.0, "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _RULE,
    "xtick.color": _INK, "ytick.color": _INK, "grid.color": _RULE, "axes.grid": True,
    "axes.grid.axis": "y", "grid.linewidth": 0.6, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.axisbelow": True, "legend.frameon": False, "path.simplify": True,
}  # fmt: skip

Axes = Any  # matplotlib carries no complete types
Values = Any  # an array of float64, or of int64 where they are times


class Curve(Protocol):
    """Equity and balance at times (epoch µs), in account currency."""

    @property
    def time_us(self) -> Values: ...  # noqa: D102
    @property
    def equity(self) -> Values: ...  # noqa: D102
    @property
    def balance(self) -> Values: ...  # noqa: D102


class Trade(Protocol):
    """A closed position: when it was opened, and its best, worst and final profit."""

    @property
    def opened_us(self) -> int: ...  # noqa: D102
    @property
    def mfe(self) -> float: ...  # noqa: D102
    @property
    def mae(self) -> float: ...  # noqa: D102
    @property
    def net(self) -> float: ...  # noqa: D102


def equity(curve: Curve, deposit: float, span_us: tuple[int, int]) -> str:
    """Balance and equity over time."""

    def draw(axes: Axes) -> None:
        values = (curve.equity, curve.balance)
        times, (equity_, balance) = _thin(curve.time_us, values, deposit, span_us)
        axes.step(times, balance, where="post", color=_BALANCE, linewidth=1.6)
        axes.plot(times, equity_, color=_ACCENT, linewidth=0.9)
        axes.axhline(deposit, color=_RULE, linewidth=1.0)
        _dates(axes)

    return _svg(draw, "Balance and equity over time", (9.6, 3.1))


def drawdown(curve: Curve, deposit: float, span_us: tuple[int, int]) -> str:
    """Fall of equity below its peak, percent."""

    def draw(axes: Axes) -> None:
        peak = np.maximum(np.maximum.accumulate(curve.equity), deposit) if len(curve.equity) else 0
        fallen = (curve.equity / peak - 1.0) * 100.0
        times, (drops,) = _thin(curve.time_us, (fallen,), 0.0, span_us, lowest=True)
        axes.fill_between(times, drops, 0.0, color=_BAD, alpha=0.28, linewidth=0)
        axes.plot(times, drops, color=_BAD, linewidth=0.8)
        axes.set_ylabel("%")
        _dates(axes)

    return _svg(draw, "Drawdown of equity, percent of its peak", (9.6, 1.7))


def excursions(trades: Sequence[Trade]) -> str:
    """Best and worst floating profit of every trade against what it ended with."""

    def draw(axes: Axes) -> None:
        nets = [trade.net for trade in trades]
        size = max(6.0, min(22.0, 6000.0 / max(len(trades), 1)))
        for values, colour in (([t.mfe for t in trades], _GOOD), ([t.mae for t in trades], _BAD)):
            axes.scatter(values, nets, s=size, color=colour, alpha=0.5, linewidths=0)
        axes.axhline(0.0, color=_RULE, linewidth=1.0)
        axes.axvline(0.0, color=_RULE, linewidth=1.0)
        axes.set_xlabel("floating profit while open")
        axes.set_ylabel("net result")

    return _svg(draw, "Excursions of every trade", (4.7, 3.0))


def by_hour(trades: Sequence[Trade]) -> str:
    """Net profit by the hour a trade was opened, UTC."""
    sums = np.zeros(24)
    for trade in trades:
        sums[_utc(trade.opened_us).hour] += trade.net
    return _bars(sums, [f"{h:02d}" if h % 3 == 0 else "" for h in range(24)], "hour of entry, UTC")


def by_weekday(trades: Sequence[Trade]) -> str:
    """Net profit by the weekday a trade was opened, UTC."""
    sums = np.zeros(7)
    for trade in trades:
        sums[_utc(trade.opened_us).weekday()] += trade.net
    return _bars(sums, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "day of entry, UTC")


def _bars(values: Any, labels: list[str], about: str) -> str:
    def draw(axes: Axes) -> None:
        colours = [_GOOD if value >= 0 else _BAD for value in values]
        axes.bar(range(len(values)), values, color=colours, width=0.72)
        axes.axhline(0.0, color=_RULE, linewidth=1.0)
        axes.set_xticks(range(len(values)), labels)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(about)

    return _svg(draw, f"Net profit by {about}", (4.7, 2.4))


def _thin(
    time_us: Values,
    drawn: Sequence[Values],
    before: float,
    span_us: tuple[int, int],
    *,
    lowest: bool = False,
) -> tuple[list[datetime], list[Values]]:
    """At most so many points, each the last of its stretch (or the lowest), from start to end."""
    times = np.concatenate([[span_us[0]], time_us, [span_us[1]]])
    cuts = np.unique(np.linspace(0, len(times) - 1, _MOST_POINTS).astype(int))
    whole = (
        np.concatenate([[before], values, values[-1:] if len(values) else [before]])
        for values in drawn
    )
    shown = [np.minimum.reduceat(v, cuts) if lowest else v[cuts] for v in whole]
    return [_utc(int(t)) for t in times[cuts]], shown


def _utc(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1e6, UTC)


def _dates(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    formats = ["%Y", "%b %Y", "%-d %b", "%H:%M", "%H:%M", "%S.%f"]
    formatter = ConciseDateFormatter(locator, formats=formats, zero_formats=[
        "", "%Y", "%b", "%-d %b", "%H:%M", "%H:%M"
    ], show_offset=False)  # fmt: skip
    axes.xaxis.set_major_formatter(formatter)
    axes.margins(x=0.0)


def _svg(draw: Callable[[Axes], None], title: str, size: tuple[float, float]) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0.0)
        draw(axes)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}".replace("-", "\u2212"))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(out.getvalue(), title)


def _inline(svg: str, title: str) -> str:
    """The <svg> element alone, with the page's colours and font, sized by the page."""
    svg = svg[svg.index("<svg") :]
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: inherit", svg)
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img">'
                 rf"<title>{title}</title>", svg, count=1)  # fmt: skip
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # several plots on one page: their definitions must not share names
    prefix = re.sub(r"\W+", "-", title.lower())[:24]
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg.strip()
