"""A dataset divided by market time: to train on, to calibrate and weigh with, to hold back."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from core.sections import ModelSettings
from models.serving.card import CLASSES
from models.training.barriers import ANSWERS
from models.training.dataset import Dataset
from models.training.ensemble import Trainees
from models.training.examples import Examples, first_rows
from models.training.labels import (
    UNLABELLED,
    LabelledRows,
    LabelRule,
    moves_by_feed,
)
from models.training.weights import uniqueness

Indices = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int8]

HELD_BACK = 0.25  # share of rows after the split
CALIBRATED = 0.2  # share of the rows before it, the latest of them
EMBARGO_HORIZONS = 2  # the answer's own horizon, and one more
MIN_TRAIN_ROWS = 500
MIN_HELD_BACK_ROWS = 100


class Split(NamedTuple):
    """Row numbers for training and evaluation, int64, in time order."""

    train: Indices
    held_back: Indices


class Answered(NamedTuple):
    """A dataset with its answers: what everything that trains or scores begins with."""

    data: Dataset
    answers: LabelledRows
    first: Indices
    weight: npt.NDArray[np.float64]
    rule: LabelRule

    def examples(self, at: Indices) -> Examples:
        """Labelled rows as trainers take them."""
        weight = self.weight[at]
        mean = weight.mean() if len(weight) else 1.0
        return Examples(self.data.rows, at, self.first[at], self.answers.label[at], weight / mean)

    def trainees(self, train: Indices, later: Indices) -> Trainees:
        """Examples to train on, and to calibrate and weigh with."""
        times = self.data.time_us[later]
        moves = np.nan_to_num(self.moves_bp()[train])
        return Trainees(self.examples(train), self.examples(later), times, moves)

    def moves_bp(self) -> npt.NDArray[np.float64]:
        """The mid's move over the horizon of every row, bp; NaN where it is not known."""
        data = self.data
        moved = moves_by_feed(data.feed, data.time_us, data.mid, self.rule, data.quotes)
        moves: npt.NDArray[np.float64] = moved / data.mid * 1e4
        return moves


def answered(data: Dataset, settings: ModelSettings) -> Answered:
    """The dataset with its labels and how unique each is."""
    horizon_us = round(settings.horizon_s * 1e6)
    rule = LabelRule(horizon_us=horizon_us, spreads=settings.label_spreads)
    answers = ANSWERS[settings.labels](
        data.feed, data.time_us, data.mid, data.spread, rule, data.quotes
    )
    first = first_rows(data.feed)
    weight = np.ones(len(data.rows))
    for start in np.unique(first).tolist():
        own = slice(start, start + int((first == start).sum()))
        weight[own] = uniqueness(data.time_us[own], answers.end_us[own])
    return Answered(data, answers, first, weight, rule)


def split_by_time(
    time_us: Indices,
    label: Labels,
    horizon_us: int,
    max_rows: int,
    held_back: float = HELD_BACK,
) -> Split:
    """Labelled rows before and after one moment, with the embargo between them left out.

    More than `max_rows` on a side are thinned evenly over time.
    """
    labelled = np.flatnonzero(label != UNLABELLED)
    if len(labelled) == 0:
        return Split(labelled, labelled)
    ordered = labelled[np.argsort(time_us[labelled], kind="stable")]
    cut_us = time_us[ordered[int(len(ordered) * (1.0 - held_back))]]
    times = time_us[ordered]
    before = ordered[times < cut_us - EMBARGO_HORIZONS * horizon_us]
    return Split(_thin(before, max_rows), _thin(ordered[times >= cut_us], max_rows))


def split_again(time_us: Indices, label: Labels, train: Indices, horizon_us: int) -> Split:
    """The training rows once more: to train the members on, and to calibrate them with."""
    known = np.full(len(label), UNLABELLED, np.int8)
    known[train] = label[train]
    return split_by_time(time_us, known, horizon_us, len(train) or 1, CALIBRATED)


def _thin(rows: Indices, limit: int) -> Indices:
    if len(rows) <= limit:
        return rows
    return rows[np.arange(limit) * len(rows) // limit]


def require_enough(split: Split, label: Labels) -> None:
    """Raise unless there is something to learn from.

    Raises:
        ModelError: too little data, or one class only.
    """
    train, held_back = len(split.train), len(split.held_back)
    if train < MIN_TRAIN_ROWS or held_back < MIN_HELD_BACK_ROWS:
        raise ModelError(
            f"too little data: {train} labelled rows to train on and {held_back} to hold back, "
            f"{MIN_TRAIN_ROWS} and {MIN_HELD_BACK_ROWS} needed; "
            "take a longer span, or a shorter TICKHOUSE_MODELS__HORIZON_S"
        )
    classes = np.unique(label[split.train])
    if len(classes) < 2:
        raise ModelError(
            f"all {train} rows to train on are {CLASSES[int(classes[0])]!r}: nothing to learn; "
            "take a longer span or a longer TICKHOUSE_MODELS__HORIZON_S"
        )
