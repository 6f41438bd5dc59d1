"""The product's own walk-forward over one feed, its test rows beside what came of them.

The walking is `models.training.walk`'s, as for cards and the search: purged, with an embargo,
everything trained anew in each fold. Here its folds become one table of judged rows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.sections import ModelSettings
from models.members.base import Progress
from models.serving.card import DOWN, FLAT, UP
from models.training.dataset import Dataset
from models.training.ensemble import Kind
from models.training.evaluate import shares
from models.training.parts import Answered, answered
from models.training.walk import Walked, walked

Floats = npt.NDArray[np.float64]

FOLDS = 4
_BY_ROW = ("time_us", "rows", "label", "probabilities", "prior", "move_bp", "spread_bp", "mid",
           "fold")  # fmt: skip


class WalkedRows(NamedTuple):
    """Test rows of all folds of one feed, with what was said of them and what came. Shapes (n,).

    `prior`: class shares of each row's training part (n, 3). Moves and costs are in basis points.
    `members`: what each member said, calibrated (M, n, 3), NaN where it was silent; `names` are
    theirs. `fold`: the number of each row's fold, from 0. `block_us`: how long rows depend on each
    other, for intervals.
    """

    time_us: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]
    label: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float32]
    prior: Floats
    move_bp: Floats
    spread_bp: Floats
    mid: Floats
    fold: npt.NDArray[np.int8]
    members: npt.NDArray[np.float32]
    names: tuple[str, ...]
    block_us: int = 1_800_000_000

    def chosen(self, which: npt.NDArray[np.bool_]) -> "WalkedRows":
        """Some of the rows."""
        columns: dict[str, Any] = {name: getattr(self, name)[which] for name in _BY_ROW}
        return self._replace(**columns, members=self.members[:, which])


def walk(
    data: Dataset,
    settings: ModelSettings,
    progress: Progress,
    folds: int = FOLDS,
    *,
    sample_ms: int = 1000,
    block_us: int = 1_800_000_000,
) -> WalkedRows:
    """Judge the product's own training over one feed.

    Raises:
        ModelError: a fold has too little data, or one class only.
    """
    known = answered(data, settings)
    kind = Kind(settings.horizon_s, sample_ms, data.simulated)
    move_bp, folds_done = known.moves_bp(), []
    for number, fold in enumerate(walked(known, settings, kind, folds, progress)):
        folds_done.append(_walked_rows(known, move_bp, number, fold))
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in folds_done]) for name in _BY_ROW
    }
    members = np.concatenate([part.members for part in folds_done], axis=1)
    return folds_done[0]._replace(**columns, members=members, block_us=block_us)


def _walked_rows(known: Answered, move_bp: Floats, number: int, fold: Walked) -> WalkedRows:
    data, test, label = known.data, fold.test, known.answers.label
    prior = np.array(shares(label[fold.train]))
    spread_bp = np.maximum(data.spread[test], 0.0) / data.mid[test] * 1e4
    return WalkedRows(
        time_us=data.time_us[test], rows=data.rows[test], label=label[test],
        probabilities=fold.predictions.probabilities, prior=np.tile(prior, (len(test), 1)),
        move_bp=move_bp[test], spread_bp=spread_bp, mid=data.mid[test],
        fold=np.full(len(test), number, np.int8), members=fold.predictions.members,
        names=fold.names,
    )  # fmt: skip


def traded(
    predictions: WalkedRows, direction: npt.NDArray[np.int8], horizon_us: int, commission_bp: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Non-overlapping trades by a direction per row: their rows, and basis points after costs.

    The whole spread is paid, half at each end, and commission on both sides.
    """
    chosen, free = [], -1
    for row in np.flatnonzero(direction).tolist():
        if predictions.time_us[row] >= free:
            chosen.append(row)
            free = int(predictions.time_us[row]) + horizon_us
    rows = np.array(chosen, np.int64)
    gained = predictions.move_bp[rows] * direction[rows]
    return rows, gained - predictions.spread_bp[rows] - 2.0 * commission_bp


def directions(
    predictions: WalkedRows, names: Sequence[str], threshold: float
) -> dict[str, np.ndarray]:
    """What each way of deciding would do at every row: -1, 0 or 1."""
    down, up = predictions.probabilities[:, DOWN], predictions.probabilities[:, UP]
    sure = np.maximum(down, up) >= threshold
    past = predictions.rows[:, names.index("return_60s")]
    drift = np.sign(predictions.prior[:, UP] - predictions.prior[:, DOWN])
    walk_ = np.random.default_rng(7).choice([-1, 1], len(down))
    by_way = {
        "model": np.where(up > down, 1, -1) * sure,
        "momentum": np.sign(np.nan_to_num(past)),
        "majority": drift,
        "random walk": walk_,
    }
    return {name: values.astype(np.int8) for name, values in by_way.items()}


def moved(predictions: WalkedRows) -> npt.NDArray[np.int64]:
    """Rows whose answer was up or down."""
    return np.flatnonzero(predictions.label != FLAT)
