"""What a tick file offers, whatever its format.

A reader only reads: it turns rows into ticks with UTC times and prices, and hands back rows it
cannot read. Whether a tick is plausible is decided by `core.quality`, in one place.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK

TickRows = npt.NDArray[Any]  # of dtype MT5_TICK, shape (n,)
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BID, ASK, LAST, VOLUME, BUY, SELL = 2, 4, 8, 16, 32, 64  # MT5 TICK_FLAG_*
#: Of a quote in a format without flags. Which side changed would depend on the row before it, so
#: that a feed cut into other files would have other flags.
QUOTE = BID | ASK
MAX_RAW = 500  # characters of a refused row that are kept


class RefusedRow(NamedTuple):
    """A row that is no tick of this file's symbol."""

    row: int  # 1-based, as an editor counts lines; a record's number in binary files
    raw: str  # at most MAX_RAW characters
    reason: str  # one of core.quality.REASONS


class Chunk(NamedTuple):
    """Some consecutive rows of a file. Both parts are in file order."""

    ticks: TickRows  # dtype MT5_TICK, time_msc in UTC
    rows: Integers  # row number of each tick, shape (len(ticks),)
    refused: list[RefusedRow]


class TickFile(Protocol):
    """One recorded file of one source and symbol. Opening it reads little; `chunks` reads all."""

    @property
    def path(self) -> Path:
        """The file, as the user named it."""
        ...

    @property
    def format(self) -> str:
        """The reader's name, for people."""
        ...

    @property
    def source(self) -> str:
        """The broker's or vendor's name in our tables."""
        ...

    @property
    def symbol(self) -> str:
        """The instrument."""
        ...

    @property
    def zone(self) -> str:
        """The zone of the file's times, and why it is believed, for people."""
        ...

    def chunks(self) -> Iterator[Chunk]:
        """The rows from the first on; may be called again. Memory does not grow with the file.

        Raises:
            InputError: the file is damaged or is not of this format; names the row or byte.
        """
        ...


def make_ticks(
    time_msc: npt.NDArray[Any],
    bid: npt.NDArray[Any],
    ask: npt.NDArray[Any],
    flags: npt.NDArray[Any] | int,
    last: npt.NDArray[Any] | float = 0.0,
    volume: npt.NDArray[Any] | float = 0.0,
) -> TickRows:
    """Columns of shape (n,) as the array that MT5's copy_ticks functions return."""
    ticks = np.empty(len(time_msc), MT5_TICK)
    ticks["time"], ticks["time_msc"] = time_msc // 1000, time_msc
    ticks["bid"], ticks["ask"], ticks["flags"] = bid, ask, flags
    ticks["last"], ticks["volume_real"] = last, volume
    finite = np.nan_to_num(np.asarray(volume, np.float64), posinf=0.0, neginf=0.0)
    ticks["volume"] = np.clip(finite, 0, 2**53).astype(np.uint64)
    return ticks


def blocks(chunks: Iterable[Chunk], size: int) -> Iterator[Chunk]:
    """The same rows cut after every `size` ticks (or refused rows), however chunks were cut."""
    waiting: list[Chunk] = []
    for chunk in chunks:
        waiting.append(chunk)
        if max(sum(len(part.ticks) for part in waiting), _refused(waiting)) < size:
            continue
        whole = _joined(waiting)
        waiting = []
        while len(whole.ticks) >= size or len(whole.refused) >= size:
            block, whole = _split(whole, size)
            yield block
            del block  # nobody keeps what is read but who asked for it
        waiting = [Chunk(whole.ticks.copy(), whole.rows.copy(), whole.refused)]
        del whole, chunk
    if waiting and (len((rest := _joined(waiting)).ticks) or rest.refused):
        yield rest


def _refused(chunks: list[Chunk]) -> int:
    return sum(len(chunk.refused) for chunk in chunks)


def _joined(chunks: list[Chunk]) -> Chunk:
    """As one, copied once; a chunk alone is not copied at all."""
    if len(chunks) == 1:
        return chunks[0]
    return Chunk(
        np.concatenate([chunk.ticks for chunk in chunks]),
        np.concatenate([chunk.rows for chunk in chunks]),
        [row for chunk in chunks for row in chunk.refused],
    )


def _split(chunk: Chunk, size: int) -> tuple[Chunk, Chunk]:
    ends = [int(chunk.rows[size - 1])] if len(chunk.rows) >= size else []
    if len(chunk.refused) >= size:
        ends.append(chunk.refused[size - 1].row)
    end = min(ends)
    ticks = int(np.searchsorted(chunk.rows, end, side="right"))
    refused = sum(row.row <= end for row in chunk.refused)
    return (
        Chunk(chunk.ticks[:ticks], chunk.rows[:ticks], chunk.refused[:refused]),
        Chunk(chunk.ticks[ticks:], chunk.rows[ticks:], chunk.refused[refused:]),
    )
