"""Ends a process that hangs: the supervisor, which notices only who dies, starts it again."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping

from cli.stack.process_state import ProcessState

#: Longer than anything healthy is silent for, also on a machine that is busy with other things.
SILENT_S = 60.0
#: Questions without an answer: after a machine slept, everybody is silent to the first few.
QUESTIONS = 20

_log = logging.getLogger(__name__)


class Hung:
    """Remembers since when processes that were ready do not answer.

    `ready` is of a process, not of a name: who is just starting may take its time, and one that
    never was ready is the supervisor's to give up.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ready: set[tuple[str, int]] = set()
        self._silent: dict[tuple[str, int], tuple[float, int]] = {}

    def end(self, states: Mapping[str, ProcessState]) -> list[str]:
        """Kill who has been silent for too long; their names."""
        names = [state.name for state in states.values() if self._hangs(state)]
        for name in names:
            _log.error("%s has not answered for %.0f s: killed, to start again", name, SILENT_S)
            with contextlib.suppress(ProcessLookupError):
                os.kill(states[name].pid, signal.SIGKILL)
        return names

    def _hangs(self, state: ProcessState) -> bool:
        key = state.name, state.pid
        # A server that we did not write and that does not answer counts as starting.
        if state.health not in ("silent", "starting") or not state.detail:
            self._silent.pop(key, None)
            self._ready |= {key} if state.ready else set()
            return False
        if state.state != "running" or key not in self._ready:
            return False
        since, missed = self._silent.get(key, (self._now(), 0))
        self._silent[key] = since, missed + 1
        return missed + 1 >= QUESTIONS and self._now() - since >= SILENT_S
