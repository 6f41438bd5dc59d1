"""Datasets for the model tests: recorded rows, and rows with a known answer."""

import functools

import numpy as np

from features.catalog import NAMES
from features.kernel import features_of
from features.state import new_state
from models.training.dataset import Dataset, empty_dataset
from tests.support.recordings import recorded_ticks


@functools.cache
def recorded_dataset(name: str = "EURUSD_oanda", ticks: int = 60_000) -> Dataset:
    """One-second feature rows of the first ticks of a recorded feed."""
    taken = recorded_ticks(name)[:ticks]
    rows, index = features_of(new_state(), taken, 1000)
    at = taken[index]
    return Dataset(
        rows=rows,
        time_us=at["time_msc"] * 1000,
        mid=(at["bid"] + at["ask"]) / 2,
        spread=at["ask"] - at["bid"],
        feed=np.zeros(len(at), np.int32),
        feeds=(name,),
    )


def planted_dataset(rows: int = 6_000, seed: int = 1) -> Dataset:
    """One row a second whose first feature tells the mid's next steps; values missing at times."""
    random = np.random.default_rng(seed)
    dataset = empty_dataset(["sim.TEST"], [rows])
    drift = np.repeat(random.choice([-1.0, 0.0, 1.0], rows // 20 + 1), 20)[:rows]
    dataset.rows[:] = random.normal(size=(rows, len(NAMES)))
    dataset.rows[:, 0] = np.roll(drift, -5) + random.normal(size=rows) * 0.5
    dataset.time_us[:] = np.arange(rows) * 1_000_000
    dataset.mid[:] = 1.0 + np.cumsum(drift) * 1e-5
    dataset.spread[:] = 3e-5
    own_features(dataset)
    dataset.rows[random.random(dataset.rows.shape) < 0.05] = np.nan
    return dataset


def own_features(dataset: Dataset) -> Dataset:
    """Give every row the spread_bp of its own quote, as the kernel would."""
    dataset.rows[:, NAMES.index("spread_bp")] = dataset.spread / dataset.mid * 1e4
    return dataset
