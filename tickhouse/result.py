"""What a question was answered: rows as Arrow, and as pandas or polars for who has them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from core.errors import TickhouseError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Result:
    """Rows of one answer, in memory.

    Times are UTC with microseconds; prices, volumes and money that the methods of a connection
    give are float64. What `sql` gives has the types that ClickHouse gave it.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def arrow(self) -> pa.Table:
        """As a pyarrow table: nothing is copied."""
        return self._table

    def pandas(self) -> pd.DataFrame:
        """As a pandas frame with a fresh index from 0.

        Raises:
            TickhouseError: pandas is not installed.
        """
        _present("pandas")
        return self._table.to_pandas()

    def polars(self) -> pl.DataFrame:
        """As a polars frame; columns are shared with Arrow where polars can.

        Raises:
            TickhouseError: polars is not installed.
        """
        return _present("polars").from_arrow(self._table)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Arrow's own hand-over: `polars.DataFrame(result)`, `duckdb.from_arrow(result)`."""
        return self._table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<Result: {len(self)} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the first ten rows."""
        shown: str = self._table.slice(0, 10).to_pandas().to_html(index=False, border=0)
        return f"{shown}<p>{len(self):,} rows</p>"


def _present(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise TickhouseError(
            f"{library} is not installed: pip install {library}, or take .arrow()"
        ) from error
