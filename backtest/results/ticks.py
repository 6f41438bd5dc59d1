"""Tick files to feature rows as the product makes them, and every figure about them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tickfile import ParquetTicks
from backtest.results import walk
from backtest.results.bootstrap import Interval, blocks, interval
from backtest.results.walk import WalkedRows
from backtest.stages import FeatureStages
from core.contracts.tick import OUT_OF_ORDER
from core.instruments import instrument
from core.sections import ModelSettings, RunSettings
from core.settings import Settings
from features.catalog import NAMES
from models.members.base import Progress
from models.serving.card import DOWN, FLAT, UP
from models.training.dataset import Dataset
from models.training.evaluate import auc, brier, log_loss
from models.training.labels import Quotes

_MOST_ROWS = 6_000  # of moved rows in a bootstrapped AUC


class Scale(NamedTuple):
    """How a file is sampled and answered, how long its rows depend on each other, and its folds."""

    sample_ms: int
    horizon_s: float
    block_us: int
    folds: int


#: The product's defaults, and what recordings of minutes allow: a tenth and a twelfth of them.
USUAL, SHORT = Scale(1000, 60.0, 1_800_000_000, walk.FOLDS), Scale(100, 5.0, 30_000_000, 2)
_SHORT_US = 3_600_000_000


class Traded(NamedTuple):
    """Trades by one way of deciding: how many, and basis points a trade after costs."""

    trades: int
    net_bp: Interval


class Figures(NamedTuple):
    """What came out for one feed."""

    feed: str
    scale: Scale
    rows: int
    moved: int
    blocks: int  # with rows that moved
    log_loss: float
    prior_log_loss: float
    brier: float
    prior_brier: float
    auc: Interval
    auc_folds: tuple[float, ...]
    auc_members: dict[str, float]
    momentum_auc: Interval
    traded: dict[str, Traded]


def scale_of(path: Path) -> Scale:
    """SHORT for a recording of less than an hour, which has no sixty seconds to spare."""
    time = np.concatenate([chunk["time_msc"] for chunk in ParquetTicks(path).chunks()])
    return SHORT if (time.max() - time.min()) * 1000 < _SHORT_US else USUAL


def dataset(path: Path, settings: Settings) -> Dataset:
    """All feature rows of one normalised tick file, with all its ticks to answer them."""
    file = ParquetTicks(path)
    feed = file.source, file.symbol
    stages = FeatureStages(settings, RecordedMarket([file]), [feed])
    parts, kept, number = [], [], 1
    while (sampled := stages.slice(number)) is not None:
        parts += sampled.rows
        kept += sampled.ticks[feed]
        number += 1
    rows, time_msc, mid, spread = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("features", "time_msc", "mid", "spread")
    )
    none = np.zeros(len(rows), np.int32)
    return Dataset(
        rows, time_msc.astype(np.int64) * 1000, mid, spread, none, (".".join(feed),),
        quotes=(_quotes(np.concatenate(kept)),),
    )  # fmt: skip


def _quotes(ticks: np.ndarray) -> Quotes:
    ticks = ticks[ticks["quality"] & OUT_OF_ORDER == 0]
    return Quotes(ticks["time_msc"] * 1000, (ticks["bid"] + ticks["ask"]) / 2.0)


def evaluate(path: Path, settings: Settings, progress: Progress) -> tuple[WalkedRows, Figures]:
    """Walk forward over one file.

    Raises:
        ModelError: too little data.
    """
    scale = scale_of(path)
    settings = replace(
        settings,
        features=replace(settings.features, sample_ms=scale.sample_ms),
        models=replace(settings.models, horizon_s=scale.horizon_s),
    )
    data = dataset(path, settings)
    walked = walk.walk(
        data, settings.models, progress, scale.folds,
        sample_ms=scale.sample_ms, block_us=scale.block_us,
    )  # fmt: skip
    return walked, figures(data.feeds[0], walked, settings, scale)


def lean(walked: WalkedRows, member: str = "") -> np.ndarray:
    """Probability of up less that of down; of one member when named, NaN where it was silent."""
    probabilities = walked.members[walked.names.index(member)] if member else walked.probabilities
    return probabilities[:, UP].astype(np.float64) - probabilities[:, DOWN]


def figures(feed: str, walked: WalkedRows, settings: Settings, scale: Scale = USUAL) -> Figures:
    """Every figure of one feed's test rows."""
    moved = walk.moved(walked)
    past = np.nan_to_num(walked.rows[:, NAMES.index("return_60s")].astype(np.float64))
    prior, leaning = walked.prior, lean(walked)
    return Figures(
        feed=feed, scale=scale, rows=len(walked.label), moved=len(moved),
        blocks=blocks(walked.time_us[moved], walked.block_us),
        log_loss=log_loss(walked.probabilities, walked.label),
        prior_log_loss=log_loss(prior, walked.label),
        brier=brier(walked.probabilities, walked.label), prior_brier=brier(prior, walked.label),
        auc=direction_auc(walked, leaning),
        auc_folds=tuple(_plain_auc(walked, leaning, walked.fold == n) for n in range(scale.folds)),
        auc_members={n: _plain_auc(walked, lean(walked, n)) for n in walked.names},
        momentum_auc=direction_auc(walked, past),
        traded=_traded(feed, walked, settings),
    )  # fmt: skip


def _plain_auc(walked: WalkedRows, score: np.ndarray, which: np.ndarray | None = None) -> float:
    """Of all moved rows that have a score, without an interval; NaN when there is no such thing."""
    moved = (walked.label != FLAT) & np.isfinite(score)
    moved &= True if which is None else which
    value = auc(score[moved], walked.label[moved] == UP)
    return float("nan") if value is None else value


def direction_auc(walked: WalkedRows, score: np.ndarray) -> Interval:
    """AUC of up against down among rows that moved, evenly thinned, with its interval."""
    moved = walk.moved(walked)
    moved = moved[:: max(1, -(-len(moved) // _MOST_ROWS))]
    up, given, times = walked.label[moved] == UP, score[moved], walked.time_us[moved]
    return interval(lambda rows: auc(given[rows], up[rows]), times, walked.block_us)


def _traded(feed: str, walked: WalkedRows, settings: Settings) -> dict[str, Traded]:
    horizon_us = round(settings.models.horizon_s * 1e6)
    cost = commission_bp(feed.partition(".")[2], walked)
    by_way = {}
    for name, direction in walk.directions(walked, NAMES, settings.signals.threshold).items():
        rows, net = walk.traded(walked, direction, horizon_us, cost)
        by_way[name] = Traded(
            len(rows), interval(_mean_of(net), walked.time_us[rows], walked.block_us)
        )
    return by_way


def _mean_of(values: np.ndarray) -> Callable[[np.ndarray], float | None]:
    return lambda rows: float(values[rows].mean()) if len(rows) else None


def commission_bp(symbol: str, walked: WalkedRows) -> float:
    """Commission of one side in basis points of the notional, by the reference data.

    The notional of a pair that is not quoted in dollars is taken as if its base unit were worth
    one: between a third too much and nothing, of a cost of 0.35.
    """
    known = instrument(symbol, int(walked.time_us[0])) if len(walked.time_us) else None
    if known is None:
        return 0.0
    worth = float(np.median(walked.mid)) if known.quote == "USD" else 1.0
    return known.commission / (known.contract_size * worth) * 1e4


def run_settings(home: str) -> Settings:
    """The product's defaults, in a home of its own, on one thread so that anybody can repeat it."""
    run = RunSettings("results", "backtest", "results", "model")
    return Settings(home, run=run, models=ModelSettings(threads=1))
