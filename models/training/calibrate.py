"""Outputs to probabilities that mean what they say, on rows the members were not trained on.

A softmax of slope times log probability plus an offset per class: four numbers, so that little
data cannot bend it far (Platt 1999 for several classes; Guo et al. 2017 with offsets).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

_TINY = 1e-7
_PULL = 1e-3  # towards the identity, per row

Floats = npt.NDArray[np.float64]


class Calibration(NamedTuple):
    """What models.serving.combine applies."""

    slope: float
    offsets: tuple[float, float, float]


IDENTITY = Calibration(1.0, (0.0, 0.0, 0.0))


def calibrate(raw: npt.NDArray[np.float32], label: npt.NDArray[np.int8]) -> Calibration:
    """The calibration with the least log loss on outputs [k, 3] of rows held out."""
    log_p = np.log(np.maximum(raw.astype(np.float64), _TINY))
    truth = np.eye(3)[label]

    def loss(x: Floats) -> tuple[float, Floats]:
        score = x[0] * log_p + np.array([x[1], 0.0, x[2]])
        score -= score.max(axis=1, keepdims=True)
        power = np.exp(score)
        p = power / power.sum(axis=1, keepdims=True)
        away = np.array([x[0] - 1.0, x[1], x[2]])
        wrong = (p - truth) / len(label)
        slope = np.array([(wrong * log_p).sum(), wrong[:, 0].sum(), wrong[:, 2].sum()])
        value = -np.log(np.maximum((p * truth).sum(axis=1), 1e-300)).mean()
        return float(value + _PULL * away @ away), slope + 2 * _PULL * away

    start = np.array([1.0, 0.0, 0.0])
    bounds = [(0.05, 5.0), (-5.0, 5.0), (-5.0, 5.0)]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(fitted[0]), (float(fitted[1]), 0.0, float(fitted[2])))


def applied(raw: npt.NDArray[np.float32], how: Calibration) -> Floats:
    """Calibrated probabilities [k, 3], for figures; models.serving.combine is what predicts."""
    score = how.slope * np.log(np.maximum(raw.astype(np.float64), _TINY)) + how.offsets
    power = np.exp(score - score.max(axis=1, keepdims=True))
    probabilities: Floats = power / power.sum(axis=1, keepdims=True)
    return probabilities


class Bin(NamedTuple):
    """One point of a reliability plot: `predicted` on average over `rows`; `came` came true."""

    rows: int
    predicted: float
    came: float


def reliability(p: npt.NDArray[np.floating], came: npt.NDArray[np.bool_]) -> list[Bin]:
    """Ten equal bins of a class's probability, the empty ones left out."""
    bin_of = np.minimum((p * 10).astype(np.int64), 9)
    return [
        Bin(int(own.sum()), float(p[own].mean()), float(came[own].mean()))
        for own in (bin_of == n for n in range(10))
        if own.any()
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Mean distance of what was said from what came, by rows (expected calibration error)."""
    total = sum(b.rows for b in bins)
    return sum(b.rows * abs(b.predicted - b.came) for b in bins) / total if total else 0.0
