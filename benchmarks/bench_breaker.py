"""How soon a flash crash on the quote stream halts the real live process.

`python -m benchmarks.bench_breaker [--count N]`: minutes of calm for a feed, then two quotes far
below in one message over a real bus to `python -m execution`. Measured from handing that message
to the bus until the breaker's word is on disk, which is after checks see it. Each time another
feed falls, for a volatility that has seen a crash takes the next one lightly.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import StallMeter, describe
from core import trading_control
from core.clock import SystemClock
from tests.support import live_execution

GOAL_MS = 100.0


def measure(home: Path, count: int) -> list[int]:
    """Nanoseconds of each."""
    taken_ns = []
    with live_execution.execution(home) as (bus, _):
        for number in range(count):
            source = f"feed{number}"
            live_execution.quiet(bus, source, time.time_ns() // 1_000_000)
            time.sleep(0.1)
            began = time.perf_counter_ns()
            live_execution.fall(bus, source, time.time_ns() // 1_000_000)
            _wait(live_execution.tripped(home), began)
            taken_ns.append(time.perf_counter_ns() - began)
            trading_control.resume(home, "bench", "over", SystemClock())
            live_execution.tripped(home).unlink()
            time.sleep(0.05)
    return taken_ns


def _wait(path: Path, began: int) -> None:
    while not path.exists():
        if time.perf_counter_ns() - began > 10_000_000_000:
            raise SystemExit("no breaker tripped within 10 s")
        time.sleep(0.0002)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as directory, StallMeter() as stalls:
        taken_ns = measure(Path(directory) / "home", options.count)
    for name, values in (("crash to halt", taken_ns), ("sleep of 1 ms late by", stalls.late_ns)):
        p50, p99 = np.percentile(np.array(values) / 1e6, [50, 99])
        print(f"{name:24} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  max {max(values) / 1e6:7.2f} ms")
    share = sum(value < GOAL_MS * 1e6 for value in taken_ns) / len(taken_ns)
    print(f"{share:.1%} of {len(taken_ns)} within {GOAL_MS:.0f} ms")


if __name__ == "__main__":
    main()
