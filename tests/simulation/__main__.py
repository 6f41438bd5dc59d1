"""`make simulate`: many seeds over all cores; `SEED=n` tells one step by step."""

import argparse
import logging
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.run import simulate

CHUNK = 100


def failure(seed: int) -> str:
    """What is wrong in a seed's world, or nothing."""
    try:
        simulate(seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def chunk(first: int, count: int) -> tuple[int, str]:
    """The first failing seed of a range and what is wrong; (-1, "") for none."""
    for seed in range(first, first + count):
        if problem := failure(seed):
            return seed, problem
    return -1, ""


def search(first: int, count: int, jobs: int) -> tuple[int, str]:
    """As `chunk`, over several processes and with progress on a terminal."""
    begun, done = time.monotonic(), 0
    starts = range(first, first + count, CHUNK)
    sizes = [min(CHUNK, first + count - start) for start in starts]
    with ProcessPoolExecutor(jobs) as pool:
        for size, (seed, problem) in zip(sizes, pool.map(chunk, starts, sizes), strict=True):
            if problem:
                pool.shutdown(wait=False, cancel_futures=True)
                return seed, problem
            done += size
            rate = done / (time.monotonic() - begun)
            print(f"\r{done} of {count} seeds, {rate:.0f} a second", end="", flush=True)
    print()
    return -1, ""


def main() -> int:
    """0 when every promise held in every world."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    parser.add_argument("--seed", type=int, help="tell this one step by step")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)  # of lost answers there are many here
    if chosen.seed is not None:
        try:
            world = simulate(chosen.seed, print)
        except AssertionError as error:
            print(f"seed {chosen.seed}: {type(error).__name__}: {error}")
            return 1
        print(f"seed {chosen.seed}: all promises held, {world.points} places to die at")
        return 0
    seed, problem = search(chosen.first, chosen.count, chosen.jobs)
    if problem:
        print(f"\nseed {seed}: {problem}\nstep by step: make simulate SEED={seed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
