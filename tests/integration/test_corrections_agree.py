"""One rule on every road: the same bytes end equal by import, collector and replay."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.clickhouse.rows import tick_columns
from adapters.mt5.protocol.terminal import MT5_TICK
from core.quality import FeedState
from streams.rows import Rows, merge
from tests.integration.test_import import rows, tickhouse_import
from tests.support.told_ticks import finish_as_up_does, nothing_stored, stream
from tests.support.warehouse_server import empty_tables, warehouse

__all__ = ["warehouse"]


@pytest.fixture(autouse=True)
def _nothing_stored(warehouse):
    nothing_stored(warehouse)


SAME = (
    "SELECT ts_event, seq, bid, ask, last, volume, flags, quality, ts_recv FROM tick FINAL "
    "ORDER BY ts_event, seq",
    "SELECT ts_event, seq, version, kind, bid FROM tick_version FINAL "
    "ORDER BY ts_event, seq, version",
    "SELECT interval, ts_open, bid_open, bid_high, bid_low, bid_close, toUInt32(tick_count) "
    "FROM bar ORDER BY interval, ts_open",
    "SELECT what, trading_day, status, rows, before, after FROM restatement FINAL ORDER BY what",
)


def feed_of(rng: np.random.Generator) -> np.ndarray:
    """MT5 ticks, several to a millisecond."""
    raw = np.zeros(400, MT5_TICK)
    raw["time_msc"] = 1_700_000_000_000 + np.sort(rng.integers(0, 150, len(raw)))
    raw["bid"] = 1.1 + rng.integers(0, 9, len(raw)) / 100
    raw["ask"] = raw["bid"] + 0.01
    return raw


def corrected(raw: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same ticks, some with other prices and some missing."""
    changed = raw.copy()
    some = rng.choice(len(raw), 30, replace=False)
    changed["bid"][some] += 0.005
    return np.delete(changed, rng.choice(len(raw), 20, replace=False))


def parquet(folder: Path, raw: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "EURUSD_sim.parquet"
    names = ("time_msc", "bid", "ask", "last", "flags")
    pq.write_table(pa.table({name: raw[name] for name in names}), path)
    return path


def collected(raw: np.ndarray, cuts: list[int]) -> list[Rows]:
    """What the collector makes of them, in messages that begin at these rows."""
    state = FeedState("sim", "EURUSD")
    return [_message(state, part) for part in np.split(raw, cuts)]


def _message(state: FeedState, raw: np.ndarray) -> Rows:
    names = ("time_msc", "bid", "ask", "last", "volume_real", "flags")
    part = state.normalise(
        *(raw[name] for name in names),
        now_us=1_800_000_000_000_000,
        recv_us=raw["time_msc"] * 1000,
        future_tolerance_us=0,
    ).ticks
    return Rows("tick", tick_columns("sim", "EURUSD", part), len(part))


@pytest.mark.parametrize("seed", range(1))
@pytest.mark.heavy(suite="survival")
def test_the_same_ticks_end_equal_by_import_collector_and_replay(warehouse, tmp_path, seed):
    rng = np.random.default_rng(seed)
    before = feed_of(rng)
    after = corrected(before, rng)
    for name, raw in (("a", before), ("b", after)):
        tickhouse_import(warehouse, parquet(tmp_path / name, raw))
    imported = [rows(warehouse, query) for query in SAME]
    assert len(imported[1]) > 40
    whole = [100, 200, 300]
    for mode in ("replay", "live"):
        empty_tables(warehouse)
        for raw in (before, after):
            cuts = np.searchsorted(raw["time_msc"], raw["time_msc"][whole]).tolist()
            parts = collected(raw, cuts)
            for part in parts if mode == "live" else [merge(parts)]:
                stream(warehouse, part, may_correct=True, mode=mode)
        finish_as_up_does(warehouse)
        streamed = [rows(warehouse, query) for query in SAME]
        assert streamed[:3] == imported[:3]
        if mode == "replay":
            assert streamed[3] == imported[3]
