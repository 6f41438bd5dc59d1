"""All benches, or some, and one table of their figures: `make bench`.

    python -m benchmarks [NAME ...] [--loaded] [--keep]

A name is that of a bench without `bench_`. A machine that others use is refused unless told
`--loaded`; then the table says the load. `--keep` puts the figures into benchmarks/figures.json,
from which `python -m docs.generate` makes the page of figures and README's table.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import HEADER, NOTES, Figure, cells, keep, noted
from benchmarks.machine import describe, refuse_load


def main() -> int:
    """Run them; exit code 1 when one failed."""
    every = sorted(path.stem.removeprefix("bench_") for path in _HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *every], default=[], metavar="NAME")
    parser.add_argument("--loaded", action="store_true", help="although others use the machine")
    parser.add_argument("--keep", action="store_true", help="figures into the repository's table")
    options = parser.parse_args()
    if not options.loaded:
        refuse_load("--loaded")
    with tempfile.TemporaryDirectory() as scratch:
        notes = Path(scratch) / "notes"
        failed = [name for name in options.names or every if not _ran(name, notes)]
        figures = noted(notes)
    if options.keep:
        keep(figures)
    # A table in a file is for a wide window: folded into 80 columns nobody reads it.
    Console(width=None if sys.stdout.isatty() else 220).print(table_of(figures), describe())
    for name in failed:
        print(f"bench_{name} failed", file=sys.stderr)
    return 1 if failed else 0


def table_of(figures: list[Figure]) -> Table:
    """One row each, without the machine, which stands below it."""
    shown = [n for n, name in enumerate(HEADER) if name != "machine"]
    table = Table(*(HEADER[n] for n in shown), title="figures")
    for figure in figures:
        row = [cell.replace("python -m benchmarks.", "") for cell in cells(figure)]
        table.add_row(*(row[n] for n in shown))
    return table


def _ran(name: str, notes: Path) -> bool:
    print(f"== bench_{name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.bench_{name}"]
    return subprocess.run(command, env={**os.environ, NOTES: str(notes)}).returncode == 0


_HERE = Path(__file__).parent

if __name__ == "__main__":
    sys.exit(main())
