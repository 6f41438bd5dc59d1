"""What a load needs of machines, from figures that benches measured: a sum, no measurement.

Every assumption stands in `ASSUMPTIONS`, which whoever shows a plan shows too.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

BUSY = 0.5  # share of a core that a process may be busy with: half is for bursts
_DAY_S = 86_400

ASSUMPTIONS = (
    "a process is busy at most half of a core's time, so a burst of twice the rate still passes",
    "the processes whose cores are not counted were busy a third as long as those that are",
    "a live tick costs what one of a replay does; ticks that come singly cost more",
    "what a shard of signals takes of feeds that it does not own is not counted (bench_shards)",
    "the warehouse stores ticks, bars, one row of features and one prediction a symbol and second",
    "an open day has 24 hours, and each second of it a tick of every symbol",
    "what a sampled second keeps was measured with its ticks, so these are counted twice",
    "nothing is deleted (retention is off by default); backups and the bus's week are not counted",
    "cores and disk are like those of the machine that was measured",
)


class Plan(NamedTuple):
    """What it takes.

    `partitions`: shards of flows `ticks` and `signals`, a process of each apiece. `cores`: of these
    flows and the warehouse; the others were busy a third as long in the replay measured.
    """

    partitions: int
    processes: dict[str, int]
    cores: float
    memory_mib: float
    disk_gib_a_day: float


def plan(symbols: int, ticks_a_second: float, figures: Mapping[str, float]) -> Plan:
    """The plan of a load.

    Args:
        symbols: feeds, each one symbol of one source.
        ticks_a_second: of all together, the mean of an open market's busiest hour.
        figures: by name, as benchmarks/figures.json has them.

    Raises:
        KeyError: a figure is missing.
        ValueError: no symbol, or no positive finite rate.
    """
    if symbols < 1 or not 0 < ticks_a_second < math.inf:
        raise ValueError("a plan needs a symbol at least, and a positive rate of ticks")
    busy = {
        name: figures[f"replay, {name}"] * ticks_a_second / 1e6
        for name in ("streams signals", "streams ticks", "warehouse")
    }
    partitions = max(1, *(math.ceil(busy[name] / BUSY) for name in busy if name != "warehouse"))
    processes = {
        "bus": 1, "collector": 1, "streams signals": partitions, "streams ticks": partitions,
        "streams executions": 1, "execution": 1, "warehouse": 1,
    }  # fmt: skip
    memory = figures["replay, other processes, memory"] + sum(
        processes[name] * figures[f"replay, {name}, memory"] for name in busy
    )
    rows = min(float(symbols), ticks_a_second)
    bytes_a_second = (
        ticks_a_second * figures["stored tick, every column of `tick`, merged"]
        + rows * figures["replay, warehouse on disk by sampled second"]
    )
    return Plan(
        partitions,
        processes,
        sum(busy.values()) / BUSY,
        memory,
        bytes_a_second * _DAY_S / 2**30,
    )
