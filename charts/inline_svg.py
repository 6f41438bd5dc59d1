"""Plots as inline SVG that takes its colours from the page, so that dark and light both fit.

Matplotlib writes fixed colours; each is a stand-in that is replaced by a CSS variable afterwards.
Text stays text, in the page's font.
"""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

#: Stand-in colour to CSS variable.
_COLOURS = {
    "#0a0001": "--ink-soft", "#0a0002": "--rule", "#0a0003": "--accent", "#0a0004": "--balance",
    "#0a0005": "--bad", "#0a0006": "--good",
}  # fmt: skip
INK, RULE, ACCENT, BALANCE, BAD, GOOD = _COLOURS
_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "tickhouse", "font.family": "sans-serif",
    "font.size": 9.0, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": RULE,
    "xtick.color": INK, "ytick.color": INK, "grid.color": RULE, "axes.grid": True,
    "axes.grid.axis": "y", "grid.linewidth": 0.6, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.axisbelow": True, "legend.frameon": False, "path.simplify": True,
}  # fmt: skip

Axes = Any  # matplotlib carries no complete types


def utc(time_us: int) -> datetime:
    """A time in epoch microseconds."""
    return datetime.fromtimestamp(time_us / 1e6, UTC)


def dates(axes: Axes) -> None:
    """Times along the x axis, short."""
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    formats = ["%Y", "%b %Y", "%-d %b", "%H:%M", "%H:%M", "%S.%f"]
    formatter = ConciseDateFormatter(locator, formats=formats, zero_formats=[
        "", "%Y", "%b", "%-d %b", "%H:%M", "%H:%M"
    ], show_offset=False)  # fmt: skip
    axes.xaxis.set_major_formatter(formatter)
    axes.margins(x=0.0)


def svg(
    draw: Callable[[Axes], None],
    title: str,
    size: tuple[float, float],
    finish: Callable[[Axes], None] = lambda _: None,
) -> str:
    """A plot that `draw` fills; `title` is read out, and names its parts on the page.

    `finish`: what comes after the usual form of the y axis.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0.0)
        draw(axes)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}".replace("-", "\u2212"))
        finish(axes)
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
                 rf"<title>{escape(title)}</title>", svg, count=1)  # fmt: skip
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # several plots on one page: their definitions must not share names
    prefix = re.sub(r"\W+", "-", title.lower())[:24]
    svg = re.sub(r'id="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg.strip()
