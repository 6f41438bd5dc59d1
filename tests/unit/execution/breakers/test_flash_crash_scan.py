"""Slices looked at as a whole give the crash that quote after quote gives."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from execution.breakers.flash_crash import FlashCrash, FlashCrashWatch
from execution.breakers.flash_crash_scan import FlashCrashScan, smoothed
from execution.order_path.quotes import Tape, tape
from execution.risk.limits import Breakers
from tests.support.recordings import recorded_ticks

PAYROLLS = int(datetime(2014, 5, 2, 12, 30, tzinfo=UTC).timestamp() * 1e6)
EAGER = Breakers(
    crash_move_1s=0.0005, crash_move_10s=0.001, crash_move_60s=0.002, crash_deviations=3.0
)


def walk(rng: Random, seconds: int) -> Tape:
    """A walk with pauses, quotes within one millisecond, odd quotes and jumps."""
    time_ms, price, rows = 1_700_000_000_000, 100.0, []
    end = time_ms + seconds * 1000
    while time_ms < end:
        time_ms += rng.choice((0, 0, 1, 90, 400, 1100, 2500))
        if rng.random() < 0.002:
            time_ms += rng.choice((59_000, 61_000, 200_000))
        price *= 1 + rng.gauss(0, 3e-5) + (rng.random() < 0.002) * rng.choice((-1, 1)) * 0.002
        odd = price * (1.01 if rng.random() < 0.003 else 1.0)
        rows.append((time_ms * 1000, odd, odd + 0.001))
    times, bids, asks = zip(*rows, strict=True)
    return Tape(np.array(times), np.array(bids), np.array(asks))


def streamed(quotes: Tape, limits: Breakers) -> list[tuple[int, FlashCrash]]:
    """Every crash, with the index of the quote that shows it."""
    watch, mids = FlashCrashWatch(limits), (quotes.bid + quotes.ask) / 2
    seen = [
        watch.observe(t, m) for t, m in zip(quotes.time_us.tolist(), mids.tolist(), strict=True)
    ]
    return [(index, crash) for index, crash in enumerate(seen) if crash is not None]


def slices(quotes: Tape, rng: Random) -> list[tuple[int, int]]:
    count = len(quotes.time_us)
    cuts = sorted({0, count, *(rng.randrange(count) for _ in range(6))})
    return list(pairwise(cuts))


@pytest.mark.parametrize("seed", range(20))
def test_a_scan_finds_what_a_watch_finds(seed: int) -> None:
    rng = Random(seed)
    quotes = walk(rng, 2500)
    expected, scan = streamed(quotes, EAGER), FlashCrashScan(EAGER)
    for begin, end in slices(quotes, rng):
        crash = scan.observe(Tape(*(column[begin:end] for column in quotes)))
        first = next((crash for index, crash in expected if begin <= index < end), None)
        assert crash == first


def test_the_walks_hold_crashes_and_calm() -> None:
    counts = [len(streamed(walk(Random(seed), 2500), EAGER)) for seed in range(20)]
    assert sum(count > 0 for count in counts) > 10


def test_smoothed_mids_are_medians_of_three_since_the_last_silence() -> None:
    times = np.array([0, 1, 2, 3, 61_000_004, 61_000_005])
    mids = smoothed(times, np.array([1.0, 3.0, 2.0, 9.0, 5.0, 4.0]))
    assert mids.tolist() == [1.0, 3.0, 2.0, 3.0, 5.0, 5.0]


def test_payrolls_trip_what_they_trip_quote_by_quote() -> None:
    quotes = tape(recorded_ticks("EURUSD_oanda"))
    hours = np.array([-2, 1]) * 3_600_000_000
    begin, end = np.searchsorted(quotes.time_us, PAYROLLS + hours)
    around = Tape(*(column[begin:end] for column in quotes))
    assert FlashCrashScan(Breakers()).observe(around) is None
    tight = Breakers(crash_move_1s=0.0007, crash_move_10s=0.001, crash_move_60s=0.0015)
    assert FlashCrashScan(tight).observe(around) == streamed(around, tight)[0][1]
