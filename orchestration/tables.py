"""Tables for the pages of runs."""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:
    """Rows as a markdown table."""
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(str(value).replace("|", "\\|") for value in row) for row in rows]
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in lines))
