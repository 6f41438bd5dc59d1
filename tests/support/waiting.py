"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable

_POLL_S = 0.01


def until(holds: Callable[[], object], within_s: float = 60.0) -> None:
    """Poll until it holds.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not hold within {within_s:g} s"
        time.sleep(_POLL_S)
