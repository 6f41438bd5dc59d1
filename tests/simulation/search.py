"""Many seeds over all cores: the first that breaks a promise."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from tests.simulation.bugs import BUGS, planted
from tests.simulation.run import simulate

CHUNK = 50


class Failure(NamedTuple):
    """A failing seed."""

    seed: int
    problem: str


def failure(seed: int) -> str:
    """What is wrong in a seed's world, or nothing."""
    try:
        simulate(seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def chunk(first: int, count: int) -> Failure | None:
    """The first failing seed of a range."""
    logging.disable(logging.ERROR)  # of lost answers and cut chains there are many here
    for seed in range(first, first + count):
        if problem := failure(seed):
            return Failure(seed, problem)
    return None


def search(
    first: int, count: int, jobs: int, tell: Callable[[str], None] = lambda _: None
) -> Failure | None:
    """As `chunk`, over several processes; `tell` gets the progress."""
    begun, done = time.monotonic(), 0
    starts = range(first, first + count, CHUNK)
    sizes = [min(CHUNK, first + count - start) for start in starts]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for size, failure in zip(sizes, pool.map(chunk, starts, sizes), strict=True):
            if failure:
                pool.shutdown(wait=False, cancel_futures=True)
                return failure
            done += size
            rate = done / (time.monotonic() - begun)
            tell(f"{done} of {count} seeds, {rate:.0f} a second")
    return None


def hunt(number: int) -> Failure | None:
    """The first seed that finds a planted bug, within its stated number; None when none does."""
    bug = BUGS[number]
    with planted(bug):
        return chunk(0, bug.within)
