"""The state of a flow dealt anew, to another number of shards: nothing lost, nothing done twice.

State is by feed or account, and each has one owner, so the new owner gets it from the old one. Old
shards stood at places of their own on the bus; a new one begins at the earliest, and lets pass what
was decided of a feed already. So it does not matter how the shards were stopped.

What is dealt lies beside the place of the recovery state (`<state>.begin`), which is then made
anew; the framework's own store is read, never written. The rename to `<flow>.dealt` is the moment
at which all of it counts: before, the old state is whole, and after it the rest is only repeated.
"""

import os
import pickle
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from core import durable, file_lock
from core.errors import BusyError, SettingsError
from streams import layout

SEVERAL = "topics"  # the step that reads several topics


class Begin(NamedTuple):
    """What a shard goes on from.

    Attributes:
        sequences: the next message of each topic.
        states: of steps, by step and key, without the flow's name.
        pending: rows by table of which nobody knows whether they are stored.
        passed: by feed, messages of its ticks before this sequence are in its kernel.
        decided: by feed, rows of those before this one are decided, and stored.
    """

    sequences: dict[str, int]
    states: dict[tuple[str, str], Any]
    pending: dict[str, list[Any]]
    passed: dict[str, int]
    decided: dict[str, int]


NOTHING = Begin({}, {}, {}, {}, {})


def begin_of(state: Path) -> Begin:
    """What was dealt to the shard whose recovery state lies there; NOTHING when nothing was."""
    try:
        content = _file(state).read_bytes()
    except FileNotFoundError:
        return NOTHING
    begun: Begin = pickle.loads(content)  # noqa: S301 - ours, as the recovery store beside it
    return begun


def write(begins: Sequence[Begin], states: Path, flow: str) -> None:
    """Put what was dealt in the place of all state of the flow."""
    new = states / f"{flow}.dealing"
    shutil.rmtree(new, ignore_errors=True)
    for number, begin in enumerate(begins):
        durable.write(new / f"shard-{number}.begin", pickle.dumps(begin), durable.PRIVATE)
    durable.rename(new, states / f"{flow}.dealt")
    finish(states, flow)


def finish(states: Path, flow: str) -> None:
    """What follows once `<flow>.dealt` is there; killed, it is to be called again."""
    dealt = states / f"{flow}.dealt"
    if not dealt.is_dir():
        return
    count = len(list(dealt.glob("shard-*.begin")))
    for old in [*layout.counts(states, flow)]:
        shutil.rmtree(layout.folder(states, flow, old), ignore_errors=True)
    _file(states / flow).unlink(missing_ok=True)
    if count > 1:
        durable.rename(dealt, layout.folder(states, flow, count))
        return
    durable.rename(dealt / "shard-0.begin", _file(states / flow))
    dealt.rmdir()


def read(states: Path, flow: str, count: int) -> list[Begin]:
    """Where each shard stands: its last committed state, or what it was dealt before that."""
    return [_of_shard(layout.place(states, flow, count, n), flow) for n in range(count)]


@contextmanager
def held(state: Path) -> Iterator[None]:
    """A shard's state is used by one process, or dealt.

    Raises:
        BusyError: another process uses it.
    """
    path = state.with_name(f"{state.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = file_lock.hold(path, 0.5)
    if file is None:
        raise BusyError(
            f"{state} is in use by process {file_lock.holder(path) or 'unknown'}: stop the flow"
            " (SIGTERM, or Ctrl-C at `tickhouse up`), then try again"
        )
    try:
        yield
    finally:
        os.close(file)  # gives the lock up


@contextmanager
def all_held(states: Path, flow: str, count: int) -> Iterator[None]:
    """Of all shards."""
    with ExitStack() as locks:
        for number in range(count):
            locks.enter_context(held(layout.place(states, flow, count, number)))
        yield


def _of_shard(state: Path, flow: str) -> Begin:
    begun, steps = begin_of(state), committed(state)
    sequences = begun.sequences | _read_to(steps, flow)
    states, pending = dict(begun.states), dict(begun.pending)
    for (step, key), content in steps.items():
        name = step.removeprefix(f"{flow}.")
        if name == "warehouse":
            pending = content
        elif name != SEVERAL and not name.startswith("bus"):
            states[name, key] = content
    if any("-" in part for part in sequences):
        raise SettingsError(
            f"{state} is of several partitions of a Kafka topic, which cannot be dealt:"
            " go on with these (docs/how-to/distributed.md)"
        )
    now = sequences.get("ticks", 1)
    passed, decided = (
        {feed: place for feed, place in places.items() if place > now}
        for places in (begun.passed, begun.decided)
    )
    return Begin(sequences, states, pending, passed, decided)


def starts(state: Path, flow: str) -> dict[str, int]:
    """The next message of each topic, or of its partitions, for the flow whose state lies there."""
    return begin_of(state).sequences | _read_to(committed(state), flow)


def _read_to(steps: Mapping[tuple[str, str], Any], flow: str) -> dict[str, int]:
    """By sources of one topic each (those of several stood beside each other in 0.2), or of all."""
    read = {
        key: place[0]
        for (step, key), place in steps.items()
        if step.removeprefix(f"{flow}.").startswith("bus")
    }
    for places in (content for (step, _), content in steps.items() if step == f"{flow}.{SEVERAL}"):
        read |= {part: place[0] for part, place in places.items()}
    return read


def committed(state: Path) -> Mapping[tuple[str, str], Any]:
    """Snapshots of the last committed epoch by step and key, as Bytewax 0.21 keeps them."""
    newest: dict[tuple[str, str], tuple[int, bytes | None]] = {}
    executions: list[tuple[int, int]] = []
    frontiers: list[tuple[int, int]] = []
    parts = sorted(state.glob("part-*.sqlite3"))
    for part in parts:
        with closing(sqlite3.connect(part)) as store:
            executions += store.execute("SELECT ex_num, resume_epoch FROM exs").fetchall()
            frontiers += store.execute("SELECT ex_num, worker_frontier FROM fronts").fetchall()
    last = max((number for number, _ in executions), default=0)
    resumed = [epoch for number, epoch in frontiers if number == last]
    until = min(resumed or [epoch for number, epoch in executions if number == last], default=0)
    for part in parts:
        with closing(sqlite3.connect(part)) as store:
            for step, key, epoch, content in store.execute(
                "SELECT step_id, state_key, snap_epoch, ser_change FROM snaps"
                " WHERE snap_epoch < ?", (until,),
            ):  # fmt: skip
                if epoch >= newest.get((step, key), (-1, None))[0]:
                    newest[step, key] = epoch, content
    return {
        name: pickle.loads(content)  # noqa: S301 - ours
        for name, (_, content) in newest.items()
        if content is not None
    }


def _file(state: Path) -> Path:
    return state.with_name(f"{state.name}.begin")
