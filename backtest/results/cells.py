"""Cells and tables of the results page in Markdown."""

import math
from collections.abc import Iterable, Sequence

from backtest.results.bootstrap import Interval


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under their heads."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def plain(i: Interval) -> str:
    """A figure with its interval."""
    return "none" if math.isnan(i.value) else f"{i.value:.3f} ({i.low:.3f} to {i.high:.3f})"


def basis(i: Interval) -> str:
    """Basis points with their interval."""
    return "none" if math.isnan(i.value) else f"{i.value:+.2f} ({i.low:+.2f} to {i.high:+.2f})"


def optional(value: float | None) -> str:
    """A figure that may not exist."""
    return "none" if value is None else f"{value:.2f}"
