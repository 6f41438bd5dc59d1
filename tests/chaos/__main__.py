"""`make chaos FAULTS=200 SEED=n`: random faults on the real processes, and what they left.

`--kills N --period S` kills one of execution, bus and terminal every S seconds instead, and says
how many seconds of an hour with 20 kills nothing could be traded.
"""

import argparse
import logging
import shutil
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.chaos.faults import faults, kills
from tests.chaos.run import Plan, Result, run, scratch

_HOURLY = 20


def main() -> int:
    """0 when every promise held, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    parser.add_argument("--kills", type=int, default=0, help="the paced form: so many kills")
    parser.add_argument("--period", type=float, default=180.0, help="seconds between kills")
    parser.add_argument("--netting", action="store_true", help="two strategies share an account")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # of lost connections there are many here
    console, home = Console(highlight=False), scratch()
    console.print(f"seed {options.seed}, home {home}")
    drawn = faults(options.seed, options.faults)
    plan = Plan(options.seed, drawn, netting=options.netting)
    if options.kills:
        paced = kills(options.seed, options.kills, options.period)
        plan = Plan(options.seed, paced, 0.15, paced=True, netting=options.netting)
    result = run(plan, home, console.print)
    console.print(_counts(result), _promises(result), sep="\n")
    if options.kills:
        _tell_away(console, result, options.kills, options.period)
    if result.held:
        shutil.rmtree(home)
        return 0
    console.print(f"kept: {home}; again: make chaos FAULTS={options.faults} SEED={options.seed}")
    return 1


def _counts(result: Result) -> Table:
    table = Table("what", "count", title=f"{result.seconds:.0f} s")
    for name, count in sorted(result.inflicted.items()):
        table.add_row(name, str(count))
    table.add_section()
    for name, restarts in sorted(result.restarts.items()):
        table.add_row(f"restarts of {name}", str(restarts))
    table.add_row("halts by a person", str(result.halts))
    table.add_section()
    for kind, count in sorted(result.kinds.items()):
        table.add_row(f"orders {kind}", str(count))
    table.add_row("requests the terminal accepted", str(result.accepted))
    table.add_row("unknown orders a person settled", str(result.settled))
    return table


def _promises(result: Result) -> Table:
    table = Table("promise", "")
    for name, problems in result.broken.items():
        table.add_row(name, "\n".join(problems[:5]) or "held")
    return table


def _tell_away(console: Console, result: Result, count: int, period: float) -> None:
    away, scale = result.away, _HOURLY / count
    each = ", ".join(f"{feed} {seconds:.1f} s" for feed, seconds in away.feeds_s.items())
    console.print(
        f"measured: {count} kills in {away.over_s:.0f} s (one every {period:g} s): no feed could be"
        f" traded for {away.whole_s:.1f} s; by feed: {each}."
    )
    worst = max(away.feeds_s.values(), default=0.0)
    console.print(
        f"an hour with {_HOURLY} kills, scaled from that: {away.whole_s * scale:.1f} s without any"
        f" trading, {worst * scale:.1f} s of the worst feed."
    )


if __name__ == "__main__":
    sys.exit(main())
