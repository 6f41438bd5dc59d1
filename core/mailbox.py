"""A queue whose wait a signal cannot make endless, as it can that of `queue.SimpleQueue`.

CPython 3.11 computes the time that is left after a signal handler has run, and takes a negative
rest for "for ever": a process that was told to stop within the last moments of a wait
then waited for a message that never came. Locks of `threading` do it right.
"""

import threading
import time
from collections import deque
from queue import Empty
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Unbounded, in order. `put` from any thread, also in a handler; `get` from one at a time."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._news = threading.Lock()  # free when something was put since the last wait
        self._news.acquire()

    def put(self, item: Item) -> None:
        """Add an item; never waits."""
        self._items.append(item)
        try:  # noqa: SIM105 (a context manager costs more than all the rest)
            self._news.release()
        except RuntimeError:  # it is free already
            pass

    def get(self, timeout: float = -1.0) -> Item:
        """The oldest item, waited for `timeout` seconds at most; for ever when it is negative.

        Raises:
            queue.Empty: none came in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                pass
            left = -1.0 if timeout < 0 else max(deadline - time.monotonic(), 0.0)
            if not self._news.acquire(timeout=left) and not self._items:
                raise Empty
