"""What a measurement must be read with: the machine, its load, its stalls, and CPU time.

Others use the machine, too: by the clock a measurement is then as long as they let it be, in CPU
seconds nearly as long as on quiet cores.
"""

import os
import platform
import statistics
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Load average of the last minute up to which a machine is quiet.
QUIET = 1.5


def describe() -> str:
    """Processor, cores, Python, and the load averages at this moment."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load {load}"
    )


def refuse_load(option: str) -> None:
    """End the program when others use the machine; `option` is how to measure all the same."""
    load = os.getloadavg()[0]
    if load > QUIET:
        raise SystemExit(
            f"the machine is loaded ({load:.1f}; at most {QUIET}): wait until it is quiet, or say "
            f"{option}: CPU seconds and ratios still hold within their noise, the clock does not"
        )


class Took(NamedTuple):
    """Seconds: by the clock, and of CPU in all processes asked about."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{_short(self.wall_s)}, CPU {_short(self.cpu_s)}"


class Stopwatch:
    """From its making on. `pids`: processes that work for us; children count once they ended."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._cpu_s, self._wall_s = self._cpu(), time.perf_counter()

    def took(self) -> Took:
        """Up to now."""
        wall_s = time.perf_counter() - self._wall_s
        return Took(wall_s, self._cpu() - self._cpu_s)

    def _cpu(self) -> float:
        ours = os.times()
        own = time.process_time() + ours.children_user + ours.children_system
        return own + sum(map(_cpu_of, self._pids))


def median_of(measured: Iterable[Took]) -> Took:
    """The medians of both."""
    walls, cpus = zip(*measured, strict=True)
    return Took(statistics.median(walls), statistics.median(cpus))


def _cpu_of(pid: int) -> float:
    """CPU seconds of another process so far, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _short(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


class StallMeter:
    """A thread that sleeps 1 ms and notes how late it wakes: what the machine does to everyone."""

    def __init__(self, pause_s: float = 0.001) -> None:
        self._pause_s = pause_s
        self._late: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sleep_until_stopped, daemon=True)

    def __enter__(self) -> "StallMeter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def late_ns(self) -> npt.NDArray[np.int64]:
        """Nanoseconds late, one per sleep."""
        return np.array(self._late, np.int64)

    def _sleep_until_stopped(self) -> None:
        while not self._stop.is_set():
            start = time.perf_counter_ns()
            time.sleep(self._pause_s)
            self._late.append(time.perf_counter_ns() - start - int(self._pause_s * 1e9))


def processor() -> str:
    """As the machine calls it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
