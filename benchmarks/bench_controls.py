"""What signed controls cost execution: a poll that sees nothing, a reload, a start.

    python -m benchmarks.bench_controls --entries 1000

A chain of so many versions of limits, signed by one person in the home of one. The poll runs beside
the order path every 10 ms; the reload reads, checks and judges what was signed since.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from benchmarks.machine import Stopwatch, Took, median_of
from core.controls.entry import Entry, line, sha256, signed_bytes
from core.controls.signing import genuine_lines
from core.controls.watch import WatchedControls
from core.sections import ExecutionSettings
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.signed_limits import SignedLimits
from tests.support.signed_home import SignedHome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1000)
    namespace = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = SignedHome(Path(folder))
        extend(home, namespace.entries)
        fallback = of_settings(ExecutionSettings())
        WatchedControls(home.place, home.judge, home.clock)  # copies contents out of the home, once
        watch = Stopwatch()
        watched = WatchedControls(home.place, home.judge, home.clock)
        limits = SignedLimits("simulated", fallback, home.home, watched)
        print(f"start with {namespace.entries:,} entries: {watch.took()}")
        files = LimitsFile("simulated", fallback, home.home)
        print(f"poll that sees nothing, files: {mean(files.poll, 10_000)}")
        print(f"poll that sees nothing, signed: {mean(limits.poll, 10_000)}")
        reloads = []
        for number in range(20):
            home.limits(f"max_lots = {0.5 - 0.001 * number}")
            reloads.append(mean(limits.poll, 1))
        print(f"reload after one more entry: {median_of(reloads)}")


def extend(home: SignedHome, entries: int) -> None:
    """Many versions in one write: what is measured is reading."""
    now = home.now()
    parts, previous, number = [genuine_lines(now)], now.head, 1
    for count in range(entries - 1):
        content = f'version = "t"\n[limits]\nmax_lots = {0.9 - 0.0001 * count}\n'.encode()
        home.place.content_path(sha256(content)).write_bytes(content)
        entry = Entry(
            number=number + 1, previous=previous, kind="limits", subject="",
            content=sha256(content), base=number if count else 0, raises=False, by="ann",
            reason="bench", ts_us=home.clock.now_us(),
        )  # fmt: skip
        entry = replace(entry, signature=home.keys["ann"].sign(signed_bytes(entry)).hex())
        parts.append(line(entry))
        previous, number = sha256(parts[-1]), number + 1
    home.place.chain.write_bytes(b"".join(parts))


def mean(work: Callable[[], object], times: int) -> Took:
    """Of one call."""
    watch = Stopwatch()
    for _ in range(times):
        work()
    wall_s, cpu_s = watch.took()
    return Took(wall_s / times, cpu_s / times)


if __name__ == "__main__":
    main()
