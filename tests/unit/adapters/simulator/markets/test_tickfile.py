"""Normalised parquet: read in chunks, dirty values kept, wrong files refused by name."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.simulator.markets import tickfile
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tickfile import ParquetTicks, SeekableTickFile
from core.errors import InputError


def write(path: Path, rows: int = 10, **change: object) -> Path:
    columns: dict[str, object] = {
        "symbol": pa.array(["EURUSD"] * rows).dictionary_encode(),
        "time_msc": np.arange(rows, dtype=np.int64) * 1000 + 1500,
        "bid": np.linspace(1.0, 1.1, rows),
        "ask": np.linspace(1.1, 1.2, rows),
        "volume": np.full(rows, 2.5),
        "flags": np.full(rows, 6, np.uint32),
    } | change
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    pq.write_table(table, path, row_group_size=4)
    return path


def test_every_column_arrives(tmp_path: Path) -> None:
    file = ParquetTicks(write(tmp_path / "EURUSD_x.parquet"))
    ticks = np.concatenate(list(file.chunks()))
    assert (file.source, file.symbol, len(ticks)) == ("x", "EURUSD", 10)
    assert ticks["time_msc"][1] == 2500
    assert (ticks["time"] == ticks["time_msc"] // 1000).all()
    assert ticks["bid"][-1] == 1.1
    assert ticks["ask"][-1] == 1.2
    assert set(ticks["flags"]) == {6}
    assert set(ticks["volume"]) == {2}
    assert set(ticks["volume_real"]) == {2.5}


def test_reading_may_begin_at_any_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickfile, "CHUNK_ROWS", 3)
    file = ParquetTicks(write(tmp_path / "EURUSD_x.parquet"))
    assert isinstance(file, SeekableTickFile)
    complete = [chunk.tobytes() for chunk in file.chunks()]
    assert len(complete) == 5  # row groups of 4, 4 and 2 rows
    for number in range(6):
        assert [c.tobytes() for c in file.chunks_from(number)] == complete[number:]
    times = np.concatenate(list(file.times()))
    assert times.tolist() == [1500 + 1000 * i for i in range(10)]


def test_bad_prices_and_nulls_pass_through(tmp_path: Path) -> None:
    bid = pa.array([1.0, None, float("nan"), -1.0, 0.0])
    time = pa.array([1000, 2000, None, 4000, 5000])
    volume = np.array([1.0, np.nan, -5.0, np.inf, 0.0])
    path = tmp_path / "EURUSD_x.parquet"
    write(path, 5, bid=bid, time_msc=time, volume=volume)
    (ticks, *_) = ParquetTicks(path).chunks()
    assert np.isnan(ticks["bid"][1])
    market = RecordedMarket([ParquetTicks(path)])
    assert len(market.slice_ticks(1, "x", "EURUSD")) == 5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"bid": None}, "no column 'bid'"),
        ({"time_msc": ["a"] * 10}, "column 'time_msc' is string"),
        ({"symbol": ["GBPUSD"] * 10}, "holds 'GBPUSD'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    path = write(tmp_path / "EURUSD_x.parquet", **change)
    with pytest.raises(InputError, match=problem) as caught:
        ParquetTicks(path)
    assert str(path) in str(caught.value)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "EURUSD_x.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a readable parquet"):
        ParquetTicks(path)


def test_a_name_without_a_source_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "EURUSD.parquet")
    with pytest.raises(InputError, match="source"):
        ParquetTicks(path)
    assert ParquetTicks(path, "y").source == "y"


def test_files_come_through_the_slices_unchanged(recordings: Path) -> None:
    path = recordings / "ticks/EURUSD_oanda.parquet"
    table = pq.read_table(path)
    market = RecordedMarket([ParquetTicks(path)])
    parts, number = [], 1
    while market.slice(number) is not None:
        parts.append(market.slice_ticks(number, "oanda", "EURUSD"))
        number += 1
    ticks = np.concatenate(parts)
    assert len(ticks) == table.num_rows > 200_000
    for name in ("time_msc", "bid", "ask", "flags"):
        assert (ticks[name] == table[name].to_numpy()).all()


def test_another_symbol_inside_is_refused_where_the_file_notes_none(tmp_path):
    path = tmp_path / "EURUSD_x.parquet"
    columns = {
        "symbol": ["EURUSD", "GBPUSD"],
        "time_msc": [1, 2],
        "bid": [1.0] * 2,
        "ask": [1.0] * 2,
    }
    pq.write_table(pa.table(columns), path, write_statistics=False)
    with pytest.raises(InputError, match="holds 'GBPUSD'"):
        ParquetTicks(path)
