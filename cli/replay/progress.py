"""A replay's progress: how far in market time each stage is, read from the bus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from adapters.bus.base import Bus
from cli.replay.plan import ReplayPlan
from core.contracts import codec
from core.topics import ORDER_EVENTS, SIGNALS, TICKS, Topic

_STAGES: tuple[tuple[str, Topic, str], ...] = (
    ("collected", TICKS, "marker.slice"),
    ("decided", SIGNALS, "slice"),
    ("executed", ORDER_EVENTS, "marker"),
)


class Progress:
    """Bars on a terminal; nothing where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            TextColumn("{task.percentage:>5.1f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def update(self, bus: Bus, plan: ReplayPlan) -> tuple[int, ...]:
        """Show where each stage stands; returns those market times (microseconds)."""
        first_us = plan.first_msc * 1000
        span_us = plan.last_msc * 1000 - first_us or 1
        reached = []
        for name, topic, key in _STAGES:
            last = bus.last(topic, key)
            time_us = codec.decode(topic.name, last.payload).ts_event_us if last else first_us
            reached.append(time_us)
            task = self._task(name)
            self._bars.update(task, completed=100 * (time_us - first_us) / span_us)
        return tuple(reached)

    @contextmanager
    def training(self) -> Iterator[Callable[[str, float], None]]:
        """A bar for training; call it with what is being done and the share done."""
        task = self._task("training")

        def report(note: str, share: float) -> None:
            self._bars.update(task, completed=100 * share, note=note)

        yield report
        report("", 1.0)

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=100, note="")
        return self._tasks[name]
