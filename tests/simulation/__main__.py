"""`make simulate`: many seeds over all cores; `SEED=n` tells one step by step."""

import argparse
import logging
import os
import sys

from tests.simulation.bugs import BUGS
from tests.simulation.run import simulate
from tests.simulation.search import hunt, search


def replay(seed: int) -> int:
    """Tell one seed step by step; 1 when it breaks a promise."""
    logging.disable(logging.WARNING)
    try:
        world = simulate(seed, print)
    except AssertionError as error:
        print(f"seed {seed}: {type(error).__name__}: {error}")
        return 1
    print(f"seed {seed}: all promises held; the process could have died at {world.points} places")
    return 0


def many(first: int, count: int, jobs: int) -> int:
    """Search; 1 when a seed breaks a promise."""
    failure = search(first, count, jobs, lambda text: print(f"\r{text}", end="", flush=True))
    print()
    if failure is None:
        return 0
    print(
        f"seed {failure.seed}: {failure.problem}\nstep by step: make simulate SEED={failure.seed}"
    )
    return 1


def bugs() -> int:
    """Hunt every planted bug; 1 when one is not found within its stated number of seeds."""
    missed = 0
    for number, bug in enumerate(BUGS):
        failure = hunt(number)
        missed += failure is None
        where = f"seed {failure.seed:3} of {bug.within:3}" if failure else f"MISSED in {bug.within}"
        print(f"{where}: {bug.text}", flush=True)
    return 1 if missed else 0


def main() -> int:
    """0 when every promise held in every world."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    parser.add_argument("--seed", type=int, help="tell this one step by step")
    parser.add_argument("--bugs", action="store_true", help="hunt the planted bugs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if chosen.bugs:
        return bugs()
    if chosen.seed is not None:
        return replay(chosen.seed)
    return many(chosen.first, chosen.count, chosen.jobs)


if __name__ == "__main__":
    sys.exit(main())
