"""Which processes of this home answer, asked one by one: bus and warehouse may be down.

Heartbeats come over the bus and are looked up in the warehouse, so they tell nothing of these two,
and bus, warehouse, terminal and Dagster send none. Whatever `up` started stands in
`<home>/run/stack.json`: that is the list of what should run, and nothing on it is forgotten. On a
home that nobody supervises there is no list, and heartbeats are all there is.

A heart that is silent while its process answers counts as well (execution's beats with its trading
loop), but not for the time in which nobody brought heartbeats: one bus that hangs is one alert.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from core import checked_json
from core.clock import Clock
from core.file_lock import is_held
from core.process_view import ProcessView, answers
from surveillance.firing import Measure

DOWN = "process_down"  # the rule
CARRIERS = ("bus", "streams.executions", "warehouse")  # the way of heartbeats


def _carries(name: str) -> bool:
    """Of a flow on several shards each does."""
    return any(name == one or name.startswith(f"{one}.") for one in CARRIERS)


class _Stack(msgspec.Struct, frozen=True):
    """What is read of `stack.json`."""

    started_us: int
    processes: tuple[ProcessView, ...]


class Liveness:
    """The processes of one home. What never answered is missed from the stack's start on.

    Args:
        beats: what was known of heartbeats before.
    """

    def __init__(self, home: Path, clock: Clock, beats: Iterable[Measure] = ()) -> None:
        self._home, self._clock = home, clock
        self._beats = list(beats)
        self._answered_us: dict[str, int] = {}
        self._uncarried_us = 0  # when somebody on the way of heartbeats last did not answer
        self._silent: dict[str, float] = {}

    def ask(self) -> None:
        """Ask every process of the stack; it takes a second for each that hangs."""
        stack = _running(self._home)
        views = stack.processes if stack else ()
        self._silent = {view.name: self._ask(view, stack) for view in views if stack}
        if any(silent for name, silent in self._silent.items() if _carries(name)):
            self._uncarried_us = self._clock.now_us()

    def measures(self, beats: list[Measure] | None) -> list[Measure]:
        """Seconds of silence of each process: of its health port or of its heart, the longer.

        Args:
            beats: what the statement answers; None while it does not: then what it said last.
        """
        self._beats = self._beats if beats is None else beats
        silent = dict(self._silent)
        for _, process, seconds in self._beats:
            silent[process] = max(silent.get(process, 0.0), self._brought(process, seconds))
        return [Measure(DOWN, process, seconds) for process, seconds in silent.items()]

    def _ask(self, view: ProcessView, stack: _Stack) -> float:
        answered, now_us = answers(view), self._clock.now_us()
        if answered:
            self._answered_us[view.name] = now_us
        first_us = stack.started_us + round(view.patience_s * 1e6)
        return max(now_us - self._answered_us.get(view.name, first_us), 0) / 1e6

    def _brought(self, process: str, seconds: float) -> float:
        """Of a heart's silence what counts: of who answers, only what could have been brought."""
        if self._silent.get(process) != 0.0:
            return seconds
        return min(seconds, (self._clock.now_us() - self._uncarried_us) / 1e6)


def _running(home: Path) -> _Stack | None:
    """The stack that holds the home; None when nobody supervises, or one is just starting."""
    if not is_held(home / "run" / "lock"):
        return None
    try:
        return checked_json.decode((home / "run" / "stack.json").read_bytes(), _Stack)
    except (OSError, msgspec.DecodeError):
        return None
