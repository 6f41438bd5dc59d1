"""Who stores ticks of a home takes turns: nobody else does between one's look and one's insert.

A tick that two processes store at once with different contents would be replaced without a version.
A lock on a file costs microseconds; between homes there is none, and there the look alone remains.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapters.clickhouse.writer import Writer
from core.errors import BusyError
from core.file_lock import locked

_PATIENCE_S = 1.0


class TickTurns:
    """Turns of one writer. While another's turn waits for the warehouse, this one waits too."""

    def __init__(self, writer: Writer, home: Path) -> None:
        self._writer, self._path = writer, home / "ticks.turn"
        self._name = os.urandom(8)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Look and store within; whether somebody else had a turn since this writer's last one.

        Raises:
            UnavailableError: the writer was told to stop while it waited.
        """
        with ExitStack() as stack:
            while not self._entered(stack):
                self._writer.raise_if_stopped()
            others = self._path.read_bytes() != self._name
            if others:
                self._path.write_bytes(self._name)
            yield others

    def _entered(self, stack: ExitStack) -> bool:
        try:
            stack.enter_context(locked(self._path, _PATIENCE_S))
        except BusyError:
            return False
        return True
