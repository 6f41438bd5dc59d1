"""Starts, watches and stops a set of processes that share a home, with supervisord's help.

supervisord restarts what dies (with back-off), keeps a log per process and outlives a crash of
ours just long enough to stop everything in order. What it lacks is here: the lock on the home,
readiness instead of mere existence, the order of start, and a drain with a bound. See
docs/adr/0003-supervision.md.
"""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from cli.stack.home_lock import HomeLock
from cli.stack.process_spec import ProcessSpec
from cli.stack.process_state import ProcessState, last_lines, observe
from cli.stack.running import RunningStack, forget, remove_leftovers, write_down
from cli.stack.supervisor_config import log_of
from cli.stack.supervisord import Supervisord
from core.errors import TickhouseError, UnavailableError
from core.process_view import ProcessView

_POLL_S = 0.05
_LATE_S = 300.0  # on a busy machine Dagster, which nobody waits for, takes minutes to start
#: Threads of Python take turns, so one heap serves them; with one for each of them what is freed in
#: many stays there, 80 MiB of an idle stack.
_ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
_CODE = Path(__file__).resolve().parents[2]  # where our packages are


class Drained(msgspec.Struct, frozen=True):
    """What a drain did."""

    stopped: tuple[str, ...]  # in order
    killed: tuple[str, ...]  # those of them that did not end by themselves in time
    seconds: float


