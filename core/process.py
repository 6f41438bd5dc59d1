"""What every process of the product is besides its work: told to stop, asked how it is, closed.

A signal handler runs between two instructions of whatever the main thread does, perhaps within
`Event.wait`, which then holds the very lock that `Event.set` takes: set there, the event would
now and then hang the process until it is killed. So the handler only wakes a thread, which sets it.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from core import garbage, memory
from core.errors import TickhouseError
from core.health import Health

_SETTLED_S = 300.0  # on a busy machine a start takes minutes


class Stopping(threading.Event):
    """Set once this process shall end, by SIGTERM or Ctrl-C."""

    def __init__(self) -> None:
        """Nobody says so yet."""
        super().__init__()
        self._wanted = threading.Lock()  # free as soon as somebody said so
        self._wanted.acquire()
        self._callbacks: list[Callable[[], object]] = []
        threading.Thread(target=self._await, name="stopping", daemon=True).start()

    def soon(self, *_: object) -> None:
        """Set it from another thread: this may be called, and is, where a signal interrupts."""
        with contextlib.suppress(RuntimeError):  # a second time: it is free already
            self._wanted.release()

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


def stop_on_signals() -> Stopping:
    """From now on SIGTERM and Ctrl-C set what this returns, and do nothing else."""
    stopping = Stopping()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopping.soon)
    return stopping


class Process:
    """One process from its first sign of life to its last, as a context.

    At the end of it `stopping` is set, health says so, what was given to `closing` is done,
    the latest first, and the health port closes.
    """

    def __init__(
        self, name: str, directory: Path, stopping: Stopping | None = None, pid: int | None = None
    ) -> None:
        """Serve health, and write its port to `directory/<name>.json`.

        `stopping`: of a process that took its signals before, or leaves them to a framework.
        `pid`: of the process that was started under this name, when this is a child of it.
        """
        self.stopping = stopping or stop_on_signals()
        self.health = Health(name, directory, pid)
        self._closing = contextlib.ExitStack()
        self._settling: list[Callable[[], object]] = [memory.give_back]
        self._settled = threading.Timer(_SETTLED_S, self._settle)
        self._settled.daemon = True
        self._settled.start()

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Told to stop within this context, or before, the process ends at once, with exit code 0.

        For what comes before the work and changes nothing: what is imported and read takes a busy
        machine a minute, and looks at no event; who is told to stop has 15 seconds.
        """
        prepared = threading.Event()
        self.stopping.then(lambda: None if prepared.is_set() else self._end_unprepared())
        yield
        prepared.set()

    def _end_unprepared(self) -> None:
        self.health.set("stopping")
        logging.getLogger(__name__).info("told to stop before there was anything to do")
        os._exit(0)

    def closing(self, close: Callable[[], object]) -> None:
        """Do this at the end."""
        self._closing.callback(close)

    def settling(self, settle: Callable[[], object]) -> None:
        """Do this once, some minutes after the start: let go of what only that needed."""
        self._settling.append(settle)

    def _settle(self) -> None:
        for settle in tuple(self._settling):
            settle()

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
        signalled = self.stopping.is_set()
        self._settled.cancel()
        self.stopping.set()
        self.health.set("stopping")
        try:
            with contextlib.suppress(TickhouseError) if error else contextlib.nullcontext():
                self._closing.close()
            if error is None and not signalled:  # the supervisor expects the end that it asked for
                self.health.outlive_start()
        finally:
            self.health.close()
            garbage.spare_end()
