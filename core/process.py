"""What every process of the product is besides its work: told to stop, asked how it is, closed.

A signal handler runs between two instructions of whatever the main thread does, perhaps within
`Event.wait`, which then holds the very lock that `Event.set` takes: set there, the event would
now and then hang the process until it is killed. So the handler only wakes a thread, which sets it.
"""

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from core.errors import TickhouseError
from core.health import Health


class Stopping(threading.Event):
    """Set once this process shall end, by SIGTERM or Ctrl-C."""

    def __init__(self) -> None:
        """Nobody says so yet."""
        super().__init__()
        self._wanted = threading.Lock()  # free as soon as a signal has come
        self._callbacks: list[Callable[[], object]] = []
        self._wanted.acquire()

    def then(self, callback: Callable[[], object]) -> None:
        """Also do this, from another thread; at once if it is set already."""
        self._callbacks.append(callback)
        if self.is_set():
            callback()

    def _await(self) -> None:
        with self._wanted:
            self.set()
        for callback in tuple(self._callbacks):
            callback()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):  # a second signal: it is free already
            self._wanted.release()


def stop_on_signals() -> Stopping:
    """From now on SIGTERM and Ctrl-C set what this returns, and do nothing else."""
    stopping = Stopping()
    threading.Thread(target=stopping._await, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopping._note)
    return stopping


class Process:
    """One process from its first sign of life to its last, as a context.

    At the end of it `stopping` is set, health says so, what was given to `closing` is done,
    the latest first, and the health port closes.
    """

    def __init__(self, name: str, directory: Path, stopping: Stopping | None = None) -> None:
        """Serve health, and write its port to `directory/<name>.json`.

        `stopping`: of a process that took its signals before, or leaves them to a framework.
        """
        self.stopping = stopping or stop_on_signals()
        self.health = Health(name, directory)
        self._closing = contextlib.ExitStack()

    def closing(self, close: Callable[[], object]) -> None:
        """Do this at the end."""
        self._closing.callback(close)

    def __enter__(self) -> Self:
        """It lives."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything; an error that ends the process is told rather than what it causes."""
        self.stopping.set()
        self.health.set("stopping")
        try:
            with contextlib.suppress(TickhouseError) if error else contextlib.nullcontext():
                self._closing.close()
            if error is None:
                self.health.outlive_start()
        finally:
            self.health.close()
