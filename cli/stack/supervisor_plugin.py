"""supervisord's part of ours, loaded by its own plug-in mechanism (an RPC interface).

It ties lives together: supervisord stops everything in order when its owner dies, however that
died, and its processes are killed when supervisord dies. Linux does this by itself once each
process has asked for it (PR_SET_PDEATHSIG survives exec), which costs no wrapper process; other
systems lack it, and there a killed owner leaves supervisord to be stopped by hand.
It also counts starts and notes whom it killed, which supervisord's own interface does not tell, and
makes its logs survive a full disk. A server that the full disk left broken is killed when there is
space, and so restarted.
"""

import ctypes
import os
import resource
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from supervisor import events

from cli.stack.dropping_log import DroppingHandler, install

_PR_SET_PDEATHSIG = 1
_FULL = 8 << 20  # bytes free; too little for the bus's next block
_OPEN_FILES = 65_536  # the warehouse's need; as far as the hard limit allows


class Starts:
    """RPC interface `tickhouse`."""

    def __init__(self, supervisord: Any) -> None:
        self._starts: Counter[str] = Counter()
        self._killed: set[str] = set()
        self._groups, self._send = supervisord.process_groups, supervisord.options.kill
        supervisord.options.kill = self._kill
        events.subscribe(events.ProcessStateStartingEvent, self._count)

    def starts(self) -> dict[str, int]:
        """How often each process was started since supervisord runs."""
        return dict(self._starts)

    def killed(self) -> list[str]:
        """Who did not end within its time after it was told to, and was killed."""
        return sorted(self._killed)

    def _kill(self, pid: int, number: int) -> None:
        if number == signal.SIGKILL:
            running = (p for g in self._groups.values() for p in g.processes.values())
            self._killed |= {p.config.name for p in running if p.pid == abs(pid)}
        self._send(pid, number)

    def _count(self, event: Any) -> None:
        self._starts[event.process.config.name] += 1


class Mending:
    """Kills, once a full disk has space again, what does not go on by itself: it is restarted."""

    def __init__(self, supervisord: Any, names: list[str]) -> None:
        self._groups, self._names = supervisord.process_groups, names
        self._directory, self._full = Path(supervisord.options.logfile).parent, False
        events.subscribe(events.Tick5Event, self._mend)

    def _mend(self, _event: Any) -> None:
        free = shutil.disk_usage(self._directory).free
        self._full = self._full or free < _FULL or DroppingHandler.met_full_disk
        if not self._full or free < 4 * _FULL:
            return
        self._full = DroppingHandler.met_full_disk = False
        for name in self._names:
            for process in self._groups[name].processes.values():
                if process.pid:
                    os.kill(process.pid, signal.SIGKILL)


def build(supervisord: Any, owner: str, mends: str = "", **_options: str) -> Starts:
    """Called once by supervisord, before it starts anything.

    `owner`: the process to die with. `mends`: names of those that a full disk leaves broken.
    """
    _die_with(int(owner), signal.SIGTERM)
    install(supervisord.options.logger)
    Mending(supervisord, mends.split())
    me = os.getpid()
    os.register_at_fork(after_in_child=lambda: _die_with(me, signal.SIGKILL))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    return Starts(supervisord)


def _die_with(parent: int, number: signal.Signals) -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
