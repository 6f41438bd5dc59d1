"""Fifty strategies on one desk beside one alone: CPU seconds from ticks to signals.

    python -m benchmarks.bench_desk [--ticks N] [--repeats N]

`recorded`: what a backtest does before execution, over two recordings (generated ones where there
are none): read, judge, sample once a second of market time (ADR 0004), decide. `live`: the step of
the signals flow, message by message: decode, sample, decide, publish to a bus that takes
everything, and make rows for the warehouse. No model predicts, which would be one more cost that
all share.

One strategy is each of the shipped ones that need no model by itself, their mean; fifty are those
with horizons of their own, so that they make some fifty times its signals. Runs alternate; the
median of the ratios counts. Goal: fifty together cost less than twice one.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adapters.bus.base import Message
from backtest.job import FeedFile, Job
from backtest.run import market_of
from backtest.stages import SignalStages
from benchmarks.machine import describe
from benchmarks.market import read_ticks, recorded_files, write_generated
from core.contracts import codec
from core.contracts.tick import TickBatch
from core.desk import Desk, one_alone, parse
from core.metrics import Histograms
from core.sections import RunSettings
from core.settings import Settings
from core.topics import TICKS
from models.serving.in_use import Chosen
from strategies.desk import members
from streams.decide import Decider
from streams.flows import signals
from streams.predict import ModelInUse
from streams.publish import SignalPublisher
from streams.sample import Sampler
from streams.shards import ALONE, Shards
from streams.signal_rows import decided_rows

GOAL = 2.0
_USES = ("ema_cross", "breakout", "scripted")
_RUN = RunSettings("bench", "demo", "bench", "desk")


def main() -> None:
    """Measure both ways `--repeats` times, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=20_000, help="of each symbol, one by one")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    console = Console()
    console.print(describe())
    table = Table("way", "one, s", "fifty, s", "ratio", title="CPU, ticks to signals")
    with tempfile.TemporaryDirectory() as scratch:
        files = (recorded_files() or write_generated(Path(scratch)))[:2]
        ways: dict[str, Callable[[Desk], float]] = {
            "recorded": lambda desk: _recorded(files, desk, scratch),
            "live": lambda desk: _live(files, desk, options.ticks, scratch),
        }
        for way, cost in ways.items():
            table.add_row(way, *_row(cost, options.repeats))
    console.print(table)


def fifty() -> Desk:
    """Of the shipped strategies that need no model, each with a horizon of its own."""
    tables = [
        f'[strategies.s{n}]\nuse = "{_USES[n % 3]}"\n[strategies.s{n}.signals]\n'
        f"horizon_s = {1800 + 60 * n}\n"
        for n in range(50)
    ]
    return parse("".join(tables).encode(), "fifty")


def _row(cost: Callable[[Desk], float], repeats: int) -> Sequence[str]:
    desks = [*map(one_alone, _USES), fifty()]
    runs = [[cost(desk) for desk in desks] for _ in range(repeats + 1)][1:]  # the first compiles
    ones, many = [statistics.mean(run[:-1]) for run in runs], [run[-1] for run in runs]
    ratio = statistics.median(b / a for a, b in zip(ones, many, strict=True))
    said = f"{ratio:.2f}, goal {GOAL} {'reached' if ratio < GOAL else 'NOT reached'}"
    return f"{statistics.median(ones):.3f}", f"{statistics.median(many):.3f}", said


def _recorded(files: Sequence[Path], desk: Desk, home: str) -> float:
    feeds = tuple(FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in files)
    run = RunSettings("bench", "backtest", "bench", desk.names[0] if desk.alone else "desk")
    traded = tuple((feed.source, feed.symbol) for feed in feeds)
    job = Job("bench", Settings(home, run=run), feeds, traded, desk=desk.content)
    begun = time.process_time()
    stages, number = SignalStages(job, market_of(job)), 1
    while stages.slice(number) is not None:
        number += 1
    return time.process_time() - begun


def _live(files: Sequence[Path], desk: Desk, count: int, home: str) -> float:
    return cost_of(live_step(desk, home), messages(files, count), ALONE, 0)


def cost_of(step: Any, sent: Sequence[Message], shards: Shards, number: int) -> float:
    """CPU seconds that a shard needs for messages."""
    begun = time.process_time()
    for message in sent:
        step.on_batch([content for _, content in signals.decode(message, shards, number)])
    return time.process_time() - begun


def live_step(desk: Desk, home: str) -> Any:
    """The signals flow's own, to a bus that takes everything; no model predicts."""
    histograms, deciding = Histograms(), members(desk, Settings(home), lambda _use: Path(home))
    parts = signals.FlowParts(
        make_sampler=lambda state: Sampler(1000, histograms, state, keep_hours=True),
        make_model=lambda _state: ModelInUse(Path(home) / "models", histograms, Chosen("")),
        make_decider=lambda state: Decider(_RUN, deciding, None, state),
        publisher=SignalPublisher(_TAKING, histograms),
        to_rows=lambda decided: decided_rows(_RUN, decided, None),
        on_predicted=lambda _predicted: None,
        on_trained_part_stored=lambda _marker: None,
    )
    return signals._Shard(parts, None)


def messages(files: Sequence[Path], count: int) -> list[Message]:
    """One tick each, as the collector sends them, in the order of market time."""
    timed = []
    for path in files:
        symbol, source = path.stem.split("_")
        ticks = read_ticks(path, count)
        for number in range(len(ticks)):
            data = ticks[number : number + 1].tobytes()
            batch = TickBatch("bench", "demo", source, symbol, number, 0, data)
            timed.append((int(ticks["time_msc"][number]) - int(ticks["time_msc"][0]), batch))
    timed.sort(key=lambda pair: pair[0])
    return [
        Message(TICKS.name, "", number, codec.encode(batch), 0)
        for number, (_, batch) in enumerate(timed)
    ]


class _Taking:
    """A bus that takes everything at once."""

    def publish(self, *_message: object) -> None:
        """Nothing is kept."""


_TAKING: Any = _Taking()


if __name__ == "__main__":
    main()
