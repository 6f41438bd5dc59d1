"""A feature of a person's own for the busy day: a file in its home, run as a stream runs it."""

from pathlib import Path

from core.contracts.tick import TickArray
from core.feature_set import FOLDER
from features import own
from features.own_columns import OwnColumns
from streams.records import OwnNames, Sampled

_FILE = '''"""The spread against its own slow mean."""

from tickhouse import OwnFeature

FEATURE = OwnFeature(
    "mean_spread", "ratio", "spread over its slow mean", 60.0, (("n", "i8"), ("mean", "f8"))
)


def update(state, ticks, out):
    for n in range(len(ticks)):
        spread = ticks[n].ask - ticks[n].bid
        state.n += 1
        state.mean += (spread - state.mean) / min(state.n, 1000)
        out[n] = spread / state.mean if state.mean > 0.0 else 1.0
'''


def installed(home: Path) -> OwnColumns:
    """Write the file into a home; its columns."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mean_spread.py").write_text(_FILE)
    return OwnColumns(own.use(own.of_folder(folder)))


def widened(sampled: Sampled, ticks: TickArray, columns: OwnColumns) -> Sampled:
    """Rows with the feature's column."""
    feed, keys = f"{sampled.source}.{sampled.symbol}", (sampled.time_msc, sampled.seq)
    rows, _ = columns.widened(feed, ticks, keys, sampled.features)
    names = tuple(one.feature.name for one in columns.features)
    return sampled._replace(features=rows, own=OwnNames(names, columns.set_hash))