class Stack:
    """A home's processes, from `with` to its end, when all are drained and none is left.

    Use it from the main thread: on Linux supervisord ends when the thread that started it does.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        processes: Sequence[ProcessSpec],
        command: str = "",
        urls: Mapping[str, str] | None = None,
    ) -> None:
        """`environment` is added to ours, for all; `command`, `urls`: for `tickhouse status`."""
        self.home = home.resolve()
        self.specs = {spec.name: spec for spec in processes}
        self.environment = {
            **_ONE_HEAP,
            **_environment(),
            "TICKHOUSE_HOME": str(self.home),
            **environment,
            # The children run the code that we run, whatever lies in the working directory.
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_CODE), os.getenv("PYTHONPATH")])),
            "PYTHONSAFEPATH": "1",
        }
        self._command, self._urls = command, dict(urls or {})
        self._views = [self._view(spec) for spec in processes]
        self._lock = HomeLock(self.home)
        self.drained: Drained | None = None
        #: Called in a drain when all but the last stage have ended: the place for a last row.
        self.before_last: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        """Take the home and start supervisord; no process yet.

        Raises:
            BusyError: the home is in use.
        """
        self._lock.acquire()
        try:
            self._supervisord = self._start_supervisord()
        except BaseException:
            self._lock.release()
            raise
        self._client = self._supervisord.client
        started_us, socket = time.time_ns() // 1000, str(self._supervisord.socket)
        views = tuple(self._views)
        stack = RunningStack(os.getpid(), self._command, started_us, socket, self._urls, views)
        write_down(self.home, stack)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain what still runs and give the home back."""
        try:
            if self._supervisord.alive():
                # Told to end by somebody else, it answers no more, and stops everything itself.
                with contextlib.suppress(UnavailableError):
                    self.drained = self.drain()
        finally:
            try:
                self._supervisord.close()
            finally:
                forget(self.home)
                self._lock.release()

    def start(self, name: str) -> None:
        """Start one process without waiting."""
        self._client.start(name)

    def start_all(
        self, on_ready: Callable[[str], None] | None = None, timeout_s: float = 120.0
    ) -> None:
        """Start every process that is waited for as soon as all it needs are ready.

        Returns when all are.

        `on_ready` is called with the name of each that became ready, before those that need it
        start: the place for migrations.

        Raises:
            TickhouseError: one did not become ready, as in `wait_ready`.
        """
        names = {name for name, spec in self.specs.items() if spec.waited_for}
        self._start_in_order(names, on_ready, timeout_s)

    def start_late(self, on_ready: Callable[[str], None], timeout_s: float = 900.0) -> None:
        """Start those that `start_all` left, likewise; those needed by them may be down.

        Nobody waits for them, so patience costs nothing: on a busy machine Dagster takes minutes.

        Raises:
            TickhouseError: some did not become ready; all others that do not need them run.
        """
        names = {name for name, spec in self.specs.items() if not spec.waited_for}
        problems: list[str] = []
        self._start_in_order(names, on_ready, timeout_s, problems)
        if problems:
            raise TickhouseError("\n".join(problems))

    def _start_in_order(
        self,
        names: set[str],
        on_ready: Callable[[str], None] | None,
        timeout_s: float,
        problems: list[str] | None = None,
    ) -> None:
        """With `problems`, what does not become ready is told there, and the others go on."""
        started: dict[str, float] = {}
        ready: set[str] = set()
        failed: set[str] = set()
        while True:
            for name in self._startable(names - started.keys(), names - ready):
                self.start(name)
                started[name] = time.monotonic()
            if not (waiting := started.keys() - ready - failed):
                return  # what is not started needs one that failed
            for name, state in self.state(waiting).items():
                try:
                    became_ready = self._is_ready(state, started[name] + timeout_s)
                except TickhouseError as problem:
                    if problems is None:
                        raise
                    problems.append(str(problem))
                    failed.add(name)
                else:
                    if became_ready and on_ready:
                        on_ready(name)
                    ready |= {name} if became_ready else set()
            time.sleep(_POLL_S)

    def wait_ready(self, name: str, timeout_s: float = 30.0) -> None:
        """Return when a started process is ready.

        Raises:
            TickhouseError: it ended, was given up, or is not ready in time; with the end of
                its log and where the log is.
        """
        deadline = time.monotonic() + timeout_s
        while not self._is_ready(self.state({name})[name], deadline):
            time.sleep(_POLL_S)

    def wait_exit(self, name: str, timeout_s: float) -> None:
        """Return when a process that ends by itself has ended with exit code 0.

        Other ends are crashes: it is restarted, and this goes on waiting.

        Raises:
            TickhouseError: it was given up, or has not ended in time.
        """
        deadline = time.monotonic() + timeout_s
        while not (state := self.state({name}, health=False)[name]).ended:
            if state.state == "fatal":
                raise _failure(state, "keeps failing and was given up")
            if time.monotonic() > deadline:
                raise _failure(state, "has not ended in time")
            time.sleep(_POLL_S)

    def state(
        self, only: Collection[str] | None = None, *, health: bool = True
    ) -> dict[str, ProcessState]:
        """Every process at this moment, or only these: each is asked, which costs it a little.

        Without `health` nobody but supervisord is asked: enough for who waits for an end.

        Raises:
            UnavailableError: supervisord is gone, and every process with it.
        """
        if not self._supervisord.alive():
            raise UnavailableError(
                "the supervisor was killed, and every process ended with it; start again"
                f" (its log: {log_of(self.home, 'supervisord')})"
            )
        views = [view for view in self._views if only is None or view.name in only]
        return observe(views, self._client.processes(), health=health)

    def stop(self, name: str) -> None:
        """Stop one process (SIGTERM, then SIGKILL after its `stop_wait_s`) and wait for it."""
        self._stop_together([name])

    def kill9(self, name: str) -> int:
        """Kill a process as a crash would and return the pid it had; it is restarted."""
        pid = self._client.processes()[name].pid
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def drain(self) -> Drained:
        """Stop everything, stage by stage, each within its `stop_wait_s`."""
        begin = time.monotonic()
        stopped: list[str] = []
        killed: list[str] = []
        stages = sorted({spec.stop_stage for spec in self.specs.values()})
        for stage in stages:
            if stage == stages[-1]:
                self.before_last()
            names = [spec.name for spec in self.specs.values() if spec.stop_stage == stage]
            done, forced = self._stop_together(names)
            stopped += done
            killed += forced
        return Drained(tuple(stopped), tuple(killed), time.monotonic() - begin)

    def _startable(self, waiting: set[str], unready: set[str]) -> list[str]:
        return [
            spec.name
            for spec in self.specs.values()
            if spec.name in waiting and not unready & set(spec.needs)
        ]

    def _is_ready(self, state: ProcessState, deadline: float) -> bool:
        if state.state == "fatal":
            raise _failure(state, "keeps failing and was given up")
        if state.ended and self.specs[state.name].ends_itself:
            raise _failure(state, "ended before it was ready")
        if not state.ready and time.monotonic() > deadline:
            raise _failure(state, f"is not ready in time ({state.health or state.state})")
        return state.ready

    def _stop_together(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        running = [name for name in names if self._client.processes()[name].state in _STOPPABLE]
        for name in running:
            self._client.stop(name)
        waiting = set(running)
        while waiting:
            processes = self._client.processes()
            waiting = {name for name in waiting if processes[name].state in _STOPPABLE}
            time.sleep(_POLL_S if waiting else 0)
        killed = self._client.killed()
        return running, [name for name in running if name in killed]

    def _view(self, spec: ProcessSpec) -> ProcessView:
        home = Path({**self.environment, **spec.environment}["TICKHOUSE_HOME"])
        health = home / "run" / f"{spec.name}.json"
        log, patience_s = str(log_of(self.home, spec.name)), 0.0 if spec.waited_for else _LATE_S
        return ProcessView(spec.name, str(health), spec.ready_url, log, patience_s)

    def _start_supervisord(self) -> Supervisord:
        remove_leftovers(self.home)
        for view in self._views:
            Path(view.health_file).unlink(missing_ok=True)
        specs = list(self.specs.values())
        return Supervisord(self.home, self.environment, specs, self._lock.fd)


_STOPPABLE = frozenset({"starting", "running", "backoff", "stopping"})


def _failure(state: ProcessState, what: str) -> TickhouseError:
    lines = last_lines(state.log) or ["(it wrote nothing)"]
    end = "\n  ".join(lines)
    return TickhouseError(f"{state.name} {what}; the end of {state.log}:\n  {end}")


def _environment() -> dict[str, str]:
    """Ours, without the names of files that hold settings: those were read, and are handed on."""
    named = re.compile(r"TICKHOUSE_\w+__\w+_FILE")
    return {name: value for name, value in os.environ.items() if not named.fullmatch(name)}
