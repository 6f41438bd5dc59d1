"""Counting a recording from its file alone."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quality.recording import count


def write(path, rows):
    names = ("time_msc", "bid", "ask")
    columns = [np.array(c) for c in zip(*rows, strict=True)]
    table = pa.table(dict(zip(names, columns, strict=True)))
    pq.write_table(table, path, row_group_size=2)


def test_counts_by_hand(tmp_path):
    start = 1_400_000_040_000  # a whole minute
    rows = [
        (start, 1.5, 1.6),
        (start + 10, 1.5, float("nan")),  # refused
        (start + 999, 1.5, 1.4),  # crossed, kept, same second
        (start + 1000, 1.25, 1.5),
        (start + 500, 1.0, 1.0),  # out of order: a tick, but no sample
        (start + 60_000, 2.0, 2.0),
        (0, 1.0, 1.0),  # refused
    ]
    write(tmp_path / "a.parquet", rows)
    feed = count(tmp_path / "a.parquet", "x", "Y", sample_ms=1000, cut_msc=start + 1000)
    assert (feed.rows, feed.valid) == (7, 5)
    assert (feed.first_msc, feed.last_msc) == (start, start + 60_000)
    assert feed.bid_units == round((1.5 + 1.5 + 1.25 + 1.0 + 2.0) * 1e8)
    assert feed.minutes == 2
    assert (feed.samples, feed.samples_after_cut) == (3, 2)


def test_every_tick_is_a_sample_when_the_span_is_zero(tmp_path):
    write(tmp_path / "a.parquet", [(1_400_000_000_000 + i // 2, 1.0, 1.1) for i in range(10)])
    feed = count(tmp_path / "a.parquet", "x", "Y", sample_ms=0, cut_msc=0)
    assert feed.samples == 10
