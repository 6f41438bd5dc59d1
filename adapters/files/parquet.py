"""Normalised ticks as parquet, `SYMBOL_source.parquet`: time in UTC milliseconds.

Columns `time_msc`, `bid`, `ask`; and if present `last`, `volume`, `flags`, `symbol`. Rows whose
`symbol` is another than the file's are refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adapters.files.assumptions import UTC_ZONE, Claims, FileOptions, settle
from adapters.files.base import QUOTE, Chunk, Floats, Integers, RefusedRow, make_ticks
from core.errors import InputError

_REQUIRED, _OPTIONAL = ("time_msc", "bid", "ask"), ("last", "volume", "flags", "symbol")
_NAME = re.compile(r"(?P<symbol>[^_]+)_(?P<source>[^_.]+)\.parquet")
_ROWS = 65_536


class ParquetFile:
    """A normalised parquet file."""

    format = "parquet"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Read the schema.

        Raises:
            InputError: not a whole parquet, a column is missing or no number, or source or
                symbol is not known.
        """
        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
                first = _first_symbol(file) if "symbol" in schema.names else None
                spans = _symbol_spans(file) if "symbol" in schema.names else []
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
        self._columns = _wanted(path, schema)
        name = _NAME.fullmatch(path.name)
        source, symbol = (name["source"], name["symbol"]) if name else (None, first)
        claims = Claims(source, symbol, UTC_ZONE, "time_msc is UTC by definition", zone_fixed=True)
        self.source, self.symbol, _, self.zone = settle(path, options, claims)
        if spans and not any(low <= self.symbol <= high for low, high in spans):
            raise InputError(
                str(path), f"its column symbol says {first}, and nowhere {self.symbol}: name it"
                f" {first}_{self.source}.parquet, or fetch the right one"
            )  # fmt: skip

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile."""
        row = 1
        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(_ROWS, columns=self._columns, use_threads=False):
                    yield self._chunk(batch, row)
                    row += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.path, error, row) from error

    def _chunk(self, batch: Any, row: int) -> Chunk:
        rows = np.arange(row, row + len(batch))
        refused: list[RefusedRow] = []
        for bad, reason in self._unusable(batch):
            keep = ~bad
            refused += [_refused(batch, i, rows[i], reason) for i in np.flatnonzero(bad).tolist()]
            batch, rows = batch.filter(pa.array(keep)), rows[keep]
        time, bid, ask = _integers(batch, "time_msc"), _floats(batch, "bid"), _floats(batch, "ask")
        ticks = make_ticks(
            time,
            bid,
            ask,
            _integers(batch, "flags") & 0xFFFF if "flags" in self._columns else QUOTE,
            _floats(batch, "last") if "last" in self._columns else 0.0,
            _floats(batch, "volume") if "volume" in self._columns else 0.0,
        )
        return Chunk(ticks, rows, sorted(refused))

    def _unusable(self, batch: Any) -> Iterator[tuple[Any, str]]:
        """Rows without a time, then, of the others, rows of another symbol."""
        untimed = _mask(pc.is_null(batch["time_msc"]))
        if untimed.any():
            yield untimed, "unparseable"
            batch = batch.filter(pa.array(~untimed))
        if "symbol" in self._columns:
            text = batch["symbol"].cast(pa.string())
            other = ~_mask(pc.fill_null(pc.equal(text, self.symbol), False))
            if other.any():
                yield other, "unknown_symbol"


def _first_symbol(file: Any) -> str | None:
    for batch in file.iter_batches(1, columns=["symbol"], use_threads=False):
        value = batch["symbol"][0].as_py()
        return None if value is None else str(value)
    return None


def _symbol_spans(file: Any) -> list[tuple[str, str]]:
    """First and last symbol of each row group, where the file notes them for all."""
    column = file.schema_arrow.names.index("symbol")
    spans = []
    for group in range(file.num_row_groups):
        statistics = file.metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max:
            return []
        spans.append((str(statistics.min), str(statistics.max)))
    return spans


def _wanted(path: Path, schema: Any) -> list[str]:
    if missing := [name for name in _REQUIRED if name not in schema.names]:
        raise InputError(
            str(path), f"column {', '.join(missing)} is missing; it has {', '.join(schema.names)}"
        )
    wanted = [name for name in (*_REQUIRED, *_OPTIONAL) if name in schema.names]
    for name in wanted:
        kind = schema.field(name).type
        fits = {
            "time_msc": pa.types.is_integer,
            "flags": pa.types.is_integer,
            "symbol": _is_text,
        }.get(name, _is_number)
        if not fits(kind):
            raise InputError(str(path), f"column {name} is of type {kind}, which does not fit it")
    return wanted


def _is_text(kind: Any) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    )


def _mask(values: Any) -> Any:
    return values.to_numpy(zero_copy_only=False)


def _integers(batch: Any, name: str) -> Integers:
    filled = pc.fill_null(batch[name].cast(pa.int64()), 0)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def _floats(batch: Any, name: str) -> Floats:
    """Null becomes NaN, which the quality rules refuse."""
    return np.asarray(batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _refused(batch: Any, i: int, row: Any, reason: str) -> RefusedRow:
    values = {name: batch[name][i].as_py() for name in batch.schema.names}
    return RefusedRow(int(row), str(values)[:500], reason)


def _damaged(path: Path, error: Exception, row: int | None = None) -> InputError:
    return InputError(str(path), f"is not a whole parquet file ({error}): fetch it again", row)
