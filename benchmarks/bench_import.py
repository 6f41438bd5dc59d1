"""What an import of vendors' files costs, from the command to its end.

`python -m benchmarks.bench_import [--folder DIR] [--repeats N] [--profile FILE]`

About 1.2 million ticks in about 240 files of three vendors' formats (LEAN's zips of a day,
HistData's text of a day, Dukascopy's bi5 of an hour), imported by `tickhouse import` into fresh
homes, whose tables it makes, and into homes that are there. Beside it the floor: the same ticks in
normalised parquet. CPU seconds are those of the command with the warehouse it starts.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import Figure, note
from benchmarks.machine import Stopwatch, Took, describe, median_of
from benchmarks.market import read_ticks, recorded_files, write_generated
from core.contracts.tick import TickArray
from tests.e2e.replay_runs import cut, environment
from tests.support import vendor_files

TICKS = 750_000  # of each of the two feeds
_HOUR, _DAY = 3_600_000, 86_400_000
_PARQUET, _THERE = "parquet, a fresh home with it", "vendors' files, into a home that is there"
_KINDS = ("vendors' files, a fresh home with it", _THERE, _PARQUET)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the files are, or are written")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", type=Path, help="write cProfile's figures of the last import")
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "files"
        if not folder.exists():
            _write(folder, Path(scratch))
        many, one = folder / "many", folder / "one"
        files = [path for path in many.rglob("*") if path.is_file()]
        count = sum(pq.read_metadata(path).num_rows for path in one.glob("*.parquet"))
        print(f"{len(files)} files, {count:,} ticks")
        took: dict[str, list[Took]] = {name: [] for name in _KINDS}
        for number in range(options.repeats):
            for place, name in enumerate(_KINDS):
                home = Path(scratch) / f"home-{place}-{number}"
                home.mkdir()
                if name == _THERE:
                    _import(home, _few(Path(scratch)), None)
                path = one if name == _PARQUET else many
                took[name].append(_import(home, path, None if path == one else options.profile))
        for name, measured in took.items():
            middle = median_of(measured)
            rate = count / middle.cpu_s
            print(f"{name:40} {middle}: {rate:,.0f} ticks per CPU second")
            note(Figure(
                f"tickhouse import, {name}", rate, "ticks per CPU second",
                "python -m benchmarks.bench_import", 400_000, least=True,
            ))  # fmt: skip


def _import(home: Path, path: Path, profile: Path | None) -> Took:
    how = ["-m", "cProfile", "-o", str(profile)] if profile else []
    watch = Stopwatch()
    done = subprocess.run(
        [sys.executable, *how, "-m", "cli.main", "import", str(path)], env=environment(home),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return watch.took()


def _few(scratch: Path) -> Path:
    """A file of ten ticks of another feed: to make a home's tables."""
    source = (recorded_files() or write_generated(scratch))[-1]
    return cut(source, scratch / "few", 0, 10)


def _write(folder: Path, scratch: Path) -> None:
    eur, nzd = ((recorded_files() or write_generated(scratch)) * 2)[:2]
    euro, kiwi = read_ticks(eur, TICKS), read_ticks(nzd, TICKS)
    for start in _starts(euro, _DAY):
        vendor_files.lean(folder / "many", "oanda", "EURUSD", euro, _time(start).date())
    for start in _starts(euro, _HOUR):
        vendor_files.bi5(folder / "many" / "bi5", "EURUSD", euro, _time(start), 5)
    for start in _starts(kiwi, _DAY):
        day = vendor_files.of_day(kiwi, _time(start).date())
        vendor_files.histdata(folder / "many" / f"hist{start}", "NZDUSD", day)
    (folder / "one").mkdir()
    for name, ticks in (
        ("EURUSD_oanda", euro),
        ("EURUSD_dukascopy", euro),
        ("NZDUSD_histdata", kiwi),
    ):
        columns = {n: ticks[n] for n in ("time_msc", "bid", "ask")}
        zero = np.zeros(len(ticks))
        pq.write_table(
            pa.table(
                {"symbol": [name[:6]] * len(ticks), **columns, "last": zero, "volume": zero,
                 "flags": np.full(len(ticks), 6, np.uint32)}
            ),
            folder / "one" / f"{name}.parquet",
        )  # fmt: skip


def _starts(ticks: TickArray, length: int) -> list[int]:
    starts: list[int] = (np.unique(ticks["time_msc"] // length) * length).tolist()
    return starts


def _time(msc: int) -> datetime:
    return datetime.fromtimestamp(msc / 1000, UTC)


if __name__ == "__main__":
    main()
