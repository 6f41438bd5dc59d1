"""Hourly bars of ten symbols over years: does anything tell the next hour's direction?

Trees on returns, volatility, place in the range and the clock, trained on all years before, judged
on the next; the same baselines. The cost is a typical retail spread per symbol, stated, for most
of these bars have no ask.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import xgboost

from backtest.results.bootstrap import Interval, interval
from core.sections import ModelSettings
from models.training.evaluate import auc

Floats = npt.NDArray[np.float64]

_HOUR_MSC = 3_600_000
_DAY_US = 86_400_000_000
_WINDOWS = (1, 2, 4, 8, 24, 120)
_WARM_UP = 240

#: Typical spread in basis points, from the prices of 2020: an assumption, not from these files.
SPREAD_BP = {
    "AUDJPY": 1.5, "AUDUSD": 1.3, "EURGBP": 1.3, "EURJPY": 1.2, "EURUSD": 0.8, "GBPJPY": 1.7,
    "GBPUSD": 1.0, "NZDUSD": 1.9, "USDCAD": 1.3, "USDCHF": 1.4, "USDJPY": 0.9, "XAUUSD": 1.8,
}  # fmt: skip


class BarFigures(NamedTuple):
    """What came out for one file of hourly bars."""

    name: str
    rows: int
    first_year: int
    last_year: int
    auc: Interval
    momentum_auc: Interval
    hit: float
    majority_hit: float
    cost_bp: float
    net_bp: dict[str, Interval]  # per trade, an hour each, always in the market


class Bars(NamedTuple):
    """Rows of features at the close of an hour, and the next hour's move. Shapes (n,)."""

    time_us: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]
    move_bp: Floats


def read(path: Path) -> Bars:
    """Features and the next move of every hour that follows directly on the one before."""
    table = pq.read_table(path, columns=["time_msc", "high", "low", "close"])
    time, high, low, close = (c.to_numpy() for c in table.columns)
    logs = np.log(close)
    columns = [_back(logs, n) for n in _WINDOWS]
    hourly = np.diff(logs, prepend=logs[0])
    columns += [_rolling(hourly, n, np.std) for n in (24, 120)]
    columns.append((close - low) / np.maximum(high - low, 1e-12))
    top, bottom = _rolling(high, 24, np.max), _rolling(low, 24, np.min)
    columns.append((close - bottom) / np.maximum(top - bottom, 1e-12))
    hour, weekday = time // _HOUR_MSC % 24, (time // (24 * _HOUR_MSC) + 3) % 7
    columns += [np.sin(hour * np.pi / 12), np.cos(hour * np.pi / 12), weekday]
    move = np.append(np.diff(logs), np.nan) * 1e4
    follows = np.append(np.diff(time) == _HOUR_MSC, False)
    keep = follows & (np.arange(len(time)) >= _WARM_UP)
    rows = np.column_stack(columns).astype(np.float32)
    return Bars(time[keep] * 1000 + _HOUR_MSC * 1000, rows[keep], move[keep])


def evaluate(path: Path, settings: ModelSettings) -> BarFigures:
    """Year by year: train on everything before, less a day; judge the year."""
    bars = read(path)
    years = bars.time_us.astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970
    chance_up = np.full(len(years), np.nan)
    prior = np.full(len(years), np.nan)
    for year in np.unique(years)[2:]:
        test = np.flatnonzero(years == year)
        train = np.flatnonzero(bars.time_us < bars.time_us[test[0]] - _DAY_US)
        chance_up[test] = _trees(
            bars.rows[train], bars.move_bp[train] > 0, settings, bars.rows[test]
        )
        prior[test] = np.mean(bars.move_bp[train] > 0)
    predictions = np.flatnonzero(~np.isnan(chance_up) & (bars.move_bp != 0))
    return _figures(path.stem, bars, chance_up, prior, predictions, years)


def _figures(
    name: str, bars: Bars, chance_up: Floats, prior: Floats, predictions: npt.NDArray[np.int64],
    years: npt.NDArray[np.int64],
) -> BarFigures:  # fmt: skip
    time_us, move = bars.time_us[predictions], bars.move_bp[predictions]
    up, lean, past = (
        move > 0,
        chance_up[predictions] - 0.5,
        bars.rows[predictions, 0].astype(np.float64),
    )
    ways = {
        "model": np.sign(lean), "momentum": np.sign(past),
        "majority": np.sign(prior[predictions] - 0.5),
        "random walk": np.random.default_rng(7).choice([-1.0, 1.0], len(move)),
    }  # fmt: skip
    cost = SPREAD_BP[name.partition("_")[0]]
    week = 5 * _DAY_US
    return BarFigures(
        name=name, rows=len(predictions), first_year=int(years[predictions].min()),
        last_year=int(years[predictions].max()),
        auc=interval(lambda r: auc(lean[r], up[r]), time_us, week, draws=100),
        momentum_auc=interval(lambda r: auc(past[r], up[r]), time_us, week, draws=100),
        hit=float(((lean > 0) == up).mean()),
        majority_hit=float(((prior[predictions] > 0.5) == up).mean()), cost_bp=cost,
        net_bp={
            way: interval(lambda r, g=move * d - cost: float(g[r].mean()), time_us, week)  # type: ignore[misc]
            for way, d in ways.items()
        },
    )  # fmt: skip


def _trees(
    rows: npt.NDArray[np.float32], up: npt.NDArray[np.bool_], settings: ModelSettings,
    test: npt.NDArray[np.float32],
) -> Floats:  # fmt: skip
    chosen = {
        "objective": "binary:logistic", "tree_method": "hist", "max_depth": settings.depth,
        "learning_rate": 0.05, "nthread": settings.threads, "seed": 7, "subsample": 0.8,
        "base_score": 0.5,
    }  # fmt: skip
    data = xgboost.QuantileDMatrix(rows, up, nthread=settings.threads)
    booster = xgboost.train(chosen, data, settings.rounds)
    return np.asarray(booster.inplace_predict(test), np.float64)


def _back(logs: Floats, hours: int) -> Floats:
    change = np.full(len(logs), np.nan)
    change[hours:] = logs[hours:] - logs[:-hours]
    return change


def _rolling(values: Floats, hours: int, figure: object) -> Floats:
    rolled = np.full(len(values), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(values, hours)
    rolled[hours - 1 :] = figure(windows, axis=1)  # type: ignore[operator]
    return rolled
