"""Walk-forward folds in which no training row knows anything of what is tested.

Every fold trains on the past and tests on the span after it. Training rows whose answer is known
only within the tested span, or less than the embargo before it, are left out (purged); so a
score is what a model trained then would have made afterwards.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]


class Fold(NamedTuple):
    """Places of rows, int64, in time order."""

    train: Times
    test: Times


def walk_forward(time_us: Times, end_us: Times, folds: int, embargo_us: int) -> list[Fold]:
    """Folds over labelled rows of any feeds: one moment divides them all.

    The span, by rows, is cut into `folds` + 1 parts; fold i tests part i + 1 and trains on all
    parts before it.

    Args:
        time_us, end_us: when each row's answer begins and is known, shape (n,).
        embargo_us: further time between what is trained on and what is tested.
    """
    order = np.argsort(time_us, kind="stable")
    built = []
    for fold in range(1, folds + 1):
        start, stop = (int(len(order) * n / (folds + 1)) for n in (fold, fold + 1))
        test = order[start:stop]
        if not len(test):
            continue
        begins = time_us[test].min()
        earlier = order[:start]
        train = earlier[end_us[earlier] + embargo_us < begins]
        built.append(Fold(train, test[time_us[test] >= begins]))
    return built
