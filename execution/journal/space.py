"""How much space the disk under the journal has, and a stretch of the journal kept for exits.

What is allocated can be written on a full disk. So the journal goes on in a new segment early,
between two orders and while the disk has room for one; when it no longer has and little is left,
signals stay on the bus, where they are not lost, and what is left is for exits and for what the
broker does.
"""

import logging
import shutil

from core.clock import Timer
from execution.broker.every import Every
from execution.journal.journal import SEGMENT, Journal

_log = logging.getLogger(__name__)
_MIB = 1 << 20
KEPT = 4 * _MIB  # some thousand exits
_PROBE_S = 1.0


class Room:
    """Of one journal. For the trading thread alone, as the journal is.

    Args:
        kept: bytes of it that are for exits.
    """

    def __init__(self, journal: Journal, timer: Timer, kept: int = KEPT) -> None:
        self._journal, self._due, self._kept = journal, Every(_PROBE_S, timer), kept
        self._free, self._short = 0.0, False

    def free_mib(self) -> float:
        """Free space for us on the journal's disk, MiB; probed once a second."""
        if self._due.is_due():
            self._free = shutil.disk_usage(self._journal.path.parent).free / _MIB
        return self._free

    def for_signals(self) -> bool:
        """Whether more may be journalled than exits; begins a segment early when it can."""
        if self._journal.room >= self._kept:
            self._short = False
            return True
        if self.free_mib() * _MIB > 2 * SEGMENT:
            return self._journal.rotate() or self._exits_only()
        return self._exits_only()

    def _exits_only(self) -> bool:
        if not self._short:
            self._short = True
            _log.error("the disk is full: signals wait on the bus, the journal's rest is for exits")
        return False
