"""`make availability MINUTES=60 SEED=n`: a desk trades the simulated market while things go wrong.

Kills, hangs, a full and a slow disk, a broker that does not answer, drawn from the seed and evenly
paced. Printed is what was measured here, by a look at every process ten times a second, and nothing
beyond: how long nothing could be traded, and how long each process took to be ready again.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.clickhouse import client
from cli.stack.running import running
from core.credentials import directory_of
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from tests.availability.desk import Desk, desk
from tests.availability.faults import Fault, faults
from tests.availability.measure import (
    ORDERS,
    SIGNALS,
    Recovery,
    away_s,
    back_after,
    rows,
    was_away,
)

_BACK_WITHIN_S = 180.0
_COUNTS = "SELECT kind, count() FROM order_event FINAL GROUP BY kind ORDER BY kind"


def main() -> int:
    """0 when every process came back after every fault, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.availability", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--period", type=float, default=30.0, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    console = Console(highlight=False, width=110)
    folder = Path(tempfile.mkdtemp(prefix="tickhouse-availability-"))
    console.print(f"seed {options.seed}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    begun_s = time.monotonic()
    with desk(folder) as running_desk:
        console.print(f"ready after {time.monotonic() - begun_s:.0f} s")
        kinds = {"kill", "hang", "slow", "outage"} | ({"full"} if running_desk.has_disk else set())
        if not running_desk.has_disk:
            console.print("no file system of its own can be mounted: no fault fills the disk")
        held = _measured(console, running_desk, options, kinds)
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if held else 1


def _measured(
    console: Console, trading: Desk, options: argparse.Namespace, kinds: set[str]
) -> bool:
    watch, recoveries, inflicted = trading.watch, list[Recovery](), Counter[str]()
    names = tuple(watch.samples)
    begin_s = time.monotonic()
    end_s = begin_s + 60 * options.minutes
    schedule = faults(options.seed, round(60 * options.minutes / options.period), names, kinds)
    for number, fault in enumerate(schedule, 1):
        time.sleep(max(begin_s + number * options.period - time.monotonic(), 0.0))
        if time.monotonic() > end_s:
            break
        new = _after(trading, fault)
        recoveries += new
        inflicted[fault.kind] += 1
        line = ", ".join(f"{r.process} {_seconds(r)}" for r in new) or "nothing was away"
        console.print(f"{time.monotonic() - begin_s:6.0f} s  {fault}: {line}")
    time.sleep(max(end_s - time.monotonic(), 0.0))
    span = begin_s, time.monotonic()
    console.print(_table(recoveries), f"faults: {dict(sorted(inflicted.items()))}", sep="\n")
    for what, of in (
        ("no order could be sent", ORDERS),
        ("no new signal could be decided", SIGNALS),
    ):
        seconds = away_s(watch.samples, of, span)  # type: ignore[arg-type]
        console.print(f"of {span[1] - span[0]:.0f} s {what} for {seconds:.1f} s ({', '.join(of)})")
    console.print(f"order events stored: {_orders(trading)}")
    return all(r.seconds is not None for r in recoveries)


def _after(trading: Desk, fault: Fault) -> list[Recovery]:
    """Inflict it, and wait until all is well again: who was away, and for how long."""
    begun_s = time.monotonic()
    since_s, pid = trading.inflict(fault)
    samples, deadline = trading.watch.samples, time.monotonic() + _BACK_WITHIN_S
    while time.monotonic() < deadline and not _well(trading, fault, since_s, pid):
        time.sleep(0.1)
    now_s, recoveries = time.monotonic(), list[Recovery]()
    for name, every in samples.items():
        hit = name == fault.target
        if hit or was_away(every, begun_s, now_s):
            seconds = back_after(every, since_s, pid if hit else 0)
            recoveries.append(Recovery(str(fault), name, seconds))
    return recoveries


def _well(trading: Desk, fault: Fault, since_s: float, pid: int) -> bool:
    """All are ready, the one that was hit as another process, and were so a moment later too."""
    every = trading.watch.samples
    hit = every.get(fault.target, [])
    back = not hit or back_after(hit, since_s, pid) is not None
    return back and time.monotonic() > since_s + 1.5 and trading.watch.all_ready()


def _seconds(recovery: Recovery) -> str:
    return "did not come back" if recovery.seconds is None else f"{recovery.seconds:.1f} s"


def _table(recoveries: list[Recovery]) -> Table:
    table = Table(
        "process", "times away", "median", "worst", "target", "", title="until ready again"
    )
    for row in rows(recoveries):
        table.add_row(*row)
    return table


def _orders(trading: Desk) -> dict[str, int]:
    stack = running(trading.home)
    if stack is None:
        return {}
    own = ClickhouseSettings(
        url=stack.urls["warehouse"], credentials=str(directory_of(trading.home))
    )
    connection = client.connect(sign_in(own, OWNER))
    try:
        return {str(kind): int(n) for kind, n in connection.query(_COUNTS).result_rows}
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
