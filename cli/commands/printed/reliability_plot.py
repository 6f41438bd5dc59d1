"""The reliability plot of a model: what it said against what came, on its held-back rows."""

from pathlib import Path

from core.errors import SettingsError
from models.serving.card import ModelCard


def draw(card: ModelCard, path: Path) -> None:
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
    predicted, came = [p.said for p in card.reliability], [p.came for p in card.reliability]
    axes.plot(predicted, came, marker="o", label=f"model {card.sha256[:12]}")
    for point in card.reliability:
        position = (point.said, point.came)
        axes.annotate(f"{point.rows:,}", position, (4, -10), textcoords="offset points", fontsize=7)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="probability of a rise that was said",
        ylabel="share of rows that rose",
        title=f"held-back rows, Brier {card.metrics.brier:.4f} (shares {card.baseline.brier:.4f})",
    )
    axes.legend(frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
