"""What a shard of the signals flow needs for feeds that it does not own, beside those it owns.

    python -m benchmarks.bench_shards [--ticks N] [--repeats N]

CPU seconds of the flow's step, message by message, a tick each: decode, sample, decide, make rows,
against decode and note the mid. Their ratio is the floor of what more shards can bring: with n of
them one needs at least `1 / n + ratio` of what one alone does. The source, the bus and the
warehouse are in neither. Runs alternate; the median of the ratios counts.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.bench_desk import cost_of, live_step, messages
from benchmarks.machine import describe
from benchmarks.market import recorded_files, write_generated
from core.desk import one_alone
from streams.shards import ALONE, Shards, owner


def main() -> None:
    """Print microseconds a message, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=20_000, help="of each of two recordings")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    console = Console(highlight=False)
    console.print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        files = (recorded_files() or write_generated(Path(scratch)))[:2]
        sent = messages(files, options.ticks)
        names = [file.stem.split("_") for file in files]
        owners = {owner(f"{source}.{symbol}", 8) for symbol, source in names}
        stranger = next(number for number in range(8) if number not in owners)
        runs = []
        for _ in range(options.repeats + 1):  # the first compiles
            own = cost_of(live_step(one_alone("ema_cross"), scratch), sent, ALONE, 0)
            passing = cost_of(live_step(one_alone("ema_cross"), scratch), sent, Shards(8), stranger)
            runs.append((own, passing))
    kept = [(own / len(sent) * 1e6, passing / len(sent) * 1e6) for own, passing in runs[1:]]
    own_us, passing_us = (statistics.median(column) for column in zip(*kept, strict=True))
    ratio = statistics.median(passing / own for own, passing in kept)
    console.print(
        f"own {own_us:.1f} us a message, passing {passing_us:.1f} us: {ratio:.2f} of it"
        f" (median of {len(kept)})"
    )


if __name__ == "__main__":
    main()
