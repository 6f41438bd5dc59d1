"""`make attack`: a million statements by grammar and five thousand connections, on loopback only.

Exits 1 if anything happened that must not; the same seed tries the same statements.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.machine import describe
from tests.attack.crowd import Crowd
from tests.attack.siege import BATCH, MOST_MIB, Finding, Siege
from tests.attack.world import World

_OF_ADMINS = 50  # one in so many
_LINES = 40  # batches, where no bar can be drawn


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--statements", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console, began = Console(), time.monotonic()
    console.print(describe())
    with _progress(console) as advance:
        findings = statements(options.seed, options.statements, advance, console)
    for finding in findings:
        console.print(f"[red]{finding.what}[/]", highlight=False)
    failed = connections(options.connections, console) if options.connections else []
    for text in failed:
        console.print(f"[red]{text}[/]")
    console.print(f"{describe()}; {time.monotonic() - began:.0f} s")
    console.print("something must not be" if findings or failed else "all held")
    return 1 if findings or failed else 0


def statements(
    seed: int, count: int, advance: Callable[[int], None], console: Console
) -> list[Finding]:
    """Try statements as everybody; what was found. A world that is lost is left."""
    of_admins = count // _OF_ADMINS
    rest = count - of_admins
    findings: list[Finding] = []
    with _world() as world:
        siege = Siege(world, seed)
        findings += _tried(siege.batches(world.strangers, rest // 2), advance, console)
        world.add_people()
        later = siege.batches(world.people, rest - rest // 2, rest // 2)
        findings += _tried(later, advance, console)
        console.print(f"answers by HTTP status: {dict(sorted(siege.answered.items()))}")
    with _world() as world:
        findings += _tried(Siege(world, seed).batches(world.admins, of_admins), advance, console)
    return findings


def connections(count: int, console: Console) -> list[str]:
    """Half of them while anybody may read, half when all need a sign-in; what failed."""
    failed = []
    with _world() as world:
        for people in (False, True):
            if people:
                world.add_people()
            crowd = Crowd(world)
            crowd.run(count // 2)
            console.print(
                f"{crowd.opened:,} connections, {crowd.answered:,} answers to right clients, the "
                f"slowest {crowd.slowest_s:.1f} s; {world.resident_mib():.0f} MiB held then"
            )
            failed += crowd.failed
            if world.resident_mib() > MOST_MIB:
                failed.append(f"more than {MOST_MIB} MiB are held")
        if not world.lives:
            failed.append("the server died")
    return failed


def _tried(
    batches: Iterator[list[Finding]], advance: Callable[[int], None], console: Console
) -> list[Finding]:
    all_findings: list[Finding] = []
    for number, findings in enumerate(batches, 1):
        advance(BATCH)
        if not console.is_terminal and number % _LINES == 0:
            console.print(f"{number * BATCH:,} tried")
        for finding in findings:
            console.print(str(finding), markup=False, highlight=False)
        all_findings += findings
    return all_findings


@contextlib.contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory))
        world.start()
        try:
            yield world
        finally:
            world.stop()


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("statements"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("statements", total=None)
        yield lambda count: progress.advance(task, count)


if __name__ == "__main__":
    sys.exit(main())
