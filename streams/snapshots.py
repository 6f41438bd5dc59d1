"""Ticks to feature rows, with the kernel's memory kept at every full hour of market time.

A recursive average remembers for ever, so a decision can only be computed again from the run's
first tick, or from a snapshot. Batches are cut where an hour begins: how ticks are cut never
changes a bit of a row (features.kernel).
"""

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TickArray
from features.kernel import features_of
from features.state import StateArray, to_bytes
from streams.records import KernelSnapshot

HOUR_MSC = 3_600_000

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


def with_snapshots(
    kernel: StateArray, ticks: TickArray, sample_ms: int
) -> tuple[Rows, Indices, tuple[KernelSnapshot, ...]]:
    """`features_of`, and a snapshot of each hour that begins among these ticks."""
    begins = _hours_begin(int(kernel["time_msc"][0]), ticks)
    if not begins:
        return *features_of(kernel, ticks, sample_ms), ()
    rows, index, kept, done = [], [], [], 0
    for begin, hour in begins:
        part = features_of(kernel, ticks[done:begin], sample_ms)
        rows.append(part[0])
        index.append(part[1] + done)
        kept.append(KernelSnapshot(hour * HOUR_MSC * 1000, to_bytes(kernel)))
        done = begin
    last = features_of(kernel, ticks[done:], sample_ms)
    joined = np.concatenate([*rows, last[0]]), np.concatenate([*index, last[1] + done])
    return *joined, tuple(kept)


def _hours_begin(last_msc: int, ticks: TickArray) -> list[tuple[int, int]]:
    """Places of the first tick of each hour after the last tick's, and the hour."""
    times = ticks["time_msc"]
    if last_msc < 0:
        if not len(times):
            return []
        last_msc = int(times[0])  # a kernel that knows nothing needs no snapshot
    if not len(times) or int(times.max()) // HOUR_MSC <= last_msc // HOUR_MSC:
        return []
    hours = np.maximum(np.maximum.accumulate(times), last_msc) // HOUR_MSC
    indices = np.flatnonzero(np.diff(hours, prepend=last_msc // HOUR_MSC))
    return [(index, int(hours[index])) for index in indices.tolist()]
