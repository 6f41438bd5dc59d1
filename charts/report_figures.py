"""Pictures of the PDFs as SVG: paths only, one palette, no dates, so equal data give equal bytes.

Matplotlib is loaded when a picture is drawn: most reports have none.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

INK, QUIET, RULE, ACCENT, WARM, BAD = (
    "#1b2733", "#5d6b78", "#dfe4e8", "#0b5c7a", "#b98b1c", "#a32020",
)  # fmt: skip
PALETTE = (ACCENT, WARM, "#6a8f3c", "#7d5a93", BAD, QUIET)
_STYLE = {
    "svg.fonttype": "path", "svg.hashsalt": "tickhouse", "font.family": "DejaVu Sans",
    "font.size": 8.0, "text.color": INK, "axes.labelcolor": QUIET, "axes.edgecolor": RULE,
    "xtick.color": QUIET, "ytick.color": QUIET, "grid.color": RULE, "axes.grid": True,
    "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "axes.axisbelow": True, "axes.titlesize": 8.5, "axes.titlelocation": "left",
    "axes.titlecolor": INK, "legend.frameon": False, "legend.fontsize": 7.5,
}  # fmt: skip
#: What a curve is made of: every second percentile, as arguments of quantilesExact.
PERCENTILES = ",".join(f"{n / 50:g}" for n in range(51))
Axes = Any  # matplotlib carries no complete types
Draw = Callable[[Axes], None]


class Spread(NamedTuple):
    """How a figure is distributed: of one hour, symbol or kind of order."""

    label: str
    low: float  # 5 %
    middle: float
    mean: float
    high: float  # 95 %
    orders: int


def figure(*drawn: Draw, height: float = 2.5) -> str:
    """Axes side by side, each drawn by its function."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        canvas = Figure(figsize=(9.6, height), layout="constrained")
        panels = canvas.subplots(1, len(drawn), squeeze=False)[0]
        for axes, draw in zip(panels, drawn, strict=True):
            draw(axes)
        content = io.StringIO()
        canvas.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def columns(rows: Sequence[Spread], title: str, unit: str) -> Draw:
    """Upright: 5 % to 95 % as a line, median as a dot, mean as a bar."""

    def draw(axes: Axes) -> None:
        positions = [int(row.label) for row in rows]
        axes.bar(
            positions, [r.mean for r in rows], color=ACCENT, alpha=0.28, width=0.8, label="mean"
        )
        axes.vlines(positions, [r.low for r in rows], [r.high for r in rows], color=ACCENT, lw=1.2)
        axes.plot(
            positions, [r.middle for r in rows], "o", color=ACCENT, ms=4, label="median, 5-95 %"
        )
        axes.axhline(0, color=QUIET, lw=0.8)
        axes.set(title=title, ylabel=unit, xlim=(-0.6, 23.6), xticks=range(0, 24, 2))
        axes.set_xlabel("hour of the day, UTC")
        axes.grid(False, axis="x")
        _legend_above(axes)

    return draw


