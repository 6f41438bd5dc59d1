"""Members' outputs to one prediction, compiled, one row after the other.

No NumPy function works on several rows at once here: its vector loops may round the end of an
array otherwise than its middle, and a replay's bits must not depend on batches.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from features.compiled import compiled
from features.jit import types

_TINY = 1e-7


def _combine(
    raw: Any, slopes: Any, offsets: Any, weights: Any, rows: Any, low: Any, high: Any,
    past_outside: Any, shares: Any, members: Any, out: Any, agreement: Any, veto: Any,
    absent: Any, outside: Any,
) -> None:  # fmt: skip
    count = raw.shape[0]
    mean = np.zeros(3)
    for k in range(rows.shape[0]):
        total = 0.0
        mean[:] = 0.0
        missing = 0
        for m in range(count):
            total_m = 0.0
            good = True
            for c in range(3):
                p = float(raw[m, k, c])
                if not (p >= -1e-3 and p <= 1.001):  # NaN fails both
                    good = False
                    break
                value = math.exp(slopes[m] * math.log(max(p, _TINY)) + offsets[m, c])
                members[m, k, c] = value
                total_m += value
            if not good or not (total_m > 0.0 and total_m < math.inf):
                missing |= 1 << m
                for c in range(3):
                    members[m, k, c] = math.nan
                continue
            total += weights[m]
            for c in range(3):
                members[m, k, c] = members[m, k, c] / total_m
                mean[c] += weights[m] * members[m, k, c]
        apart = 0.0
        if total > 0.0:
            for c in range(3):
                mean[c] /= total
            for m in range(count):
                if missing >> m & 1 == 0:
                    for c in range(3):
                        apart += weights[m] / total * abs(members[m, k, c] - mean[c]) / 2.0
        else:
            apart = 1.0
            for c in range(3):
                mean[c] = shares[c]
        vetoed = total <= 0.0
        out_of = 0
        for m in range(count):
            beyond = past_outside[m, k] != 0
            for f in range(rows.shape[1]):
                value = rows[k, f]
                beyond = beyond or value < low[m, f] or value > high[m, f]  # NaN is neither
            if beyond:
                out_of |= 1 << m
                vetoed = vetoed or (weights[m] > 0.0 and missing >> m & 1 == 0)
        for c in range(3):
            out[k, c] = mean[c]
        agreement[k] = 1.0 - apart
        veto[k] = vetoed
        absent[k] = missing
        outside[k] = out_of


_F32, _F64 = types.float32, types.float64
#: combine(raw f32 [M, k, 3], slopes f64 [M], offsets f64 [M, 3], weights f64 [M], rows f32 [k, F],
#: low, high f32 [M, F], past_outside u1 [M, k], shares f64 [3], members f32 [M, k, 3], out f32
#: [k, 3], agreement f32 [k], veto u1 [k], absent u4 [k], outside u4 [k]). The last six are filled:
#: calibrated outputs (NaN when absent), their mean by weight, how near they are to it (1 when
#: equal), whether the row lies outside the training range of a member that has a say (or nobody
#: has one), a bit per member without a usable output, and one per member whose range it leaves.
combine: Callable[..., None] = compiled(
    types.void(
        types.Array(_F32, 3, "C"),
        types.Array(_F64, 1, "C"),
        types.Array(_F64, 2, "C"),
        types.Array(_F64, 1, "C"),
        types.Array(_F32, 2, "A", readonly=True),
        types.Array(_F32, 2, "C"),
        types.Array(_F32, 2, "C"),
        types.Array(types.uint8, 2, "C"),
        types.Array(_F64, 1, "C"),
        types.Array(_F32, 3, "C"),
        types.Array(_F32, 2, "C"),
        types.Array(_F32, 1, "C"),
        types.Array(types.uint8, 1, "C"),
        types.Array(types.uint32, 1, "C"),
        types.Array(types.uint32, 1, "C"),
    ),
    _combine,
)
