"""Recordings that look like real ones, made by seed: vendors keep the rights to their ticks.

They carry the dirt of the real files: crossed and locked quotes, repeated milliseconds, weekends,
a daily break, bursts and wide spreads at payrolls, two brokers that quote one market each in its
own way. Every feed of a symbol samples one path of the market, so brokers agree as far as brokers
do. `tests/unit/support/test_recordings.py` holds the dirt, and compares it with the real files'.
"""

import functools
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.contracts.tick import SAME_MILLISECOND, TICK, TickArray
from tests.support import shared_folder

HOUR = 3_600_000
DAY = 24 * HOUR
#: Thursday 2014-05-01, 00:00 UTC; payrolls came out on the Friday at 12:30.
START_MSC = int(datetime(2014, 5, 1, tzinfo=UTC).timestamp()) * 1000
PAYROLLS_MSC = START_MSC + DAY + 12 * HOUR + HOUR // 2
_FRIDAY_CLOSE = START_MSC + DAY + 21 * HOUR
_PATH_S = 14 * 86_400


class Feed(NamedTuple):
    """How one broker quotes one symbol. Times in milliseconds, spreads in points."""

    rows: int
    price: float
    daily_volatility: float  # of the price, as a fraction
    median_step: float
    spread_step: float  # sigma of the logarithm of the steps
    spread: float
    digits: int = 5
    same_millisecond: float = 0.0  # share of rows
    crossed: float = 0.0
    locked: float = 0.0
    reopens: int = 48 * HOUR  # after Friday 21:00
    daily_break: int = 0  # ends at 22:00
    steady: bool = False  # the ask is the bid and a constant
    trades: float = 0.0  # share of rows that are a trade, with its price, volume and side


FEEDS = {
    "EURUSD_oanda": Feed(
        rows=260_000, price=1.387, daily_volatility=0.004, median_step=222, spread_step=2.35,
        same_millisecond=0.009, spread=12,
    ),
    "EURUSD_fxcm": Feed(
        rows=200_000, price=1.387, daily_volatility=0.004, median_step=57, spread_step=2.34,
        spread=2, crossed=0.103, locked=0.123, reopens=46 * HOUR,
    ),
    "NZDUSD_oanda": Feed(
        rows=120_000, price=0.862, daily_volatility=0.005, median_step=251, spread_step=2.1,
        same_millisecond=0.012, spread=24,
    ),
    "XAUUSD_oanda": Feed(
        rows=320_000, price=1288.0, digits=3, daily_volatility=0.008, median_step=21,
        spread_step=2.49, same_millisecond=0.045, spread=283, daily_break=46 * 60_000,
    ),
    "USDJPY_truefx": Feed(
        rows=1_000, price=86.7, digits=3, daily_volatility=0.006, median_step=48, spread_step=2.6,
        same_millisecond=0.007, spread=20, locked=0.001,
    ),
    "EURUSD_histdata2012": Feed(
        rows=30_000, price=1.292, daily_volatility=0.004, median_step=374, spread_step=1.6,
        spread=17, steady=True,
    ),
    "BTCUSD_dukascopy": Feed(
        rows=15_000, price=24_700.0, digits=1, daily_volatility=0.03, median_step=165,
        spread_step=1.2, spread=727,
    ),
    "BTCUSDT_binance": Feed(
        rows=40_000, price=61_700.0, digits=2, daily_volatility=0.03, median_step=3,
        spread_step=2.0, same_millisecond=0.5, spread=1, trades=0.25,
    ),
}  # fmt: skip


@functools.cache
def recorded_ticks(name: str) -> TickArray:
    """The ticks of one feed, shape (n,), counted within their millisecond. Do not write into it."""
    feed, random = FEEDS[name], np.random.default_rng(zlib.crc32(name.encode()))
    ticks = np.zeros(feed.rows, TICK)
    ticks["time_msc"] = times = _times(feed, random)
    mid = feed.price * _path(name.partition("_")[0], feed.daily_volatility, times)
    point = 10.0**-feed.digits
    mid += random.normal(0, feed.spread * point * 0.1, feed.rows)
    spread = _spreads(feed, times, random) * point
    ticks["bid"] = np.round(mid - spread / 2, feed.digits)
    ticks["ask"] = np.round(ticks["bid"] + spread, feed.digits)
    ticks["flags"] = _flags(ticks)
    _trade(ticks, feed, random)
    ticks["seq"] = count_within_millisecond(times)
    ticks["quality"] = np.where(ticks["seq"] > 0, SAME_MILLISECOND, 0)
    ticks["ts_recv_us"] = times * 1000
    ticks.setflags(write=False)
    return ticks


def recordings() -> Path:
    """A folder with `ticks/<SYMBOL>_<source>.parquet`, as the reference data; made once per run."""
    return shared_folder.once("recordings", _write)


