"""What several reader tests need: a file's rows in one piece."""

from pathlib import Path

import numpy as np

from adapters.files.base import QUOTE, Chunk, TickFile
from adapters.files.detect import open_file
from adapters.mt5.protocol.terminal import MT5_TICK
from core.contracts.tick import on_price_grid


def whole(file: TickFile) -> Chunk:
    """All chunks of a file as one."""
    chunks = list(file.chunks())
    return Chunk(
        np.concatenate([np.empty(0, MT5_TICK), *(c.ticks for c in chunks)]),
        np.concatenate([np.empty(0, np.int64), *(c.rows for c in chunks)]),
        [row for c in chunks for row in c.refused],
    )


def written(path: Path, text: str | bytes) -> Path:
    """A file with this content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def normalised(reference_data: Path, name: str) -> np.ndarray:
    """The normalised ticks that a raw file is checked against."""
    return whole(open_file(reference_data / "ticks" / f"{name}.parquet")).ticks


def assert_same_ticks(ticks: np.ndarray, all_expected: np.ndarray) -> None:
    """`ticks` are all those of `all_expected` in their span of time, in order."""
    first, last = ticks["time_msc"][0], ticks["time_msc"][-1]
    time = all_expected["time_msc"]
    expected = all_expected[(time >= first) & (time <= last)]
    assert ticks["time_msc"].tolist() == expected["time_msc"].tolist()
    for name in ("bid", "ask"):
        assert (on_price_grid(ticks[name]) == on_price_grid(expected[name])).all()
    without = (ticks["flags"] == QUOTE).all()  # most raw formats have none
    assert without or (ticks["flags"] == expected["flags"]).all()
