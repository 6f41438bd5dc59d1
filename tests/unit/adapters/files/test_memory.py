"""Reading does not keep a file in memory: the peak is the same for a file four times as long."""

import lzma
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from adapters.files.base import blocks
from adapters.files.detect import open_file

ROW = "20200101 17{:02}{:02}{:03},1.12{:03},1.13172,0\n"


def text(rows: int) -> str:
    return "".join(
        ROW.format(i // 60_000 % 60, i // 1000 % 60, i % 1000, i % 997) for i in range(rows)
    )


def csv(folder: Path, rows: int) -> Path:
    path = folder / f"DAT_ASCII_EURUSD_T_{rows}.csv"
    path.write_text(text(rows))
    return path


def lean(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}/oanda/tick/eurusd/20140506_quote.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = "".join(f"{10_000_000 + i * 80},1.1{i % 997:03},1.2\n" for i in range(rows))
        archive.writestr("20140506_eurusd_tick_quote.csv", lines)
    return path


def bi5(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}/EURUSD/2019/01/04/13h_ticks.bi5"
    path.parent.mkdir(parents=True)
    records = np.empty((rows, 5), ">u4")
    records[:] = np.arange(rows)[:, None] % 3_600_000
    path.write_bytes(lzma.compress(records.tobytes(), lzma.FORMAT_ALONE, preset=0))
    return path


def peak_of(path: Path) -> tuple[int, int]:
    """Peak bytes allocated while a file is read in blocks, and its ticks."""
    tracemalloc.start()
    try:
        count = sum(len(block.ticks) for block in blocks(open_file(path).chunks(), 32_768))
        return tracemalloc.get_traced_memory()[1], count
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", [csv, lean, bi5])
def test_the_peak_does_not_grow_with_the_file(tmp_path, write):
    small, large = write(tmp_path, 100_000), write(tmp_path, 400_000)
    peak_of(small)  # what is loaded once
    peak_small, count_small = peak_of(small)
    peak_large, count_large = peak_of(large)
    assert (count_small, count_large) == (100_000, 400_000)
    assert peak_large < 1.2 * peak_small
    assert peak_large < 64 << 20
