"""Columns of a person's own features for a dataset, folded from the ticks that its rows came from.

Not read from what a stream stored: a feature that was written today then learns from all rows that
there are, and from ticks as they are known, like every other column.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.tick_reader import read_ticks
from core.clock import SystemClock
from core.contracts.tick import TickArray
from core.controls import own_features
from core.errors import ModelError
from core.settings import Settings
from features import own
from features.catalog import FEATURE_SET_HASH
from features.own import LoadedFeature
from features.own_columns import OwnColumns, usable
from models.training.dataset import Dataset

_BEGAN = Path(__file__).with_name("began.sql").read_text()
Rows = npt.NDArray[np.float32]
Times = npt.NDArray[np.int64]


def asked_for(settings: Settings) -> tuple[LoadedFeature, ...]:
    """The own features to train on, for this process from then on; () unless a setting says so.

    Raises:
        ModelError: they are asked for, and there are none.
        SettingsError: one of them is no feature.
    """
    folder = own_features.folder_of(settings, SystemClock())
    features = own.use(own.of_folder(folder))
    if not settings.models.own_features:
        return ()
    if not features:
        raise ModelError(
            f"models.own_features is set, and there is none in {folder}: put one there (tickhouse"
            " features check FILE --install), or take the setting away"
        )
    return features


def with_own_columns(
    client: Client,
    run_id: str,
    dataset: Dataset,
    features: Sequence[LoadedFeature],
    as_of_us: int | None = None,
) -> Dataset:
    """The dataset with a column more for each feature, after the catalogue's.

    Args:
        as_of_us: with ticks as they were known then; now when None.

    Raises:
        ModelError: the tick of a row is not stored any more.
        SettingsError: a feature cannot be compiled, or raised.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    columns = OwnColumns(features)
    if not columns:
        return dataset
    parts = [np.empty((0, dataset.rows.shape[1] + len(features)), np.float32)]
    for index, feed in enumerate(dataset.feeds):
        begin, end = np.searchsorted(dataset.feed, [index, index + 1])
        rows, time_us = dataset.rows[begin:end], dataset.time_us[begin:end]
        ticks = _ticks(client, run_id, feed, int(time_us[-1]) // 1000, as_of_us)
        values = _values(feed, columns, ticks, time_us // 1000)
        parts.append(np.concatenate([rows, values], axis=1))
    name = hashlib.sha256(f"{dataset.name} {columns.set_hash}".encode()).hexdigest()[:16]
    return dataset._replace(
        rows=np.concatenate(parts), name=name, own=tuple(features), set_hash=columns.set_hash
    )


def _ticks(
    client: Client, run_id: str, feed: str, last_msc: int, as_of_us: int | None
) -> Iterator[TickArray]:
    """Blocks of the feed's ticks from the run's first on."""
    source, _, symbol = feed.partition(".")
    given = {"run_id": run_id, "source": source, "feature_set_hash": FEATURE_SET_HASH}
    with errors_translated():
        began = {row[0]: row[1:] for row in client.query(_BEGAN, given).result_rows}
    first_msc, first_seq = began[symbol]
    for ticks in read_ticks(client, source, symbol, first_msc, last_msc, as_of_us):
        later = (ticks["time_msc"] > first_msc) | (ticks["seq"] >= first_seq)
        yield ticks[later]


def _values(feed: str, columns: OwnColumns, blocks: Iterator[TickArray], time_msc: Times) -> Rows:
    """Of each row's tick: a row is that of the first tick of its millisecond, one more the next's.

    `time_msc`: of the rows, in their order.
    """
    place = np.arange(len(time_msc)) - np.searchsorted(time_msc, time_msc)
    values = np.full((len(time_msc), len(columns.features)), np.nan, np.float32)
    known, last_msc = np.zeros(len(time_msc), bool), -1
    for ticks in _whole_milliseconds(blocks):
        fit = usable(ticks, last_msc)
        none = np.empty((len(fit), 0), np.float32)
        served, _ = columns.widened(feed, fit, (fit["time_msc"], fit["seq"]), none)
        if not len(fit):
            continue
        last_msc = int(fit["time_msc"][-1])
        at = np.searchsorted(fit["time_msc"], time_msc) + place
        here = np.flatnonzero(at < len(fit))
        here = here[fit["time_msc"][at[here]] == time_msc[here]]
        values[here], known[here] = served[at[here]], True
    if not known.all():
        raise ModelError(
            f"{feed}: the ticks of {int((~known).sum()):,} of {len(known):,} rows are not stored"
            " any more (retention, or corrections that took them back): own features cannot be"
            " computed for them; train on a span that has its ticks, or without models.own_features"
        )
    return values


def _whole_milliseconds(blocks: Iterator[TickArray]) -> Iterator[TickArray]:
    """The same ticks, cut where a millisecond ends."""
    held: TickArray | None = None
    for block in blocks:
        ticks = block if held is None else np.concatenate([held, block])
        if not len(ticks):
            continue
        cut = int(np.searchsorted(ticks["time_msc"], ticks["time_msc"][-1]))
        held = ticks[cut:]
        yield ticks[:cut]
    if held is not None:
        yield held
