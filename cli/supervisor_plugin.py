"""supervisord's part of ours, loaded by its own plug-in mechanism (an RPC interface).

It ties lives together: supervisord stops everything in order when its owner dies, however that
died, and its processes are killed when supervisord dies. Linux does this by itself once each
process has asked for it (PR_SET_PDEATHSIG survives exec), which costs no wrapper process; other
systems lack it, and there a killed owner leaves supervisord to be stopped by hand.
It also counts starts, which supervisord's own interface does not tell, and makes its logs survive a
full disk.
"""

import ctypes
import os
import resource
import signal
import sys
from collections import Counter
from typing import Any

from supervisor import events

from cli.dropping_log import install

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 65_536  # the warehouse's need; as far as the hard limit allows


class Starts:
    """RPC interface `tickhouse`."""

    def __init__(self) -> None:
        self._starts: Counter[str] = Counter()
        events.subscribe(events.ProcessStateStartingEvent, self._count)

    def starts(self) -> dict[str, int]:
        """How often each process was started since supervisord runs."""
        return dict(self._starts)

    def _count(self, event: Any) -> None:
        self._starts[event.process.config.name] += 1


def make(supervisord: Any, owner: str, **_options: str) -> Starts:
    """Called once by supervisord, before it starts anything. `owner`: the process to die with."""
    _die_with(int(owner), signal.SIGTERM)
    install(supervisord.options.logger)
    me = os.getpid()
    os.register_at_fork(after_in_child=lambda: _die_with(me, signal.SIGKILL))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    return Starts()


def _die_with(parent: int, number: signal.Signals) -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
