"""Tick files to feature rows as the product makes them, and every figure about them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.mt5.recorded import RecordedMarket
from adapters.mt5.tickfile import ParquetTicks
from backtest.results import walk
from backtest.results.bootstrap import Interval, blocks, interval
from backtest.results.walk import Judged
from backtest.stages import FeatureStages
from core.instruments import instrument
from core.settings import ModelSettings, RunSettings, Settings
from features.catalog import NAMES
from models.card import DOWN, UP
from models.dataset import Dataset
from models.evaluate import auc, brier, log_loss

#: Training rows are thinned evenly to so many, for a page that takes minutes, not hours.
MOST_ROWS = 60_000
#: For the same reason without the sequence network, which takes minutes for each of many fits.
MEMBERS = ("xgboost", "lightgbm", "linear")
BLOCK_US = 1_800_000_000  # half an hour
_MOST_ROWS = 6_000  # of moved rows in a bootstrapped AUC


class Traded(NamedTuple):
    """Trades by one way of deciding: how many, and basis points a trade after costs."""

    trades: int
    net_bp: Interval


class Figures(NamedTuple):
    """What came out for one feed."""

    feed: str
    rows: int
    moved: int
    blocks: int  # of half an hour, with rows that moved
    log_loss: float
    prior_log_loss: float
    brier: float
    prior_brier: float
    auc: Interval
    card_auc: Interval  # of one training on all, its last quarter held back
    momentum_auc: Interval
    traded: dict[str, Traded]


def dataset(path: Path, settings: Settings) -> Dataset:
    """All feature rows of one normalised tick file."""
    file = ParquetTicks(path)
    stages = FeatureStages(settings, RecordedMarket([file]), [(file.source, file.symbol)])
    parts, number = [], 1
    while (found := stages.slice(number)) is not None:
        parts += found.rows
        number += 1
    rows, time_msc, mid, spread = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("features", "time_msc", "mid", "spread")
    )
    feed = f"{file.source}.{file.symbol}"
    none = np.zeros(len(rows), np.int32)
    return Dataset(rows, time_msc.astype(np.int64) * 1000, mid, spread, none, (feed,))


def judge(path: Path, settings: Settings) -> tuple[Judged, Judged, Figures]:
    """Walk forward over one file; also the rows a card's figures would be of.

    Raises:
        ModelError: too little data.
    """
    data = dataset(path, settings)
    judged = walk.walk(data, settings.models)
    card = walk.held_back(data, settings.models)
    return judged, card, figures(data.feeds[0], judged, card, settings)


def lean(judged: Judged) -> np.ndarray:
    """Probability of up less that of down."""
    return judged.probabilities[:, UP].astype(np.float64) - judged.probabilities[:, DOWN]


def figures(feed: str, judged: Judged, card: Judged, settings: Settings) -> Figures:
    """Every figure of one feed's test rows."""
    moved = walk.moved(judged)
    past = np.nan_to_num(judged.rows[:, NAMES.index("return_60s")].astype(np.float64))
    prior = judged.prior
    return Figures(
        feed=feed, rows=len(judged.label), moved=len(moved),
        blocks=blocks(judged.time_us[moved], BLOCK_US),
        log_loss=log_loss(judged.probabilities, judged.label),
        prior_log_loss=log_loss(prior, judged.label),
        brier=brier(judged.probabilities, judged.label), prior_brier=brier(prior, judged.label),
        auc=direction_auc(judged, lean(judged)), card_auc=direction_auc(card, lean(card)),
        momentum_auc=direction_auc(judged, past),
        traded=_traded(feed, judged, settings),
    )  # fmt: skip


def direction_auc(judged: Judged, score: np.ndarray) -> Interval:
    """AUC of up against down among rows that moved, evenly thinned, with its interval."""
    moved = walk.moved(judged)
    moved = moved[:: max(1, -(-len(moved) // _MOST_ROWS))]
    up, given, times = judged.label[moved] == UP, score[moved], judged.time_us[moved]
    return interval(lambda rows: auc(given[rows], up[rows]), times, BLOCK_US)


def _traded(feed: str, judged: Judged, settings: Settings) -> dict[str, Traded]:
    horizon_us = round(settings.models.horizon_s * 1e6)
    cost = commission_bp(feed.partition(".")[2], judged)
    found = {}
    for name, direction in walk.directions(judged, NAMES, settings.signals.threshold).items():
        rows, net = walk.traded(judged, direction, horizon_us, cost)
        found[name] = Traded(len(rows), interval(_mean_of(net), judged.time_us[rows], BLOCK_US))
    return found


def _mean_of(values: np.ndarray) -> Callable[[np.ndarray], float | None]:
    return lambda rows: float(values[rows].mean()) if len(rows) else None


def commission_bp(symbol: str, judged: Judged) -> float:
    """Commission of one side in basis points of the notional, by the reference data.

    The notional of a pair that is not quoted in dollars is taken as if its base unit were worth
    one: between a third too much and nothing, of a cost of 0.35.
    """
    known = instrument(symbol, int(judged.time_us[0])) if len(judged.time_us) else None
    if known is None:
        return 0.0
    worth = float(np.median(judged.mid)) if known.quote == "USD" else 1.0
    return known.commission / (known.contract_size * worth) * 1e4


def run_settings(home: str) -> Settings:
    """The product's defaults, in a home of its own; less rows and members, as the page says."""
    run = RunSettings("results", "backtest", "results", "model")
    return Settings(
        home, run=run, models=ModelSettings(max_rows=MOST_ROWS, members=MEMBERS, threads=1)
    )
