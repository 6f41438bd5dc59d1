"""Walk forward: train on the past, judge on what follows, move on; nothing shared between them.

A fold's training rows end where its test begins, and their labels are made from those rows alone:
a row whose answer lies beyond gets none (purged). The test begins one horizon later (embargo).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from core.settings import ModelSettings
from models.card import DOWN, FLAT, UP
from models.dataset import Dataset
from models.labels import UNLABELLED, LabelRule, labels_by_feed, later_rows
from models.predictor import Predictor
from models.train import fit

Floats = npt.NDArray[np.float64]


class Judged(NamedTuple):
    """Test rows of all folds of one feed, with what was said of them and what came. Shapes (n,).

    `prior`: class shares of each row's training part (n, 3). Moves and costs are in basis points.
    """

    time_us: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]
    label: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float32]
    prior: Floats
    move_bp: Floats
    spread_bp: Floats
    mid: Floats


def folds(data: Dataset, count: int, first: float) -> Iterator[tuple[int, int]]:
    """Test spans (from, to) in microseconds: equal parts of what follows the share `first`."""
    begin, end = int(data.time_us[0]), int(data.time_us[-1]) + 1
    edges = np.linspace(begin + (end - begin) * first, end, count + 1).astype(np.int64)
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def walk(data: Dataset, settings: ModelSettings, *, count: int = 4, first: float = 0.4) -> Judged:
    """Judge the product's own training over one feed.

    Raises:
        ModelError: no fold has enough rows to train on.
    """
    horizon_us = round(settings.horizon_s * 1e6)
    rule = LabelRule(horizon_us)
    label = labels_by_feed(data.feed, data.time_us, data.mid, data.spread, rule)
    later = later_rows(data.time_us, rule)
    move_bp = np.where(later >= 0, data.mid[later] - data.mid, np.nan) / data.mid * 1e4
    parts, refused = [], ""
    for begin, end in folds(data, count, first):
        train = data.time_us < begin
        try:
            model = fit(_some(data, train), "results", settings, simulated=False)
        except ModelError as error:
            refused = str(error)
            continue
        inside = (data.time_us >= begin + horizon_us) & (data.time_us < end)
        test = np.flatnonzero(inside & (label != UNLABELLED))
        known = label[train & (later >= 0) & (data.time_us < begin - horizon_us)]
        prior = np.bincount(known[known >= 0], minlength=3) / max((known >= 0).sum(), 1)
        said = Predictor(model).predict(data.rows[test])
        spread_bp = np.maximum(data.spread[test], 0.0) / data.mid[test] * 1e4
        parts.append(
            Judged(data.time_us[test], data.rows[test], label[test], said,
                   np.tile(prior, (len(test), 1)), move_bp[test], spread_bp, data.mid[test])
        )  # fmt: skip
    if not parts:
        raise ModelError(refused)
    return Judged(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def held_back(data: Dataset, settings: ModelSettings) -> Judged:
    """The rows that a card's figures are of: one training on all, its last quarter held back.

    Raises:
        ModelError: too little data.
    """
    model = fit(data, "results", settings, simulated=False)
    rule = LabelRule(round(settings.horizon_s * 1e6))
    label = labels_by_feed(data.feed, data.time_us, data.mid, data.spread, rule)
    test = np.flatnonzero((data.time_us >= model.card.held_back.start_us) & (label != UNLABELLED))
    move = data.mid[later_rows(data.time_us, rule)[test]] / data.mid[test] - 1.0
    spread_bp = np.maximum(data.spread[test], 0.0) / data.mid[test] * 1e4
    prior = np.tile(np.array(model.card.train.shares), (len(test), 1))
    said = Predictor(model).predict(data.rows[test])
    return Judged(
        data.time_us[test], data.rows[test], label[test], said, prior, move * 1e4, spread_bp,
        data.mid[test],
    )  # fmt: skip


def traded(
    judged: Judged, direction: npt.NDArray[np.int8], horizon_us: int, commission_bp: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Non-overlapping trades by a direction per row: their rows, and basis points after costs.

    The whole spread is paid, half at each end, and commission on both sides.
    """
    chosen, free = [], -1
    for row in np.flatnonzero(direction).tolist():
        if judged.time_us[row] >= free:
            chosen.append(row)
            free = int(judged.time_us[row]) + horizon_us
    rows = np.array(chosen, np.int64)
    gained = judged.move_bp[rows] * direction[rows]
    return rows, gained - judged.spread_bp[rows] - 2.0 * commission_bp


def directions(judged: Judged, names: Sequence[str], threshold: float) -> dict[str, np.ndarray]:
    """What each way of deciding would do at every row: -1, 0 or 1."""
    down, up = judged.probabilities[:, DOWN], judged.probabilities[:, UP]
    sure = np.maximum(down, up) >= threshold
    past = judged.rows[:, names.index("return_60s")]
    drift = np.sign(judged.prior[:, UP] - judged.prior[:, DOWN])
    walk_ = np.random.default_rng(7).choice([-1, 1], len(down))
    found = {
        "model": np.where(up > down, 1, -1) * sure,
        "momentum": np.sign(np.nan_to_num(past)),
        "majority": drift,
        "random walk": walk_,
    }
    return {name: values.astype(np.int8) for name, values in found.items()}


def _some(data: Dataset, rows: npt.NDArray[np.bool_]) -> Dataset:
    return data._replace(
        rows=data.rows[rows], time_us=data.time_us[rows], mid=data.mid[rows],
        spread=data.spread[rows], feed=data.feed[rows],
    )  # fmt: skip


def moved(judged: Judged) -> npt.NDArray[np.int64]:
    """Rows whose answer was up or down."""
    return np.flatnonzero(judged.label != FLAT)
