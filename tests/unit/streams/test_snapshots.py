"""Kernels at full hours: rows do not change, and a snapshot is all ticks before its hour."""

import numpy as np
import pytest

from core.contracts.tick import TICK, TickArray, TickBatch
from core.metrics import Histograms
from features.kernel import features_of
from features.state import new_state, to_bytes
from streams.sample import Sampler
from streams.snapshots import HOUR_MSC, with_snapshots
from tests.support.recordings import recorded_ticks

TICKS = recorded_ticks("EURUSD_oanda")[:9_000]


def cut(ticks: TickArray, sizes: int) -> list[TickArray]:
    return [ticks[n : n + sizes] for n in range(0, len(ticks), sizes)]


@pytest.mark.parametrize("size", [1, 700, 9_000])
def test_rows_are_the_same_and_hours_do_not_depend_on_batches(size: int) -> None:
    ticks = TICKS[:2_000] if size == 1 else TICKS
    complete, index = features_of(new_state(), ticks, 1000)
    kernel, rows, places, kept, done = new_state(), [], [], [], 0
    for part in cut(ticks, size):
        result, at, hours = with_snapshots(kernel, part, 1000)
        rows.append(result)
        places.append(at + done)
        kept += hours
        done += len(part)
    assert np.concatenate(rows).tobytes() == complete.tobytes()
    assert np.concatenate(places).tolist() == index.tolist()
    times = ticks["time_msc"]
    hours = sorted(set((times // HOUR_MSC).tolist()))[1:]
    assert [one.hour_us for one in kept] == [hour * HOUR_MSC * 1000 for hour in hours]
    for one in kept:
        kernel = new_state()
        features_of(kernel, ticks[times < one.hour_us // 1000], 1000)
        assert one.state == to_bytes(kernel)


def test_hours_of_silence_have_one_snapshot_and_ticks_out_of_order_none() -> None:
    ticks = np.zeros(4, TICK)
    ticks["time_msc"] = np.array([10, 4 * HOUR_MSC + 5, 2 * HOUR_MSC, 4 * HOUR_MSC + 9])
    ticks["bid"], ticks["ask"] = 1.0, 1.1
    _, _, kept = with_snapshots(new_state(), ticks, 1000)
    assert [one.hour_us for one in kept] == [4 * HOUR_MSC * 1000]
    _, _, none = with_snapshots(new_state(), ticks[:0], 1000)
    assert none == ()


def test_a_sampler_keeps_hours_only_when_told_to() -> None:
    batch = TickBatch("r", "live", "oanda", "EURUSD", 0, 0, TICKS.tobytes())
    (reported,) = Sampler(1000, Histograms(), None, keep_hours=True).rows(batch, 0)
    (silent,) = Sampler(1000, Histograms(), None).rows(batch, 0)
    assert len(reported.snapshots) > 0
    assert silent.snapshots == ()
    assert reported.features.tobytes() == silent.features.tobytes()
