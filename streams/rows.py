"""Rows on their way to a table: columns of one feed, merged and encoded as one insert block.

The blocks of a replay are cut at bus messages, so a repeated message gives the same bytes and
with them the same deduplication token; live rows are small and are merged once an epoch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from adapters.clickhouse.native import Column


class Rows(NamedTuple):
    """Rows for one table. `group` keeps apart what must not be merged (a feed, usually)."""

    table: str
    group: str
    columns: Sequence[Column]
    size: int


def merge(parts: list[Rows]) -> Rows:
    """Rows of the same table and group as one, in the order given."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    columns = tuple(
        replace(column, values=_joined([part.columns[i].values for part in parts]))
        for i, column in enumerate(first.columns)
    )
    return Rows(first.table, first.group, columns, sum(part.size for part in parts))


def _joined(values: list[Any]) -> Any:
    """Constants stay one constant; arrays and lists are concatenated."""
    if isinstance(values[0], str | int | float):
        return values[0]
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    return [item for part in values if isinstance(part, Iterable) for item in part]
