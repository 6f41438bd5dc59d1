"""The stream with one own feature beside the stream without: CPU seconds from ticks to rows.

    python -m benchmarks.bench_own_feature [--ticks N] [--repeats N]

The step of the signals flow on its own, without bus and warehouse: decode, sample, decide, make
rows. `slices` are a replay's messages of 32,768 ticks, `live` those of one tick, which is where a
feature costs most: each message pays its calls. `written` is examples/features/range_position_1h,
an `update()` of a person's; `defined` is drift_5m, one expression. Runs alternate; the median of
the ratios counts. No goal was set: the figure says what one costs.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from benchmarks.market import some_ticks
from core.contracts.tick import TickArray, TickBatch
from core.metrics import Histograms
from core.sections import RunSettings
from features import own
from features.own import LoadedFeature
from models.serving.in_use import Chosen
from streams.decide import Decider
from streams.predict import ModelInUse
from streams.sample import Sampler
from streams.signal_rows import decided_rows

_EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "features"
_FEATURES = {"written": "range_position_1h", "defined": "drift_5m"}
_RUN = RunSettings("bench", "demo", "bench", "none")


def main() -> None:
    """Measure both ways `--repeats` times, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=400_000, help="a twentieth of them one by one")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    ticks, console = some_ticks(None, options.ticks), Console()
    console.print(describe())
    table = Table("messages", "feature", "without, us/tick", "with, us/tick", "ratio")
    for messages, size, share in (("slices", 32_768, 1), ("live", 1, 20)):
        some = ticks[: len(ticks) // share]
        for kind, name in _FEATURES.items():
            feature = own.load(_EXAMPLES / f"{name}.py")
            runs = [(_cost(some, size, ()), _cost(some, size, (feature,)))
                    for _ in range(options.repeats)]  # fmt: skip
            without, with_it = (statistics.median(one) for one in zip(*runs, strict=True))
            ratio = statistics.median(b / a for a, b in runs)
            table.add_row(messages, kind, f"{without:.3f}", f"{with_it:.3f}", f"{ratio:.2f}")
    console.print(table)


def _cost(ticks: TickArray, size: int, features: tuple[LoadedFeature, ...]) -> float:
    """CPU microseconds per tick."""
    parts = [np.ascontiguousarray(ticks[n : n + size]) for n in range(0, len(ticks), size)]
    batches = [
        TickBatch("bench", "demo", "bench", "EURUSD", 0, 0, part.tobytes()) for part in parts
    ]
    sampler = Sampler(1000, Histograms(), None, keep_hours=True, features=features)
    with TemporaryDirectory() as models:
        model = ModelInUse(Path(models), Histograms(), Chosen(""))
        decider = Decider(_RUN, (), None, None)
        began = time.process_time()
        for batch in batches:
            for sampled in sampler.rows(batch, 0):
                decided_rows(_RUN, decider.rows(model.rows(sampled)), None)
        return (time.process_time() - began) / len(ticks) * 1e6


if __name__ == "__main__":
    main()
