"""Decided rows as rows of `feature`, `prediction` and `signal`."""

from collections.abc import Sequence

import numpy as np

from adapters.clickhouse.native import FLOATS, TEXT, TIME, Column
from adapters.clickhouse.rows import signal_columns
from core.clock import Clock
from core.sections import RunSettings
from features.catalog import FEATURE_SET_HASH, NAMES
from models.serving.predictor import Predictions
from streams.records import Decided, Memory, Predicted, Sampled
from streams.rows import Rows

_SET = Column("feature_set_hash", TEXT, FEATURE_SET_HASH)


def decided_rows(run: RunSettings, decided: Decided, clock: Clock | None) -> list[Rows]:
    """All rows of one batch: features, predictions when a model spoke, signals, kernels' hours.

    `clock`: when rows are made; None in a replay, where it is each tick's own time.
    """
    predicted = decided.predicted
    hours = [snapshot_rows(predicted.sampled)] if predicted.sampled.snapshots else []
    if len(predicted.sampled.time_msc) == 0:
        return hours
    key = _key(run, predicted.sampled, clock.now_us() if clock else None)
    rows = [*hours, feature_rows(key, predicted.sampled)]
    if predicted.sampled.own.names:
        rows.append(own_feature_rows(predicted.sampled, run.session_id))
    if predicted.predictions is not None:
        said = predicted.model, predicted.predictions
        rows.append(prediction_rows("prediction", key, *said, run.session_id))
    if predicted.shadow is not None:
        rows.append(prediction_rows("shadow_prediction", key, *predicted.shadow, run.session_id))
    for one in predicted.named:
        by_name = one.model, one.predictions
        rows.append(prediction_rows("named_prediction", key, *by_name, run.session_id))
    if predicted.events:
        rows.append(event_rows(run, predicted))
    if decided.signals:
        columns = signal_columns(decided.signals)
        rows.append(Rows("signal", columns, len(decided.signals)))
    if decided.memories:
        rows.append(memory_rows(decided.memories))
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


def own_feature_rows(sampled: Sampled, session_id: str) -> Rows:
    """A row per sampled tick and feature of a person's own, for the table `own_feature`."""
    names, set_hash = sampled.own
    count, many = len(sampled.time_msc), len(names)
    columns = (
        Column("run_id", TEXT, sampled.run_id),
        Column("mode", TEXT, sampled.mode),
        Column("source", TEXT, sampled.source),
        Column("symbol", TEXT, sampled.symbol),
        Column("name", TEXT, [name for name in names for _ in range(count)]),
        Column("ts_event", TIME, np.tile(sampled.time_msc * 1000, many)),
        Column("seq", "UInt32", np.tile(sampled.seq, many)),
        Column("feature_set_hash", TEXT, set_hash),
        Column("session_id", TEXT, session_id),
        Column("value", "Float32", sampled.features[:, len(NAMES) :].T.ravel()),
    )
    return Rows("own_feature", columns, count * many)


def prediction_rows(
    table: str, key: Sequence[Column], model: str, predictions: Predictions, session_id: str = ""
) -> Rows:
    """One row per feature row, with the key of that row."""
    down, flat, up = (np.ascontiguousarray(predictions.probabilities[:, i]) for i in range(3))
    count = len(down)
    columns = (
        *(column for column in key if column.name != _SET.name),
        Column(_SET.name, TEXT, predictions.set_hash),
        Column("model", TEXT, model),
        Column("p_down", "Float32", down),
        Column("p_flat", "Float32", flat),
        Column("p_up", "Float32", up),
        Column("confidence", "Float32", np.maximum(down, up)),
        Column("agreement", "Float32", predictions.agreement),
        Column("veto", "Bool", predictions.veto),
        Column("absent", "UInt32", predictions.absent),
        Column("members", FLOATS, predictions.members.transpose(1, 0, 2).reshape(count, -1)),
        Column("session_id", TEXT, session_id),
        Column("outside", "UInt32", predictions.outside),
    )
    return Rows(table, columns, count)


def snapshot_rows(sampled: Sampled) -> Rows:
    """The kernel's memory at the hours that began, for the table `kernel_state`."""
    kept = sampled.snapshots
    columns = (
        Column("run_id", TEXT, sampled.run_id),
        Column("mode", TEXT, sampled.mode),
        Column("source", TEXT, sampled.source),
        Column("symbol", TEXT, sampled.symbol),
        Column("ts_event", TIME, np.array([one.hour_us for one in kept], "<i8")),
        Column("feature_set_hash", TEXT, FEATURE_SET_HASH),
        Column("state", "String", [one.state for one in kept]),
        Column("own_set_hash", TEXT, sampled.own.set_hash),
        Column("own_state", "String", [one.own for one in kept]),
    )
    return Rows("kernel_state", columns, len(kept))


def memory_rows(memories: Sequence[Memory]) -> Rows:
    """What strategies had in mind, for the table `strategy_state`."""
    signals = [one.signal for one in memories]
    columns = (
        Column("run_id", TEXT, [s.run_id for s in signals]),
        Column("mode", TEXT, [s.mode for s in signals]),
        Column("strategy", TEXT, [s.strategy for s in signals]),
        Column("source", TEXT, [s.source for s in signals]),
        Column("symbol", TEXT, [s.symbol for s in signals]),
        Column("ts_event", TIME, np.array([s.ts_event_us for s in signals], "<i8")),
        Column("signal_id", "String", [s.signal_id for s in signals]),
        Column("state", "String", [one.state for one in memories]),
    )
    return Rows("strategy_state", columns, len(memories))


def event_rows(run: RunSettings, predicted: Predicted) -> Rows:
    """What happened to the models, for the table `model_event`."""
    events, sampled = predicted.events, predicted.sampled
    columns = (
        Column("run_id", TEXT, sampled.run_id),
        Column("mode", TEXT, sampled.mode),
        Column("account", TEXT, run.account),
        Column("strategy", TEXT, run.strategy),
        Column("ts_event", TIME, np.array([e.ts_event_us for e in events], "<i8")),
        Column("model", TEXT, [e.model for e in events]),
        Column("member", TEXT, [e.member for e in events]),
        Column("kind", TEXT, [e.kind for e in events]),
        Column("detail", "String", [e.detail for e in events]),
    )
    return Rows("model_event", columns, len(events))


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
        _SET,
    )
