"""The pre-trade check of what a portfolio risks, with fifty positions in fifty feeds.

`python -m benchmarks.bench_portfolio_risk [--count N]`

Every order is checked against all limits on risk with six stress scenarios, positions listed anew
each time as the order path does. Beside it, from the same run and in turn with it: the other
pre-trade checks' dearest arithmetic (a walk over the positions that adds their notionals), and how
late a sleep of 1 ms wakes, which is what this machine stalls by itself. CPU time leaves out what
others took. New figures come every hundredth order, and are made ready by the thread that takes
them; half-way between, a position changes. Live, what is held is valued once an order is settled
(`made ready after a fill`), before the next one's check (`after a fill`); one that comes with the
same look at the bus as the fill values it itself (`beside a fill`).
"""

import argparse
import gc
import time

import msgspec
import numpy as np

from benchmarks.machine import StallMeter, describe
from benchmarks.percentiles import of_durations
from core.contracts.risk import MarketRisk, StressShock
from core.instruments import shipped
from execution.risk.limits import Limits
from execution.risk.portfolio_risk import Held, MarketFigures, check

POSITIONS, NOW = 50, 1_700_000_000_000_000
GOAL_US = 50.0
LIMITS = Limits(
    max_var_equity=10.0, max_shortfall_equity=10.0, max_order_var_equity=10.0,
    max_currency_equity=1e6, max_correlated_equity=1e6, max_stress_equity=1e6,
)  # fmt: skip


def figures(number: int) -> MarketRisk:
    """Of fifty feeds: ten pairs of five brokers, all valued in dollars."""
    symbols = [s for s, (*_, e) in sorted(shipped().items()) if "USD" in (e.base, e.quote)][:10]
    feeds = [(f"broker{b}", symbol) for b in range(5) for symbol in symbols]
    size = len(feeds)
    rng = np.random.default_rng(number)
    factors = rng.standard_normal((size, 5))
    matrix = factors @ factors.T + np.eye(size)
    deviations = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(deviations, deviations)
    shocks = [
        StressShock(f"s{n}", "1", rng.uniform(-0.1, 0.1, size).tolist(), [1e-4] * size, 0.1)
        for n in range(6)
    ]
    return MarketRisk(
        run_id="bench", mode="live", ts_event_us=NOW + number, slice=0, feeds=feeds,
        mids=rng.uniform(0.9, 1.3, size).tolist(), sigma=rng.uniform(5e-5, 2e-4, size).tolist(),
        correlation=correlation.ravel().tolist(), shrinkage=0.1, observations=2880, stress=shocks,
    )  # fmt: skip


def measure(count: int) -> dict[str, list[int]]:
    """Nanoseconds of each check."""
    messages = [figures(number) for number in range(1, 11)]
    feeds = messages[0].feeds[:POSITIONS]
    order = Held(feeds[3], 0.1)
    taken: dict[str, list[int]] = {
        "check": [], "its CPU time": [], "first after new figures": [],
        "made ready after a fill": [], "after a fill": [], "beside a fill": [],
        "walk over positions": [],
    }  # fmt: skip
    gc.collect()
    gc.freeze()
    market, newest = MarketFigures("bench"), NOW
    for number in range(count):
        fresh, filled, beside = (number % 100 == n for n in (0, 50, 75))
        if fresh:
            newest += 1
            message = messages[number // 100 % len(messages)]
            market.take(msgspec.structs.replace(message, ts_event_us=newest))
        lots = 0.1 + ((number + 50) // 100 + (number + 25) // 100) / 1e4
        held = [Held(feed, lots + place / 100, 1.1) for place, feed in enumerate(feeds)]
        if filled:
            began = time.perf_counter_ns()
            market.prepare([Held(*one) for one in held])
            taken["made ready after a fill"].append(time.perf_counter_ns() - began)
        used = time.thread_time_ns()
        began = time.perf_counter_ns()
        denial = check(LIMITS, market.at("USD"), held, order, 1e6, NOW + 1_000_000)
        ended = time.perf_counter_ns()
        if not (fresh or filled or beside):
            taken["its CPU time"].append(time.thread_time_ns() - used)
        if denial is not None:
            raise SystemExit(f"denied: {denial}")
        kinds = ((fresh, "first after new figures"), (filled, "after a fill"))
        kind = next((k for is_, k in (*kinds, (beside, "beside a fill")) if is_), "check")
        taken[kind].append(ended - began)
        began = time.perf_counter_ns()
        total = 0.0
        for one in held:
            total += abs(one.lots) * one.price * 100_000.0
        taken["walk over positions"].append(time.perf_counter_ns() - began)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    options = parser.parse_args()
    print(describe())
    with StallMeter() as stalls:
        taken = measure(options.count)
    for name, values in (*taken.items(), ("sleep of 1 ms late by", stalls.late_ns)):
        p50, p99, p999 = of_durations(np.array(values))
        print(f"{name:26} p50 {p50:8.1f} us  p99 {p99:8.1f} us  p99.9 {p999:9.1f} us")
    checked = np.array(taken["check"]) / 1e3
    ratio = np.median(checked) / (np.median(taken["walk over positions"]) / 1e3)
    print(
        f"check: {ratio:.1f} walks over the positions; {(checked < GOAL_US).mean():.2%} below 50 us"
    )


if __name__ == "__main__":
    main()
