"""A ratio over two parameters, as inline SVG: its colour the sign, its strength the size."""

from typing import Any

import numpy as np

from charts.inline_svg import ACCENT, BAD, GOOD, Axes, svg

Axis = tuple[str, list[float]]


def parameter_map(first: Axis, second: Axis, ratios: Any, at: tuple[float, float]) -> str:
    """Cells of `ratios` (len(second), len(first)); NaN stays empty.

    Args:
        first, second: name and values of the parameter along x, and along y.
        at: values of both where a mark is put.
    """
    most = float(np.nanmax(np.abs(ratios))) if np.isfinite(ratios).any() else 1.0

    def draw(axes: Axes) -> None:
        for (row, column), value in np.ndenumerate(ratios):
            if np.isnan(value):
                continue
            strength = 0.08 + 0.92 * abs(value) / (most or 1.0)
            colour = GOOD if value >= 0 else BAD
            axes.bar(column, 1.0, 1.0, row - 0.5, color=colour, alpha=strength, linewidth=0)
        place = [_place(axis[1], value) for axis, value in zip((first, second), at, strict=True)]
        axes.plot(*place, marker="o", markersize=9, markerfacecolor="none", color=ACCENT)
        axes.grid(visible=False)
        axes.set_xlim(-0.5, len(first[1]) - 0.5)
        axes.set_ylim(-0.5, len(second[1]) - 0.5)
        axes.set_xticks(*_ticks(first[1]))
        axes.set_xlabel(first[0])
        axes.set_ylabel(second[0])

    def label(axes: Axes) -> None:
        axes.set_yticks(*_ticks(second[1]))

    return svg(draw, f"Sharpe ratio over {first[0]} and {second[0]}", (9.6, 3.6), label)


def _place(values: list[float], value: float) -> float:
    return float(np.interp(value, values, np.arange(len(values))))


def _ticks(values: list[float]) -> tuple[list[int], list[str]]:
    places = list(range(0, len(values), 2))
    return places, [f"{values[place]:,.4g}" for place in places]
