"""Waiting for a condition, never for a time."""

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

_POLL_S = 0.01

T = TypeVar("T")


def until(
    holds: Callable[[], T | None],
    within_s: float = 60.0,
    *,
    running: "subprocess.Popen[str] | subprocess.Popen[bytes] | None" = None,
    meanwhile: Callable[[], object] = lambda: None,
    every_s: float = _POLL_S,
) -> T:
    """Poll until it holds; what it said then.

    Args:
        holds: anything true ends the waiting.
        within_s: seconds; far more than a quiet machine needs.
        running: the process on which it depends.
        meanwhile: done before each further look.
        every_s: seconds between two looks; more where a look is dear.

    Raises:
        AssertionError: it did not hold within so many seconds, or the process ended before.
    """
    deadline = time.monotonic() + within_s
    while not (answer := holds()):
        assert running is None or running.poll() is None, "the process ended before"
        assert time.monotonic() < deadline, f"it did not hold within {within_s:g} s"
        meanwhile()
        time.sleep(every_s)
    return answer
