"""Has a snapshot made whenever a segment was sealed, beside the process that trades.

The snapshot counts once the witness has seen it: its digest stands in another place than the
journal, and whoever edits the one does not reach the other.
"""

import logging
import subprocess
import sys
import threading

from execution.journal import snapshots
from execution.journal.journal import Journal
from execution.journal.snapshot import Snapshot
from execution.journal.witness import Witness

_EVERY_S = 1.0
_log = logging.getLogger(__name__)


class Keeper:
    """From `start` to `close`. `since`: the snapshot that this process began with."""

    def __init__(
        self, journal: Journal, witness: Witness, since: Snapshot | None, every_s: float = _EVERY_S
    ) -> None:
        self._journal, self._witness, self._every_s = journal, witness, every_s
        self._segment = since.end.segment if since else 0
        self._digest = since.digest if since else ""
        self._closing = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name="snapshots", daemon=True)

    def start(self) -> None:
        """Begin with what was sealed before."""
        self._witness.snapshot = self._digest
        self._thread.start()

    def close(self) -> None:
        """End; what is not made yet, the next start has made."""
        self._closing.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
        self._thread.join()

    def _keep(self) -> None:
        while not self._closing.wait(self._every_s):
            sealed = self._journal.sealed.segment
            if sealed > self._segment:
                self._make(sealed)

    def _make(self, sealed: int) -> None:
        line = [sys.executable, "-m", "execution.journal.snapshots", str(self._journal.path)]
        with subprocess.Popen(
            [*line, self._digest], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as self._child:
            digest, problem = self._child.communicate()
        self._segment = sealed  # at the next one it is tried again
        if self._child.returncode:
            if not self._closing.is_set():
                _log.warning("no snapshot of segment %d: %s", sealed, problem.strip()[-500:])
            return
        self._digest = self._witness.snapshot = digest.strip()
        if self._witness.tell():
            snapshots.forget(self._journal.path, sealed)
