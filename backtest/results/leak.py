"""Is a direction AUC above 0.60 a leak of the future? Four questions with answers in figures.

1. **Chance.** The model's leanings against the answers of another time of the same test span:
   all rows are turned by a block and more. If these reach the figure, there is nothing.
2. **Older rows.** The model's leaning of a second, five, ten seconds before. A leak of the next
   tick dies within a second; a slow effect fades slowly.
3. **One feature.** How far the best single feature goes, without any training. If it goes as far as
   the model, the effect is in the data, not in how training and test were divided.
4. **The quotes.** Share of rows whose spread is the one most frequent spread: where the ask is
   the bid plus a constant, mid is not a price anybody quoted. Unless that constant is the smallest
   step of the price, as on an exchange: closer than that nobody can quote.
"""

from typing import NamedTuple

import numpy as np

from backtest.results import ticks, walk
from backtest.results.bootstrap import Interval, blocks
from backtest.results.ticks import FeedFigures, direction_auc
from backtest.results.walk import WalkedRows
from features.catalog import NAMES
from models.serving.card import UP
from models.training.evaluate import auc

SUSPICIOUS = 0.60
_TURNS = 40
_LAGS_S = (1, 5, 10, 30)


class Finding(NamedTuple):
    """What was found about one feed."""

    feed: str
    what: str  # whose leaning, over which part
    auc: Interval
    moved: int
    blocks: int
    chance: tuple[float, float]  # 95 % of the turned AUCs
    lagged: dict[int, float]  # seconds to AUC
    best_feature: str
    best_auc: Interval
    one_spread: float
    one_step: bool  # that spread is the smallest step of the price

    @property
    def made_up(self) -> bool:
        """Whether the ask is the bid plus a constant."""
        return self.one_spread > 0.9 and not self.one_step

    @property
    def beyond_chance(self) -> bool:
        """Whether the figure is above what turned answers give, and its interval above a half."""
        return self.auc.value > self.chance[1] and self.auc.low > 0.5


def suspects(figures: FeedFigures) -> list[tuple[str, int]]:
    """Members ("" for the ensemble) and folds (-1 for all) whose AUC has to be explained.

    Everything above the limit; and, so that the page never rests on a rule alone, the highest
    figure of the whole feed if it lies below.
    """
    aucs = {("", -1): figures.auc.value}
    aucs |= {("", fold): value for fold, value in enumerate(figures.auc_folds)}
    aucs |= {(member, -1): value for member, value in figures.auc_members.items()}
    known = {key: value for key, value in aucs.items() if not np.isnan(value)}
    above = [key for key, value in known.items() if value > SUSPICIOUS]
    return above or sorted(known, key=lambda key: -known[key])[:1]


def investigate(feed: str, predictions: WalkedRows, member: str = "", fold: int = -1) -> Finding:
    """Answer the four questions for one feed's test rows.

    Args:
        member: whose leaning; the ensemble's when empty.
        fold: of these rows alone; of all when negative.
    """
    which = predictions.fold == fold if fold >= 0 else np.ones(len(predictions.label), bool)
    what = (member or "ensemble") + (f", fold {fold + 1}" if fold >= 0 else "")
    predictions = predictions.chosen(which & np.isfinite(ticks.lean(predictions, member)))
    moved, lean = walk.moved(predictions), ticks.lean(predictions, member)
    name, best = _best_feature(predictions)
    one_spread, one_step = _one_spread(predictions)
    count = blocks(predictions.time_us[moved], predictions.block_us)
    return Finding(
        feed=feed, what=what, auc=direction_auc(predictions, lean), moved=len(moved), blocks=count,
        chance=_chance(predictions, lean), lagged=_lagged(predictions, lean), best_feature=name,
        best_auc=best, one_spread=one_spread, one_step=one_step,
    )  # fmt: skip


def _chance(predictions: WalkedRows, lean: np.ndarray) -> tuple[float, float]:
    count = len(lean)
    least = int(np.searchsorted(predictions.time_us, predictions.time_us[0] + predictions.block_us))
    least = min(least, count // 4)
    turned = []
    for step in np.linspace(least, count - least, _TURNS).astype(int):
        label = np.roll(predictions.label, step)
        moved = label != 1
        value = auc(lean[moved], label[moved] == UP)
        turned += [value] if value is not None else []
    low, high = np.quantile(turned, [0.025, 0.975])
    return float(low), float(high)


def _one_spread(predictions: WalkedRows) -> tuple[float, bool]:
    """Share of the most frequent spread, and whether it is as small as the price's steps."""
    spread = np.round(predictions.spread_bp * predictions.mid, 3)
    values, counts = np.unique(spread, return_counts=True)
    moves = np.abs(np.diff(predictions.mid)) * 1e4
    step = moves[moves > 1e-3].min(initial=np.inf)  # of a mid: half a price's step, or a whole one
    most = counts.argmax()
    return float(counts[most] / counts.sum()), bool(values[most] < 2.5 * step)


def _lagged(predictions: WalkedRows, lean: np.ndarray) -> dict[int, float]:
    moved = walk.moved(predictions)
    up, lagged = predictions.label[moved] == UP, {}
    for lag in _LAGS_S:
        at = (
            np.searchsorted(
                predictions.time_us, predictions.time_us[moved] - lag * 1_000_000, "right"
            )
            - 1
        )
        value = auc(lean[np.maximum(at, 0)], up)
        lagged[lag] = float("nan") if value is None else value
    return lagged


def _best_feature(predictions: WalkedRows) -> tuple[str, Interval]:
    """The feature whose AUC is farthest from a half; its sign is chosen for it."""
    candidates = []
    for column, name in enumerate(NAMES):
        score = np.nan_to_num(predictions.rows[:, column].astype(np.float64))
        moved = walk.moved(predictions)
        value = auc(score[moved], predictions.label[moved] == UP)
        if value is not None:
            candidates.append((abs(value - 0.5), value, column, name))
    _, value, column, name = max(candidates)
    sign = 1.0 if value >= 0.5 else -1.0
    score = sign * np.nan_to_num(predictions.rows[:, column].astype(np.float64))
    return ("" if sign > 0 else "minus ") + name, direction_auc(predictions, score)
