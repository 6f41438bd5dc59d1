"""The reliability plot of a model: what it said against what came, on its held-back rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.errors import SettingsError


class Point(Protocol):
    """Rows for which about the same was said."""

    @property
    def said(self) -> float: ...  # noqa: D102
    @property
    def came(self) -> float: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102


def draw(points: Sequence[Point], model: str, title: str, path: Path) -> None:
    """Write the plot; the ending of `path` says the format.

    Raises:
        SettingsError: matplotlib is not installed, or does not know the ending.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("plots need matplotlib: extra `charts`") from error
    figure = Figure(figsize=(5, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="calibrated")
    axes.plot([p.said for p in points], [p.came for p in points], marker="o", label=model)
    for point in points:
        position = (point.said, point.came)
        axes.annotate(f"{point.rows:,}", position, (4, -10), textcoords="offset points", fontsize=7)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="probability of a rise that was said",
        ylabel="share of rows that rose",
        title=title,
    )
    axes.legend(frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
