"""Triple barrier: which comes first, a move up, a move down, or the end of the horizon?

What a position with a stop and a target meets, where the fixed horizon of `models.training.labels`
looks at one moment only (Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 3).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from features.compiled import compiled
from features.jit import types
from models.training.labels import (
    UNLABELLED,
    Floats,
    LabelledRows,
    LabelRule,
    MidSeries,
    Times,
    feeds_apart,
    horizon_answers,
)

_DOWN, _FLAT, _UP = 0, 1, 2


def _first_touch(
    time: Any, mid: Any, width: Any, path: Any, path_mid: Any, horizon: int, gap: int,
    label: Any, end: Any,
) -> None:  # fmt: skip
    count, first = path.shape[0], 0
    for n in range(time.shape[0]):
        label[n] = UNLABELLED
        end[n] = time[n]
        due = time[n] + horizon
        while first < count and path[first] <= time[n]:
            first += 1
        if first == 0:
            continue  # no quote yet: whether the market was open is not known
        for later in range(first, count):
            if path[later] - path[later - 1] > gap:
                break  # a closed market: nothing is labelled across it
            if path[later] > due:
                label[n] = _FLAT
                end[n] = due
                break
            move = path_mid[later] - mid[n]
            if abs(move) > width[n]:
                label[n] = _UP if move > 0 else _DOWN
                end[n] = path[later]
                break


_I64, _F64 = types.Array(types.int64, 1, "C"), types.Array(types.float64, 1, "C")
_touch: Callable[..., None] = compiled(
    types.void(
        _I64, _F64, _F64, _I64, _F64, types.int64, types.int64,
        types.Array(types.int8, 1, "C"), _I64,
    ),
    _first_touch,
)  # fmt: skip


def barrier_answers(
    feed: npt.NDArray[np.int32],
    time_us: Times,
    mid: Floats,
    spread: Floats,
    rule: LabelRule,
    quotes: Sequence[MidSeries] = (),
) -> LabelledRows:
    """Class and time of the answer of every row; barriers `rule.spreads` spreads away.

    Rows follow each other feed by feed, ascending. A row that meets a silence or the end of the
    data before a barrier or its horizon has no answer.
    """
    label, end = np.empty(len(feed), np.int8), np.empty(len(feed), np.int64)
    width = np.maximum(spread, 0.0) * rule.spreads + rule.commission
    for own, given in feeds_apart(feed, quotes):
        path = given or MidSeries(time_us[own], mid[own])
        arrays = [np.ascontiguousarray(a) for a in (time_us[own], mid[own], width[own], *path)]
        _touch(*arrays, rule.horizon_us, rule.gap_us, label[own], end[own])
    return LabelledRows(label, end)


#: How rows are answered, by the setting `models.labels`; all take the same arguments.
ANSWERS: dict[str, Callable[..., LabelledRows]] = {
    "horizon": horizon_answers,
    "barrier": barrier_answers,
}
