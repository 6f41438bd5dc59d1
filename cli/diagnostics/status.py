"""The state of a home: what runs, from the lock, the supervisor and each process's own answer."""

from collections.abc import Mapping

import msgspec

from cli.diagnostics.feeds import FeedStatus, feeds
from cli.stack import simulated_market
from cli.stack.process_state import ProcessState
from cli.stack.running import RunningStack, running
from core import instruments
from core.clock import SystemClock
from core.errors import TickhouseError
from core.settings import Settings
from core.trading_control import ControlCommand, current

HEALTHY, DEGRADED, NOT_RUNNING = 0, 1, 3


class StackStatus(msgspec.Struct, frozen=True):
    """What `tickhouse status` shows."""

    home: str
    stack: RunningStack | None
    processes: Mapping[str, ProcessState]
    feeds: list[FeedStatus]
    trading: ControlCommand | None
    problems: list[str]

    @property
    def exit_code(self) -> int:
        """HEALTHY, DEGRADED or NOT_RUNNING."""
        if self.stack is None:
            return NOT_RUNNING
        return DEGRADED if self.problems else HEALTHY


def stack_status(settings: Settings) -> StackStatus:
    """The state of a home now."""
    home = settings.home_path
    stack = running(home)
    trading = current(home)
    if stack is None:
        return StackStatus(str(home), None, {}, [], trading, [])
    try:
        processes = stack.observe()
    except TickhouseError as error:
        return StackStatus(str(home), stack, {}, [], trading, [str(error)])
    problems = [_problem(s) for s in processes.values() if not (s.ready or s.ended)]
    # A replay's ticks are as old as its files: only live feeds can be late.
    feed_states, feed_problems = _feeds(settings, stack) if stack.command == "up" else ([], [])
    return StackStatus(str(home), stack, processes, feed_states, trading, problems + feed_problems)


def _feeds(settings: Settings, stack: RunningStack) -> tuple[list[FeedStatus], list[str]]:
    try:
        hours = simulated_market.shown(settings).terminal
        instruments.use_home(settings.home_path, never_closes=hours.never_closes)
        states = feeds(settings, stack.urls["warehouse"], stack.started_us, SystemClock())
    except TickhouseError as error:
        return [], [f"age of ticks unknown: {error}"]
    stale = [f"{f.source} {f.symbol}: no tick for a minute, market open" for f in states if f.stale]
    return states, stale


def _problem(state: ProcessState) -> str:
    what = f"{state.name} is {state.health or state.state}"
    return f"{what}: {state.detail}" if state.detail else f"{what}; see {state.log}"
