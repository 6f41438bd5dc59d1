"""The controls of a home as a running process sees them: read again when the chain has changed.

A poll that finds nothing new costs one `stat`. What was read once in this process is never
unlearnt: a chain that does not go on from it changes nothing and is a problem to tell of.
"""

import functools
import threading
from pathlib import Path

from core.clock import Clock
from core.controls import store
from core.controls.fold import Controls, fold
from core.controls.rules import Judge
from core.controls.signing import genuine_lines
from core.controls.store import Place
from core.errors import InputError


class WatchedControls:
    """Polls the chain of a home.

    Args:
        since_us: the time is at least this, whatever the clock says: what was journalled last.

    Raises:
        InputError: what was signed cannot be read any more, on neither side.
    """

    def __init__(self, place: Place, judge: Judge, clock: Clock, since_us: int = 0) -> None:
        self._place, self._judge, self._clock = place, functools.cache(judge), clock
        self._genuine, self._contents = set[str](), dict[str, bytes]()
        self._newest_us = since_us
        self._signature: tuple[int, int, int] | None = None
        self._due_us, self._lines, self._kept = 0, b"", b""
        self._stored = set[str]()  # contents that lie outside the home too
        self._lock = threading.Lock()
        self.readings = 0  # how often the chain was read: who saw this number knows it all
        self.problem = ""
        self.controls: Controls = fold(b"", self.content, self._judge, 0)
        self.poll(first=True)

    def now_us(self) -> int:
        """The time, which never goes back: not behind what was read, signed or journalled."""
        now = max(self._clock.now_us(), self._newest_us, self.controls.newest_us)
        self._newest_us = now
        return now

    def poll(self, *, first: bool = False) -> None:
        """Read the chain if it was replaced or a delay has ended. Any thread may."""
        signature, now = _signature(self._place.chain), self.now_us()
        if signature == self._signature and not 0 < self._due_us <= now and not first:
            return
        with self._lock:
            self._signature = signature
            try:
                self._read(now)
            except InputError as error:
                if not self.readings:
                    raise
                self.problem = str(error)
            self.readings += 1

    def _read(self, now: int) -> None:
        chain = store.read(self._place)
        lines, problem = chain.lines, chain.problem
        if not lines.startswith(self._lines):
            lines = self._lines
            problem = problem or f"{self._place.chain} was replaced; what was read before holds"
        controls = fold(lines, self.content, self._judge, now, self._genuine)
        if store.knows_more(self._place, genuine_lines(controls)):
            # Going by what is left would let hold what was replaced: perhaps more than holds.
            what = controls.problem or "it does not say how this home began"
            remedies = f"{store.REMEDY}; {store.REMEDY_OUTSIDE}"
            raise InputError(str(self._place.kept), f"{what}. {remedies}")
        if controls.problem:
            problem = problem or f"{self._place.chain}, {controls.problem}. {store.REMEDY}"
        self._lines = genuine_lines(controls)
        self.controls, self.problem = controls, problem
        self._due_us = controls.next_us(now)
        self._keep()

    def content(self, digest: str) -> bytes | None:
        """What was signed; None when it is nowhere to be read as it was."""
        content = self._contents.get(digest) or self._place.content(digest)
        if content is not None:
            self._contents[digest] = content
        return content

    def _keep(self) -> None:
        """Bring the copy outside up to what was read; where it cannot be, this process knows."""
        if not self._lines or self._lines == self._kept:
            return
        try:
            new = {d: c for d, c in self._contents.items() if d not in self._stored}
            store.keep(self._place, self._lines, new)
            self._kept = self._lines
            self._stored |= new.keys()
        except OSError as error:
            self.problem = self.problem or f"{self._place.trust} is behind: {error}"


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()  # a link in its place is seen, wherever it leads
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
