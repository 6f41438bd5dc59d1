"""What a stack costs that nobody looks at: processor time and memory of each of its processes.

    python -m benchmarks.bench_idle [--seconds N] [--settle N] [--home DIR] [--without-dagster]

`tickhouse up` in a new home, three symbols of the simulated market with predictions and trading,
no viewer; or, with `--home`, the stack that runs there. Seconds of processor time are the
kernel's, so a busy machine stretches the span and not the figure. Memory is the proportional set
(PSS), so what processes share counts once; with what other stacks on the machine share of the
same files, less: measure with none beside it. Children count with the process that began them.
Goal: a fifth of a core, 1.5 GB.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from cli.stack.running import RunningStack, running

GOAL_CORES, GOAL_MIB = 0.20, 1536
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Of one process, its children, and those that ended and were waited for."""

    cpu_s: float
    pss_mib: float
    threads: int


def main() -> None:
    """Start or find a stack, wait, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="span that is measured")
    parser.add_argument("--settle", type=float, default=120.0, help="before it, after start-up")
    parser.add_argument("--home", type=Path, help="a home whose stack runs")
    parser.add_argument("--without-dagster", action="store_true")
    options = parser.parse_args()
    console = Console(highlight=False)
    console.print(describe())
    if options.home:
        measure(options.home.resolve(), options.seconds, console)
        return
    with started(dagster=not options.without_dagster) as (home, ready_s):
        console.print(f"all ready after {ready_s:.1f} s")
        time.sleep(options.settle)
        measure(home, options.seconds, console)


@contextmanager
def started(*, dagster: bool) -> Iterator[tuple[Path, float]]:
    """A stack in a new home once all of it is ready, and how long that took."""
    with tempfile.TemporaryDirectory(prefix="tickhouse-idle-") as folder:
        home, begin = Path(folder) / "home", time.monotonic()
        environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")},
            "TICKHOUSE_HOME": str(home),
            "TICKHOUSE_ORCHESTRATION__ENABLED": str(dagster).lower(),
        }
        line = [sys.executable, "-m", "cli.main", "up"]
        up = subprocess.Popen(line, env=environ, stdout=subprocess.DEVNULL)
        try:
            while not all_ready(home):
                if up.poll() is not None:
                    raise SystemExit("the stack ended before it was ready")
                time.sleep(0.1)
            yield home, time.monotonic() - begin
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait()


def all_ready(home: Path) -> bool:
    """Whether every process of the home's stack is."""
    stack = running(home)
    return stack is not None and all(state.ready for state in stack.observe().values())


def measure(home: Path, seconds: float, console: Console) -> None:
    """Each process's share of a core over a span, and its memory at the end."""
    stack = running(home)
    if stack is None:
        raise SystemExit(f"nothing runs in {home}")
    pids = pids_of(stack)
    begin, before = time.monotonic(), costs(pids)
    time.sleep(seconds)
    span, after = time.monotonic() - begin, costs(pids)
    table = Table("process", "share of a core", "PSS MiB", "threads")
    shares = {name: (after[name].cpu_s - before[name].cpu_s) / span for name in after}
    for name in sorted(shares, key=lambda name: -shares[name]):
        cost = after[name]
        table.add_row(name, f"{shares[name]:.3f}", f"{cost.pss_mib:.0f}", str(cost.threads))
    total, memory = sum(shares.values()), sum(cost.pss_mib for cost in after.values())
    table.add_row("all", f"{total:.3f}", f"{memory:.0f}", "", style="bold")
    console.print(table)
    console.print(f"over {span:.0f} s; goal {GOAL_CORES} of a core and {GOAL_MIB} MiB")


def pids_of(stack: RunningStack) -> dict[str, int]:
    """Every process, its owner and supervisord."""
    pids = {name: state.pid for name, state in stack.observe().items() if state.pid}
    supervisord = parent_of(next(iter(pids.values())))
    return {"tickhouse up": stack.pid, "supervisord": supervisord, **pids}


def parent_of(pid: int) -> int:
    """Its parent's pid."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def costs(pids: dict[str, int]) -> dict[str, Cost]:
    """What each, with its living children that have no name of their own, has taken so far."""
    children = children_of_all()
    named = set(pids.values())
    return {name: sum_of([pid, *descendants(pid, children, named)]) for name, pid in pids.items()}


def children_of_all() -> dict[int, list[int]]:
    """Of every process of the machine, by its parent's pid."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            children.setdefault(parent_of(int(path.name)), []).append(int(path.name))
    return children


def descendants(pid: int, children: dict[int, list[int]], named: set[int]) -> Iterator[int]:
    """Children and theirs, but those that are counted under a name."""
    for child in children.get(pid, ()):
        if child not in named:
            yield child
            yield from descendants(child, children, named)


def sum_of(pids: list[int]) -> Cost:
    """The first is there; of others those count that still are."""
    each = [cost_of(pids[0])]
    for pid in pids[1:]:
        with suppress(OSError):
            each.append(cost_of(pid))
    return Cost(
        sum(one.cpu_s for one in each),
        sum(one.pss_mib for one in each),
        sum(one.threads for one in each),
    )


def cost_of(pid: int) -> Cost:
    """From /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu_s = sum(int(ticks) for ticks in fields[11:15]) * _TICK_S  # children that ended, too
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    pss_kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return Cost(cpu_s, pss_kib / 1024, int(fields[17]))


if __name__ == "__main__":
    main()