def _write(folder: Path) -> None:
    (folder / "ticks").mkdir()
    for name in FEEDS:
        pq.write_table(_table(name), folder / "ticks" / f"{name}.parquet", compression="zstd")


def count_within_millisecond(time_msc: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal milliseconds; `time_msc` ascending."""
    index = np.arange(len(time_msc))
    starts = np.r_[True, time_msc[1:] != time_msc[:-1]]
    return index - np.maximum.accumulate(np.where(starts, index, 0))


def _times(feed: Feed, random: np.random.Generator) -> np.ndarray:
    """Steps of an even market, bent to its hours: none while it is closed, many at payrolls."""
    steps = np.round(random.lognormal(np.log(feed.median_step), feed.spread_step, feed.rows))
    steps = np.clip(steps, 1, 90_000)
    seconds = START_MSC + np.arange(_PATH_S) * 1000
    busy = _open(feed, seconds) * (1 + 60 * _news(seconds, 60_000)) * 1000
    times = np.interp(np.cumsum(steps), np.cumsum(busy) - busy[0], seconds).astype(np.int64)
    same = np.flatnonzero(random.random(feed.rows - 1) < feed.same_millisecond) + 1
    times[same] = times[same - 1]
    return np.maximum.accumulate(times)


def _open(feed: Feed, times: np.ndarray) -> np.ndarray:
    """Whether the market is open at times: shut on Friday 21:00, and for gold a while each day."""
    since_friday = (times - _FRIDAY_CLOSE) % (7 * DAY)
    before_ten = (times - START_MSC - 22 * HOUR) % DAY - DAY
    return (since_friday >= feed.reopens) & (before_ten < -feed.daily_break)


def _news(times: np.ndarray, fades_msc: int) -> np.ndarray:
    """1 at payrolls, falling to a third in `fades_msc`; 0 before."""
    since = times - PAYROLLS_MSC
    return np.where(since >= 0, np.exp(-np.maximum(since, 0) / fades_msc), 0.0)


@functools.cache
def _returns(symbol: str, daily: float) -> np.ndarray:
    random = np.random.default_rng(zlib.crc32(f"path {symbol}".encode()))
    path = np.cumsum(random.normal(0, daily / np.sqrt(86_400), _PATH_S))
    jump = (np.arange(_PATH_S) * 1000 + START_MSC) >= PAYROLLS_MSC
    return path - np.where(jump, daily * 0.6, 0.0)


def _path(symbol: str, daily: float, times: np.ndarray) -> np.ndarray:
    """The market's price at times, as a multiple of the price at the start."""
    seconds = (times - START_MSC) / 1000
    path: np.ndarray = np.exp(np.interp(seconds, np.arange(_PATH_S), _returns(symbol, daily)))
    return path


def _spreads(feed: Feed, times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """In points: wide at payrolls and in the hour around New York's close, else near the median."""
    if feed.steady:
        return np.full(feed.rows, float(feed.spread))
    wide = random.lognormal(0, 0.35, feed.rows) * (1 + 9 * _news(times, 300_000))
    wide[(times % DAY) // HOUR == 21] *= 5
    points: np.ndarray = np.maximum(1, np.round(feed.spread * wide))
    dirt = random.random(feed.rows)
    points[dirt < feed.crossed] *= -1
    points[(dirt >= feed.crossed) & (dirt < feed.crossed + feed.locked)] = 0
    return points


def _flags(ticks: TickArray) -> np.ndarray:
    """MT5's: 2 where the bid changed, 4 where the ask did; both on the first row."""
    bid = np.r_[True, ticks["bid"][1:] != ticks["bid"][:-1]]
    ask = np.r_[True, ticks["ask"][1:] != ticks["ask"][:-1]]
    flags: np.ndarray = 2 * bid + 4 * ask
    return flags


def _trade(ticks: TickArray, feed: Feed, random: np.random.Generator) -> None:
    """Make some rows trades: LAST, VOLUME and the side of who crossed the spread."""
    rows = np.flatnonzero(random.random(feed.rows) < feed.trades)
    buys = random.random(len(rows)) < 0.5
    ticks["flags"][rows] = np.where(buys, 8 | 16 | 32, 8 | 16 | 64)
    ticks["last"][rows] = np.where(buys, ticks["ask"][rows], ticks["bid"][rows])
    ticks["volume"][rows] = np.round(random.lognormal(-4, 1.5, len(rows)), 5) + 1e-5


def _table(name: str) -> pa.Table:
    ticks = recorded_ticks(name)
    symbol = pa.array([name.partition("_")[0]] * len(ticks)).dictionary_encode()
    columns = {"symbol": symbol, "time_msc": ticks["time_msc"]}
    columns |= {c: ticks[c].astype(np.float64) for c in ("bid", "ask", "last", "volume")}
    return pa.table({**columns, "flags": ticks["flags"].astype(np.uint32)})
