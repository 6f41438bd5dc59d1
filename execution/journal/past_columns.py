"""Makes the columns of a past: those of the one before it, and what a fold has added since.

With NumPy, and in a process of its own: sorting millions of keys takes a second, which the trading
thread does not have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from execution.journal.past import COLUMNS, TABLES, Past

Array = npt.NDArray[Any]


def merged(before: Past | None, added: dict[str, list[Any]]) -> dict[str, Array]:
    """All columns; of rows with one key the last that was added counts."""
    columns: dict[str, Array] = {}
    for table, parts in TABLES.items():
        names = [name for name in COLUMNS if name == table or name.startswith(f"{table}_")]
        both = {name: _both(name, before, added[name]) for name in names}
        keys = [both[f"{table}_{part}"] for part in parts] or [both[table]]
        rows = _newest(keys)
        columns |= {name: values[rows] for name, values in both.items()}
    return columns


def _both(name: str, before: Past | None, added: list[Any]) -> Array:
    kind = np.dtype(COLUMNS[name])
    fresh = np.array(added, kind)
    if before is None:
        return fresh
    return np.concatenate([np.frombuffer(before.column(name), kind), fresh])


def _newest(keys: list[Array]) -> Array:
    """Rows in the order of their keys, of equal ones the last."""
    rows = np.lexsort(keys[::-1])  # stable
    if not len(rows):
        return rows
    differs = np.zeros(len(rows), bool)
    differs[-1] = True
    for key in keys:
        ordered = key[rows]
        differs[:-1] |= ordered[1:] != ordered[:-1]
    return rows[differs]
