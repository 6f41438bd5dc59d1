"""Delimited text as numpy columns: blocks of whole lines, then the bytes of each field.

Vendors' tick files are large and plain: no quotes, no escapes, a fixed number of columns. So
lines and separators are found with numpy, a block at a time, and a line that does not fit is
handed back with its number instead of stopping the file, which stock CSV readers do not do.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.files.base import MAX_RAW, Integers, RefusedRow
from core.errors import InputError

BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 1 << 16
_LONGEST_FIELD = 64

Bytes = npt.NDArray[np.uint8]


class Table(NamedTuple):
    """Shape of a delimited file."""

    separator: str
    columns: tuple[str, ...]  # for error messages; their number is the shape
    header: bool = False  # the first line is no row
    accept_cut: bool = False  # a last row that was cut is left out instead of refusing the file


class Fields(NamedTuple):
    """The lines of one block that have the right number of columns."""

    text: Bytes
    starts: Integers  # shape (n, columns), offsets into text
    ends: Integers
    rows: Integers  # 1-based line numbers, shape (n,)

    def column(self, index: int) -> Bytes:
        """One column's bytes, shape (width, n): zeros after each field's end.

        A field longer than any number or time ends in a byte that fits neither.
        """
        start, end = self.starts[:, index], self.ends[:, index]
        width = min(int((end - start).max(initial=0)), _LONGEST_FIELD)
        matrix = np.empty((width, len(start)), np.uint8)
        for i in range(width):
            at = start + i
            np.take(self.text, at, out=matrix[i], mode="clip")
            matrix[i][at >= end] = 0
        if width == _LONGEST_FIELD:
            matrix[-1][end - start > width] = 255
        return matrix

    def refuse(self, bad: npt.NDArray[np.bool_], reason: str = "unparseable") -> list[RefusedRow]:
        """The rows where `bad` is set."""
        return [self._refused(i, reason) for i in np.flatnonzero(bad).tolist()]

    def _refused(self, i: int, reason: str) -> RefusedRow:
        line = self.text[self.starts[i, 0] : self.ends[i, -1]].tobytes()
        return RefusedRow(int(self.rows[i]), as_text(line), reason)


def equal(column: Bytes, text: bytes) -> npt.NDArray[np.bool_]:
    """Which fields of a column, shape (width, n), are exactly `text`."""
    if len(column) < len(text):
        return np.zeros(column.shape[1], np.bool_)
    wanted = np.frombuffer(text.ljust(len(column), b"\0"), np.uint8)
    same: npt.NDArray[np.bool_] = (column == wanted[:, None]).all(axis=0)
    return same


def as_text(line: bytes) -> str:
    """A line for a person or the quarantine table, cut to MAX_RAW characters."""
    return line[: 4 * MAX_RAW].decode("utf-8", "backslashreplace")[:MAX_RAW]


def fields(path: str, stream: BinaryIO, table: Table) -> Iterator[tuple[Fields, list[RefusedRow]]]:
    """A file's fields block by block, with the lines that have another number of columns.

    Empty lines are passed over. Line ends may be LF or CRLF.

    Raises:
        InputError: the bytes are no text, a line never ends, columns are missing, or the last row
            was cut.
    """
    first_row, shortest = 1, 0  # characters in the last field
    for block in _complete_lines(path, stream):
        lines = block.count(b"\n")
        start = block.index(b"\n") + 1 if table.header and lines and first_row == 1 else 0
        if not lines:
            if _is_cut(path, block, first_row, shortest, table):
                return
            block += b"\n"
        rows, refused = _fields(path, block, start, first_row + (start > 0), table)
        widths = (rows.ends - rows.starts)[:, -1]
        shortest = int(widths.min(initial=shortest or _LONGEST_LINE)) if len(widths) else shortest
        yield rows, refused
        first_row += lines


def _is_cut(path: str, line: bytes, row: int, shortest: int, table: Table) -> bool:
    """Whether a last line without an end is only the beginning of a row."""
    parts = line.rstrip(b"\r").split(table.separator.encode())
    whole = len(parts) >= len(table.columns) and len(parts[-1]) >= shortest
    if row == 1 or whole or not line.strip():
        return False
    if not table.accept_cut:
        raise InputError(
            path,
            f"ends in the middle of a row ({as_text(line)[:120]!r}): fetch it again, or take it "
            "without that row by --accept-cut",
            row,
        )
    return True


def _complete_lines(path: str, stream: BinaryIO) -> Iterator[bytes]:
    """Blocks that end with a line end, but for a last line without; no byte order mark."""
    waiting, position = b"", 0
    while block := stream.read(BLOCK_BYTES):
        if position == 0 and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError(path, "is UTF-16 text; convert it (iconv -f UTF-16 -t UTF-8)", 1)
        if (zero := block.find(b"\0")) >= 0:
            raise InputError(path, f"byte {position + zero} is zero: this is not a text file")
        block = block.removeprefix(b"\xef\xbb\xbf") if position == 0 else block
        position += len(block)
        cut = block.rfind(b"\n") + 1
        if cut:
            yield waiting + block[:cut]
        waiting = block[cut:] if cut else waiting + block
        if len(waiting) > _LONGEST_LINE:
            where = f"byte {position - len(waiting)}"
            raise InputError(path, f"the line at {where} has no end: this is not a tick file")
    if waiting:
        yield waiting


def _fields(
    path: str, block: bytes, start: int, row: int, table: Table
) -> tuple[Fields, list[RefusedRow]]:
    text = np.frombuffer(block, np.uint8)[start:]
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)[: len(ends)]
    rows = np.arange(row, row + len(ends))
    ends = ends - ((ends > starts) & (text[ends - 1] == ord("\r")))
    separators = np.flatnonzero(text == ord(table.separator))
    counts = np.diff(np.searchsorted(separators, np.append(starts, len(text))))
    needed = len(table.columns) - 1
    shaped, filled = counts == needed, ends > starts
    if row <= 2 and filled.any() and not (shaped & filled).any():
        raise _missing_columns(path, text, starts, ends, int(filled.argmax()), row, table)
    refused: list[RefusedRow] = []
    if not shaped.all():
        odd = np.flatnonzero(~shaped & filled).tolist()
        refused = [
            RefusedRow(row + i, as_text(text[starts[i] : ends[i]].tobytes()), "unparseable")
            for i in odd
        ]
        separators = separators[np.repeat(shaped, counts)]
        starts, ends, rows = starts[shaped], ends[shaped], rows[shaped]
    inner = separators.reshape(-1, needed)
    first = np.column_stack([starts, inner + 1])
    return Fields(text, first, np.column_stack([inner, ends]), rows), refused


def _missing_columns(
    path: str, text: Bytes, starts: Integers, ends: Integers, line: int, row: int, table: Table
) -> InputError:
    shown = as_text(text[starts[line] : ends[line]].tobytes())
    count = shown.count(table.separator) + 1
    return InputError(
        path,
        f"{count} columns where {len(table.columns)} are needed ({', '.join(table.columns)}): "
        f"{shown[:120]!r}",
        row + line,
    )