def ranges(rows: Sequence[Spread], title: str, unit: str) -> Draw:
    """Lying: one line per label, its count beside the name."""

    def draw(axes: Axes) -> None:
        positions = range(len(rows))
        axes.hlines(positions, [r.low for r in rows], [r.high for r in rows], color=ACCENT, lw=2)
        axes.plot(
            [r.middle for r in rows], positions, "o", color=ACCENT, ms=5, label="median, 5-95 %"
        )
        axes.plot([r.mean for r in rows], positions, "|", color=BAD, ms=11, mew=1.6, label="mean")
        axes.axvline(0, color=QUIET, lw=0.8)
        axes.set(title=title, xlabel=unit, ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(positions, [f"{r.label} ({r.orders:,})" for r in rows], color=INK)
        axes.grid(False, axis="y")
        _legend_above(axes)

    return draw


def curves(lines: Sequence[tuple[str, Sequence[float]]], title: str, unit: str) -> Draw:
    """Distributions: each a list of its percentiles from 0 to 100."""

    def draw(axes: Axes) -> None:
        for colour, (name, values) in zip(PALETTE, lines, strict=False):
            shares = [100 * n / max(len(values) - 1, 1) for n in range(len(values))]
            axes.step(values, shares, where="post", color=colour, lw=1.5, label=name)
        axes.set(title=title, xlabel=unit, ylabel="% of them", ylim=(0, 101))
        axes.legend(loc="lower right")

    return draw


def stacked(labels: Sequence[str], parts: Sequence[tuple[str, Sequence[int]]], title: str) -> Draw:
    """Shares of counts, one lying bar per label."""

    def draw(axes: Axes) -> None:
        totals = [max(sum(part[n] for _, part in parts), 1) for n in range(len(labels))]
        begin = [0.0] * len(labels)
        colours = ("#6a8f3c", ACCENT, BAD, QUIET)
        for colour, (name, counts) in zip(colours, parts, strict=True):
            widths = [100 * c / t for c, t in zip(counts, totals, strict=True)]
            axes.barh(range(len(labels)), widths, left=begin, color=colour, height=0.6, label=name)
            begin = [b + w for b, w in zip(begin, widths, strict=True)]
        axes.set(title=title, xlabel="% of orders", xlim=(0, 100), ylim=(len(labels) - 0.4, -0.9))
        axes.set_yticks(range(len(labels)), labels, color=INK)
        axes.grid(False, axis="y")
        axes.legend(ncols=4, loc="upper left", borderaxespad=0, handlelength=1, columnspacing=1)

    return draw


def _legend_above(axes: Axes) -> None:
    axes.legend(
        ncols=2, loc="lower right", bbox_to_anchor=(1, 1.01), borderaxespad=0, handlelength=1.2,
        columnspacing=1.0, handletextpad=0.5,
    )  # fmt: skip


def bars(rows: Sequence[tuple[str, int]], title: str, unit: str) -> Draw:
    """Counts, one lying bar per label."""

    def draw(axes: Axes) -> None:
        drawn = axes.barh(range(len(rows)), [count for _, count in rows], color=BAD, height=0.6)
        axes.bar_label(drawn, padding=3, color=INK)
        axes.set(title=title, xlabel=unit, ylim=(len(rows) - 0.4, -0.6))
        axes.margins(x=0.12)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows], color=INK)
        axes.grid(False, axis="y")
        axes.xaxis.get_major_locator().set_params(integer=True)

    return draw


def pairs(points: Sequence[tuple[float, float]], title: str, across: str, up: str) -> Draw:
    """Points beside the line on which both would be equal."""

    def draw(axes: Axes) -> None:
        values = [value for point in points for value in point]
        low, high = min(values), max(values)
        room = (high - low or 1.0) * 0.06
        axes.plot((low - room, high + room), (low - room, high + room), color=QUIET, lw=0.8)
        axes.scatter([p[0] for p in points], [p[1] for p in points], s=16, color=ACCENT, alpha=0.6)
        axes.set(title=title, xlabel=across, ylabel=up)

    return draw


def through_the_day(
    points: Sequence[tuple[float, float]], title: str, unit: str, limit: float
) -> Draw:
    """A figure through the day (hours, value), and the limit it is held to."""

    def draw(axes: Axes) -> None:
        axes.plot([p[0] for p in points], [p[1] for p in points], "o-", color=ACCENT, ms=3, lw=1)
        axes.axhline(limit, color=BAD, lw=1.2, label=f"limit {limit:g}")
        axes.set(title=title, ylabel=unit, xlim=(0, 24), xticks=range(0, 25, 3), yscale="log")
        axes.set_xlabel("hour of the day, UTC")
        axes.legend(loc="upper right")

    return draw


def held_through_the_day(
    lines: Mapping[str, Sequence[tuple[float, float]]], title: str, unit: str
) -> Draw:
    """Figures that hold until the next (hours, value), a line per name, from zero."""

    def draw(axes: Axes) -> None:
        for colour, (name, points) in zip(cycle(PALETTE), lines.items(), strict=False):
            hours, values = zip(*points, strict=True)
            axes.plot(hours, values, color=colour, lw=1, drawstyle="steps-post", label=name)
            axes.fill_between(hours, values, step="post", color=colour, alpha=0.12, lw=0)
        axes.set(title=title, ylabel=unit, xlim=(0, 24), xticks=range(0, 25, 3))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("hour of the day, UTC")
        axes.legend(loc="upper right")

    return draw
