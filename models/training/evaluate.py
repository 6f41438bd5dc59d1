"""How good probabilities are, in numbers that cannot flatter.

Each is a few lines of NumPy, so that the figure on a card needs no library to be checked.
"""

import numpy as np
import numpy.typing as npt

from models.serving.card import CLASSES, DOWN, FLAT, UP, Metrics, Part

Probabilities = npt.NDArray[np.floating]  # shape (n, 3)
Labels = npt.NDArray[np.int8]  # shape (n,)

#: Length of a block of dependent rows, in horizons of the label.
BLOCK_HORIZONS = 10
_DRAWS = 200

#: Printed wherever an AUC is.
#: A direction AUC above this, beyond chance, is investigated.
LEAK = 0.60
LEAK_RULE = (
    "On real data and horizons this short, treat a direction AUC above 0.60 as a leak of the "
    "future until disproved. AUC of one class against the rest may be higher honestly: whether "
    "the market moves is easier to know than where."
)


def log_loss(probabilities: Probabilities, label: Labels) -> float:
    """Mean negative log of the true class's probability, in nats."""
    true = probabilities[np.arange(len(label)), label].astype(np.float64)
    return float(-np.log(np.maximum(true, 1e-15)).mean())


def brier(probabilities: Probabilities, label: Labels) -> float:
    """Mean squared distance to the true class, summed over classes: 0 to 2 (Brier 1950)."""
    truth = np.eye(len(CLASSES))[label]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def accuracy(probabilities: Probabilities, label: Labels) -> float:
    """Share of rows whose likeliest class was the true one."""
    return float((probabilities.argmax(axis=1) == label).mean())


def auc(score: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_]) -> float | None:
    """Chance that a positive row scores above a negative one, ties half (Mann and Whitney 1947)."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, group, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2.0)[group]
    above = rank[positive].sum() - positives * (positives + 1) / 2.0
    return float(above / positives / negatives)


def direction_auc(probabilities: Probabilities, label: Labels) -> float | None:
    """AUC of up against down, among the rows that were either."""
    moved = label != FLAT
    lean = probabilities[moved, UP].astype(np.float64) - probabilities[moved, DOWN]
    return auc(lean, label[moved] == UP)


def direction_range(
    probabilities: Probabilities, label: Labels, time_us: npt.NDArray[np.int64], horizon_us: int
) -> tuple[float, float] | None:
    """Where 95 of 100 resampled direction AUCs lie; None when a class is absent.

    Whole blocks of ten horizons are drawn, because neighbouring rows share their answer: a day's
    thousands of rows are a few dozen observations. The same rows give the same range.
    """
    moved = label != FLAT
    lean = probabilities[moved, UP].astype(np.float64) - probabilities[moved, DOWN]
    rose, block = label[moved] == UP, time_us[moved] // (BLOCK_HORIZONS * horizon_us)
    order = np.argsort(block, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(block[order])) + 1)
    random, aucs = np.random.default_rng(7), list[float]()
    for _ in range(_DRAWS if len(order) else 0):
        drawn = np.concatenate([parts[n] for n in random.integers(0, len(parts), len(parts))])
        value = auc(lean[drawn], rose[drawn])
        if value is not None:
            aucs.append(value)
    if not aucs:
        return None
    low, high = np.quantile(aucs, [0.025, 0.975]).tolist()
    return low, high


def evaluate(probabilities: Probabilities, label: Labels) -> Metrics:
    """Every metric of one set of rows."""
    return Metrics(
        log_loss=log_loss(probabilities, label),
        brier=brier(probabilities, label),
        accuracy=accuracy(probabilities, label),
        auc_direction=direction_auc(probabilities, label),
        auc_down=auc(probabilities[:, DOWN], label == DOWN),
        auc_up=auc(probabilities[:, UP], label == UP),
    )


def shares(label: Labels) -> tuple[float, float, float]:
    """Share of down, flat and up."""
    down, flat, up = (np.bincount(label, minlength=3) / len(label)).tolist()
    return down, flat, up


def baseline(known: Labels, label: Labels) -> Metrics:
    """Metrics of predicting the class shares of `known` for every row of `label`."""
    return evaluate(np.tile(np.array(shares(known)), (len(label), 1)), label)


def part(time_us: npt.NDArray[np.int64], label: Labels) -> Part:
    """Rows, span and class shares of labelled rows."""
    return Part(len(label), int(time_us.min()), int(time_us.max()), shares(label))
