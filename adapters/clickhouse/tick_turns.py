"""Who stores ticks takes turns: nobody else stores any between one's look and one's insert.

A tick that two processes store at once with different contents would be replaced without a version.
Within a home a lock on a file keeps them apart, for microseconds. Homes that share a warehouse have
no file in common: there a source belongs to one home at a time, which says so in the warehouse
every quarter of a minute, and the other is refused until it was silent for a minute.
"""

import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapters.clickhouse.writer import Writer
from core import durable
from core.errors import BusyError
from core.file_lock import locked

_PATIENCE_S = 1.0
_AGAIN_S = 15.0
_LEASE_S = 60  # more than the longest turn and `_AGAIN_S` together
_CLAIM = """
INSERT INTO tick_claim
SELECT {source:String}, {home:String}, now64(6, 'UTC'), {released:UInt8} = 1
"""
_OTHER = """
SELECT home, dateDiff('second', ts_claimed, now64(6, 'UTC'))
FROM tick_claim FINAL
WHERE
    source = {source:String} AND home != {home:String} AND NOT released
    AND ts_claimed > now64(6, 'UTC') - toIntervalSecond({lease:UInt32})
ORDER BY ts_claimed DESC
LIMIT 1
FORMAT TSV
"""


class TickTurns:
    """Turns of one writer. While another's turn waits for the warehouse, this one waits too."""

    def __init__(self, writer: Writer, home: Path) -> None:
        self._writer, self._path, self._home = writer, home / "ticks.turn", home
        self._name = os.urandom(8)
        self._claimed_s: dict[str, float] = {}

    @contextmanager
    def turn(self, sources: Iterable[str]) -> Iterator[bool]:
        """Look and store ticks of these sources within; whether somebody else of this home had a
        turn since this writer's last one.

        Raises:
            BusyError: another home stores ticks of one of them in this warehouse.
            UnavailableError: the writer was told to stop while it waited.
        """
        with ExitStack() as stack:
            while not self._entered(stack):
                self._writer.raise_if_stopped()
            self.claim(sources)
            others = self._path.read_bytes() != self._name
            if others:
                self._path.write_bytes(self._name)
            yield others

    def claim(self, sources: Iterable[str]) -> None:
        """Say that this home stores their ticks, when that was not said for a while.

        Raises:
            BusyError: another home does.
        """
        for source in sources:
            if time.monotonic() - self._claimed_s.get(source, float("-inf")) > _AGAIN_S:
                self._claim(source)
                self._claimed_s[source] = time.monotonic()

    def _claim(self, source: str) -> None:
        given: dict[str, str | int] = {"source": source, "home": _name_of(self._home)}
        self._refuse_beside(given)
        self._writer.ask(_CLAIM, given | {"released": 0})
        try:
            self._refuse_beside(given)  # of two that claim at once each sees the other, or one does
        except BusyError:
            self._writer.ask(_CLAIM, given | {"released": 1})
            raise

    def _refuse_beside(self, given: dict[str, str | int]) -> None:
        if other := self._writer.ask(_OTHER, given | {"lease": _LEASE_S}).decode():
            home, ago = other.rstrip("\n").split("\t")
            raise BusyError(
                f"ticks of {given['source']} are stored in this warehouse by another home, {home}"
                f" ({ago} s ago). Homes that share a warehouse take no turns: store a source from"
                f" one of them, or from this one {_LEASE_S} s after the other has stopped"
            )

    def _entered(self, stack: ExitStack) -> bool:
        try:
            stack.enter_context(locked(self._path, _PATIENCE_S))
        except BusyError:
            return False
        return True


def _name_of(home: Path) -> str:
    """The same wherever the home is moved or restored to, so that it does not refuse itself."""
    path = home / "ticks.home"
    if not path.exists():
        durable.write(path, f"{os.urandom(6).hex()} {platform.node()}:{home.resolve()}".encode())
    return path.read_text()
