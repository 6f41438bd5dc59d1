"""Encodes one block of ClickHouse's Native format from numpy columns.

Native is column-wise, so a numpy column is written by copying its buffer; nothing is looped over
row by row except lists of strings. The writer sends such blocks as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

#: ClickHouse type (up to its first parenthesis) -> how its values lie in memory.
_DTYPES: dict[str, np.dtype[Any]] = {
    "Bool": np.dtype("u1"),
    "UInt8": np.dtype("u1"),
    "UInt16": np.dtype("<u2"),
    "UInt32": np.dtype("<u4"),
    "UInt64": np.dtype("<u8"),
    "Int8": np.dtype("i1"),
    "Int16": np.dtype("<i2"),
    "Int32": np.dtype("<i4"),
    "Int64": np.dtype("<i8"),
    "Float32": np.dtype("<f4"),
    "Float64": np.dtype("<f8"),
    "Date": np.dtype("<u2"),
    "DateTime64": np.dtype("<i8"),
    "Decimal": np.dtype("<i8"),  # precision 10 to 18 only: Decimal64
}

TIME = "DateTime64(6, 'UTC')"
PRICE = "Decimal(18, 8)"
TEXT = "LowCardinality(String)"
FLOATS = "Array(Float32)"

_SHARED_DICTIONARIES = (1).to_bytes(8, "little")
_OWN_KEYS = (1 << 9) | (1 << 10)  # keys come with the block and replace the dictionary
_INDEX_BYTES = (1, 2, 4)  # by their code in the flags


@dataclass(frozen=True, slots=True)
class Runs:
    """Texts of many rows each, as blocks of several feeds have them: `counts` rows of `texts`."""

    texts: tuple[str, ...]
    counts: tuple[int, ...]

    def __len__(self) -> int:
        """Rows."""
        return sum(self.counts)

    def __iter__(self) -> Iterator[str]:
        """A text for each row."""
        for text, count in zip(self.texts, self.counts, strict=True):
            yield from repeat(text, count)


Values = npt.NDArray[Any] | Sequence[str] | Sequence[bytes] | Runs | str | int | float


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a block.

    values: a numpy array of shape (n,) (DateTime64 as int64 in the type's unit, Decimal as int64
    in units of its scale), a float32 matrix (n, m) for arrays, a list of strings (or of bytes,
    in a String), runs of strings, or one constant for all rows.
    """

    name: str
    type: str
    values: Values


def encode_block(columns: Sequence[Column], rows: int | None = None) -> bytes:
    """One Native block.

    Args:
        columns: in the order of the INSERT's column list.
        rows: number of rows; needed only when every column is constant.

    Raises:
        ValueError: columns differ in length, or values do not fit their type without a cast.
    """
    count = _row_count(columns, rows)
    pieces: list[bytes | memoryview] = [_varint(len(columns)), _varint(count)]
    for column in columns:
        pieces += (_text(column.name), _text(column.type))
        if count:
            pieces += _encode(column, count)
    return b"".join(pieces)


def _row_count(columns: Sequence[Column], rows: int | None) -> int:
    counts = {len(c.values) for c in columns if not isinstance(c.values, str | int | float)}
    if rows is not None:
        counts.add(rows)
    if len(counts) != 1:
        sizes = ", ".join(f"{c.name} {_size(c)}" for c in columns)
        raise ValueError(f"a block needs one row count (pass rows when all is constant): {sizes}")
    return counts.pop()


def _size(column: Column) -> str:
    values = column.values
    return "constant" if isinstance(values, str | int | float) else str(len(values))


def _encode(column: Column, rows: int) -> list[bytes | memoryview]:
    if column.type == TEXT:
        return _encode_dictionary(column.values, rows)
    if column.type == "String":
        return [_encode_strings(column.values, rows)]
    if column.type == FLOATS:
        return _encode_arrays(column, rows)
    return [_encode_fixed(column, rows)]


def _encode_arrays(column: Column, rows: int) -> list[bytes | memoryview]:
    """Arrays of one length each: a matrix, a row of it per row."""
    values = column.values
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype != np.float32:
        raise ValueError(f"column {column.name}: {column.type} takes a float32 matrix")
    ends = np.arange(1, rows + 1, dtype="<u8") * values.shape[1]
    return [ends.data.cast("B"), np.ascontiguousarray(values).reshape(-1).data.cast("B")]


def _encode_fixed(column: Column, rows: int) -> memoryview:
    dtype = _DTYPES.get(column.type.partition("(")[0])
    if dtype is None:
        raise ValueError(f"column {column.name}: no encoding for type {column.type}")
    if isinstance(column.values, int | float):
        return np.full(rows, column.values, dtype).data.cast("B")
    values = np.ascontiguousarray(column.values)
    if values.dtype == np.bool_:
        values = values.view("u1")
    if values.dtype != dtype:
        raise ValueError(f"column {column.name}: {column.type} takes {dtype}, not {values.dtype}")
    return values.data.cast("B")


def _encode_strings(values: Values, rows: int) -> bytes:
    if isinstance(values, str):
        return _text(values) * rows
    return b"".join(map(_text, _strings(values)))


def _encode_dictionary(values: Values, rows: int) -> list[bytes | memoryview]:
    keys, index = coded(values, rows)
    width = next(i for i, size in enumerate(_INDEX_BYTES) if len(keys) <= 256**size)
    return [
        _SHARED_DICTIONARIES,
        (_OWN_KEYS | width).to_bytes(8, "little"),
        len(keys).to_bytes(8, "little"),
        *map(_text, keys),
        rows.to_bytes(8, "little"),
        index.astype(f"<u{_INDEX_BYTES[width]}").data.cast("B"),
    ]


def coded(values: Values, rows: int) -> tuple[list[str], npt.NDArray[np.intp]]:
    """The texts of a column, each once, in the order they appear; and which of them each row has.

    Raises:
        ValueError: the values are no texts.
    """
    if isinstance(values, str):
        return [values], np.zeros(rows, np.intp)
    codes: dict[str, int] = {}
    texts: Iterable[str] = values.texts if isinstance(values, Runs) else _strings(values)
    index = np.array([codes.setdefault(text, len(codes)) for text in texts], np.intp)
    index = np.repeat(index, values.counts) if isinstance(values, Runs) else index
    return list(codes), index


def _strings(values: Values) -> Iterable[Any]:
    if isinstance(values, int | float):
        raise ValueError(f"a text column takes strings, not {values!r}")
    return values.tolist() if isinstance(values, np.ndarray) else values


def _text(value: str | bytes) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return _varint(len(encoded)) + encoded


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
