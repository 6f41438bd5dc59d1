"""Who stores ticks takes turns: nobody else stores any between one's look and one's insert.

A tick that two processes store at once with different contents would be replaced without a version.
Within a home a lock on a file keeps them apart, for microseconds. Homes that share a warehouse have
no file in common: there a source belongs to one home at a time, which says so in the warehouse
every quarter of a minute, and the other is refused, or waits and says why, until it was silent for
a minute. A home that ends gives its sources back (`release`), and a restored warehouse knows no
claims, for those of a backup are of then.
"""

import contextlib
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapters.clickhouse.writer import Writer
from core import durable
from core.errors import BusyError, TickhouseError
from core.file_lock import locked
from core.sections import ClickhouseSettings

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
_RELEASE = """
INSERT INTO tick_claim
SELECT source, home, now64(6, 'UTC'), true FROM tick_claim FINAL
WHERE home = {home:String} AND NOT released
"""
_LOOK_S = 1.0
_log = logging.getLogger(__name__)


class TickTurns:
    """Turns of one writer. While another's turn waits for the warehouse, this one waits too.

    Args:
        waits: told why this one waits for another home, and "" when that is over; None: it is
            refused at once.
    """

    def __init__(
        self, writer: Writer, home: Path, waits: Callable[[str], None] | None = None
    ) -> None:
        self._writer, self._path, self._home = writer, home / "ticks.turn", home
        self._waits = waits
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
        self.claim(sources)  # nobody of this home waits for another one behind our lock
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
        self._wait_beside(given)
        self._writer.ask(_CLAIM, given | {"released": 0})
        try:
            self._refuse_beside(given)  # of two that claim at once each sees the other, or one does
        except BusyError:
            self._writer.ask(_CLAIM, given | {"released": 1})
            raise

    def _wait_beside(self, given: dict[str, str | int]) -> None:
        """Until no other home stores ticks of a source, where anybody listens to why we wait."""
        why = ""
        while self._waits:
            try:
                self._refuse_beside(given)
                break
            except BusyError as error:
                if not why:
                    _log.warning("waiting: %s", error)
                why = f"waiting: {error}"
                self._waits(why)
            self._writer.raise_if_stopped()
            time.sleep(_LOOK_S)
        if why and self._waits:
            _log.info("ticks of %s are stored by this home now", given["source"])
            self._waits("")
        self._refuse_beside(given)

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


def release(where: ClickhouseSettings, home: Path) -> None:
    """Give back what a home stored ticks of, once none of its processes does any more; a warehouse
    that is away costs who comes next a minute.
    """
    given_up = threading.Event()
    given_up.set()
    with contextlib.suppress(TickhouseError), Writer(where, given_up) as writer:
        writer.ask(_RELEASE, {"home": _name_of(home)})


def _name_of(home: Path) -> str:
    """The same wherever the home is moved or restored to, so that it does not refuse itself."""
    path = home / "ticks.home"
    if not path.exists():
        durable.write(path, f"{os.urandom(6).hex()} {platform.node()}:{home.resolve()}".encode())
    return path.read_text()
