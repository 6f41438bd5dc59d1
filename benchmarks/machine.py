"""What a measurement must be read with: the machine, its load, and its stalls."""

import os
import platform
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt


def describe() -> str:
    """Processor, cores, Python, and the load averages at this moment."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load {load}"
    )


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


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
