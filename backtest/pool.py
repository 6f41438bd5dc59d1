"""Jobs over processes. The order of the results is that of the jobs, whoever finished first."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from typing import Any

from backtest.job import Job, Outcome
from backtest.run import run

#: Called with ticks done so far in all jobs, and jobs finished.
Progress = Callable[[int, int], None]

_EVERY_S = 0.1


def silent(_ticks: int, _jobs: int) -> None:
    """Progress for nobody."""


def run_all(jobs: Sequence[Job], workers: int, progress: Progress = silent) -> list[Outcome]:
    """Run every job; in this process when there is one job or one worker.

    Raises:
        TickhouseError: what a job raised; the others are not waited for.
    """
    if workers <= 1 or len(jobs) == 1:
        return _one_by_one(jobs, progress)
    context = multiprocessing.get_context("spawn")  # a fork would copy ONNX Runtime's threads
    ticks = context.RawArray("q", len(jobs))  # each job writes a place of its own: no lock
    with ProcessPoolExecutor(workers, context, _adopt, (ticks,)) as pool:
        futures = [pool.submit(_job, number, job) for number, job in enumerate(jobs)]
        try:
            return _watched(futures, ticks, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_by_one(jobs: Sequence[Job], progress: Progress) -> list[Outcome]:
    before, outcomes = 0, list[Outcome]()

    def tell(ticks: int) -> None:
        progress(before + ticks, len(outcomes))

    for job in jobs:
        outcomes.append(run(job, tell))
        before += outcomes[-1].counts["ticks"]
    progress(before, len(jobs))
    return outcomes


def _watched(futures: list[Future[Outcome]], ticks: Any, progress: Progress) -> list[Outcome]:
    waiting = set(futures)
    while waiting:
        finished, waiting = wait(waiting, _EVERY_S)
        for future in finished:
            future.result()  # an error ends the others now
        progress(sum(ticks), len(futures) - len(waiting))
    return [future.result() for future in futures]


_ticks: Any = None


def _adopt(ticks: Any) -> None:
    """In a worker: where it says how far it is."""
    global _ticks
    _ticks = ticks


def _job(number: int, job: Job) -> Outcome:
    last = [0.0]

    def report(ticks: int) -> None:
        if time.monotonic() - last[0] > _EVERY_S:
            last[0] = time.monotonic()
            _ticks[number] = ticks

    outcome = run(job, report)
    _ticks[number] = outcome.counts["ticks"]
    return outcome
