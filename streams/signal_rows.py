"""Decided rows as rows of `feature`, `prediction` and `signal`."""

from collections.abc import Sequence

import numpy as np

from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import message_columns
from core.clock import Clock
from core.settings import RunSettings
from features.catalog import FEATURE_SET_HASH, NAMES
from streams.records import Decided, Predicted, Sampled
from streams.rows import Rows


def decided_rows(run: RunSettings, decided: Decided, clock: Clock | None) -> list[Rows]:
    """All rows of one batch: features, predictions when a model spoke, signals.

    `clock`: when rows are made; None in a replay, where it is each tick's own time.
    """
    predicted = decided.predicted
    if len(predicted.sampled.time_msc) == 0:
        return []
    key = _key(run, predicted.sampled, clock.now_us() if clock else None)
    rows = [feature_rows(key, predicted.sampled)]
    if predicted.probabilities is not None:
        rows.append(prediction_rows(key, predicted))
    if decided.signals:
        columns = message_columns(decided.signals)
        rows.append(Rows("signal", columns, len(decided.signals)))
    return rows


def feature_rows(key: Sequence[Column], sampled: Sampled) -> Rows:
    """One row per sampled tick; the same key as the tick."""
    columns = (
        *key,
        Column("mid", "Float64", sampled.mid),
        Column("spread", "Float64", sampled.spread),
        *(
            Column(name, "Float32", np.ascontiguousarray(sampled.features[:, i]))
            for i, name in enumerate(NAMES)
        ),
    )
    return Rows("feature", columns, len(sampled.time_msc))


def prediction_rows(key: Sequence[Column], predicted: Predicted) -> Rows:
    """One row per feature row, with the key of that row."""
    sampled, probabilities = predicted.sampled, predicted.probabilities
    assert probabilities is not None
    down, flat, up = (np.ascontiguousarray(probabilities[:, i]) for i in range(3))
    columns = (
        *key,
        Column("model", TEXT, predicted.model),
        Column("p_down", "Float32", down),
        Column("p_flat", "Float32", flat),
        Column("p_up", "Float32", up),
        Column("confidence", "Float32", np.maximum(down, up)),
    )
    return Rows("prediction", columns, len(sampled.time_msc))


def _key(run: RunSettings, sampled: Sampled, now_us: int | None) -> tuple[Column, ...]:
    time_us = sampled.time_msc * 1000
    return (
        Column("run_id", TEXT, sampled.run_id),
        Column("mode", TEXT, sampled.mode),
        Column("account", TEXT, run.account),
        Column("strategy", TEXT, run.strategy),
        Column("source", TEXT, sampled.source),
        Column("symbol", TEXT, sampled.symbol),
        Column("ts_event", TIME, time_us),
        Column("seq", "UInt32", sampled.seq),
        Column("ts_init", TIME, time_us if now_us is None else np.full_like(time_us, now_us)),
        Column("feature_set_hash", TEXT, FEATURE_SET_HASH),
    )
