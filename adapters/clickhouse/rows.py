"""Rows of our tables as columns: what the messages of core.contracts become in ClickHouse.

A message's field names are the table's column names, except that `*_us` (microseconds) loses its
suffix and becomes a DateTime64. An architecture test holds both sides to it.
"""

import enum
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.clickhouse.native import PRICE, TEXT, TIME, Column
from core.contracts.operations import Heartbeat
from core.contracts.session import Content
from core.contracts.signal import OrderSignal, Signal
from core.contracts.tick import QuarantineBatch, TickArray, to_price_units
from core.instruments import Instrument
from core.metrics import bucket_upper_ns
from core.sections import RunSettings

_EPOCH = date(1970, 1, 1)
#: Of a field's type the column's and numpy's; everything else is text.
_TYPES: dict[Any, tuple[str, str]] = {
    bool: ("Bool", "u1"), int: ("Int64", "<i8"), float: ("Float64", "<f8"), date: ("Date", "<u2"),
}  # fmt: skip
#: What an order that waits has beside a target's fields.
_OF_ORDERS = msgspec.structs.fields(OrderSignal)[len(msgspec.structs.fields(Signal)) :]


def tick_columns(source: str, symbol: str, ticks: TickArray) -> list[Column]:
    """Ticks of one feed, dtype TICK, shape (n,), as columns of `tick`."""
    return [
        Column("source", TEXT, source),
        Column("symbol", TEXT, symbol),
        Column("ts_event", TIME, ticks["time_msc"] * 1000),
        Column("seq", "UInt32", ticks["seq"]),
        Column("bid", PRICE, to_price_units(ticks["bid"])),
        Column("ask", PRICE, to_price_units(ticks["ask"])),
        Column("last", PRICE, to_price_units(ticks["last"])),
        Column("volume", "Float64", ticks["volume"]),
        Column("flags", "UInt16", ticks["flags"]),
        Column("quality", "UInt16", ticks["quality"]),
        Column("recv_after_us", "Int64", ticks["ts_recv_us"] - ticks["time_msc"] * 1000),
    ]


def received_us(columns: Sequence[Column]) -> npt.NDArray[np.int64]:
    """When ticks of such columns were received, Unix microseconds."""
    of = {column.name: column.values for column in columns}
    times: npt.NDArray[np.int64] = np.asarray(of["ts_event"]) + np.asarray(of["recv_after_us"])
    return times


def as_stored(columns: Sequence[Column]) -> Sequence[Column]:
    """Columns of `tick` as it is now: a flow's memory from before an upgrade may have `ts_recv`."""
    of = {column.name: column.values for column in columns}
    if "ts_recv" not in of:
        return columns
    after_us = Column("recv_after_us", "Int64", np.asarray(of["ts_recv"]) - of["ts_event"])
    return [after_us if column.name == "ts_recv" else column for column in columns]


def quarantine_columns(batch: QuarantineBatch, ts_recv_us: int) -> list[Column]:
    """Refused ticks as columns of `tick_quarantine`; in a replay ts_recv_us is the market's."""
    ticks = batch.ticks
    return [
        Column("source", TEXT, batch.source),
        Column("symbol", TEXT, batch.symbol),
        Column("origin", "String", batch.origin),
        Column("row", "UInt64", np.array([t.row for t in ticks], "<u8")),
        Column("time_msc", "Int64", np.array([t.time_msc for t in ticks], "<i8")),
        Column("reason", TEXT, [t.reason for t in ticks]),
        Column("raw", "String", [t.raw for t in ticks]),
        Column("run_id", TEXT, batch.run_id),
        Column("mode", TEXT, batch.mode),
        Column("ts_recv", TIME, ts_recv_us),
    ]


def latency_columns(heartbeats: Sequence[Heartbeat]) -> list[Column]:
    """Histogram deltas of heartbeats as columns of `stage_latency`; no rows when none has any."""
    rows = [
        (h, stage, bucket, count)
        for h in heartbeats
        for stage, counts in h.stages.items()
        for bucket, count in counts.items()
    ]
    upper = np.array([bucket_upper_ns(b) for _, _, b, _ in rows], "<u8")
    largest = np.array([h.max_ns.get(stage, 0) for h, stage, _, _ in rows], "<u8")
    return [
        Column("run_id", TEXT, [h.run_id for h, *_ in rows]),
        Column("mode", TEXT, [h.mode for h, *_ in rows]),
        Column("process", TEXT, [h.process for h, *_ in rows]),
        Column("incarnation", "UInt64", np.array([h.incarnation_us for h, *_ in rows], "<u8")),
        Column("heartbeat", "UInt64", np.array([h.seq for h, *_ in rows], "<u8")),
        Column("stage", TEXT, [stage for _, stage, _, _ in rows]),
        Column("ts_event", TIME, np.array([h.ts_event_us for h, *_ in rows], "<i8")),
        Column("bucket", "UInt16", np.array([b for _, _, b, _ in rows], "<u2")),
        Column("upper_ns", "UInt64", upper),
        Column("count", "UInt64", np.array([count for *_, count in rows], "<u8")),
        Column("max_ns", "UInt64", largest),
    ]


def process_columns(heartbeats: Sequence[Heartbeat]) -> list[Column]:
    """How processes are, as columns of `process_state`."""
    return [
        Column("run_id", TEXT, [h.run_id for h in heartbeats]),
        Column("mode", TEXT, [h.mode for h in heartbeats]),
        Column("process", TEXT, [h.process for h in heartbeats]),
        Column("incarnation", "UInt64", np.array([h.incarnation_us for h in heartbeats], "<u8")),
        Column("heartbeat", "UInt64", np.array([h.seq for h in heartbeats], "<u8")),
        Column("ts_event", TIME, np.array([h.ts_event_us for h in heartbeats], "<i8")),
        Column("status", TEXT, [h.status for h in heartbeats]),
        Column("detail", "String", [h.detail for h in heartbeats]),
    ]


def instrument_columns(source: str, instruments: Sequence[Instrument]) -> list[Column]:
    """Reference data of one source as columns of `instrument` (column source comes last)."""
    columns = [_column(form, instruments) for form in _forms(Instrument)]
    return [*columns, Column("source", TEXT, source)]


def run_columns(
    run: RunSettings,
    *,
    span_us: tuple[int, int],
    status: str,
    inputs: str,
    settings: str,
    feature_set_hash: str,
    model: str,
) -> list[Column]:
    """One run as a row of `run`; `inputs` and `settings` are JSON."""
    names = ("run_id", "mode", "account", "strategy")
    return [
        *(Column(name, TEXT, [getattr(run, name)]) for name in names),
        Column("ts_start", TIME, span_us[0]),
        Column("ts_end", TIME, span_us[1]),
        Column("status", TEXT, status),
        Column("inputs", "String", inputs),
        Column("settings", "String", settings),
        Column("feature_set_hash", TEXT, feature_set_hash),
        Column("model", TEXT, model),
    ]


def content_columns(kept: Sequence[Content]) -> list[Column]:
    """What sessions refer to, as columns of `content`."""
    return [
        Column("hash", "String", [one.hash for one in kept]),
        Column("kind", TEXT, [one.kind for one in kept]),
        Column("body", "String", [one.body for one in kept]),
    ]


def message_columns(messages: Sequence[msgspec.Struct]) -> list[Column]:
    """Messages of one type, at least one, as columns of their table.

    Integers go as Int64 and text as dictionaries; ClickHouse casts to the table's own types.
    """
    return [_column(form, messages) for form in _forms(type(messages[0]))]


def signal_columns(signals: Sequence[Signal]) -> list[Column]:
    """Targets and orders that wait, as columns of `signal`; a target's are empty of the latter."""
    targets = [_column(form, signals) for form in _forms(Signal)]
    return [*targets, *(_order_column(f, signals) for f in _OF_ORDERS)]


def column_name(field: msgspec.structs.FieldInfo) -> str:
    """The column of a message's field: a time `*_us` loses its suffix and starts with `ts_`."""
    if not _is_time(field):
        return field.name
    name = field.name.removesuffix("_us")
    return name if name.startswith("ts_") else f"ts_{name}"


def _is_time(field: msgspec.structs.FieldInfo) -> bool:
    """Whole microseconds are a time; a fraction of them (`offset_us`) is a figure."""
    return field.name.endswith("_us") and field.type is not float


def _order_column(field: msgspec.structs.FieldInfo, signals: Sequence[Signal]) -> Column:
    values = [getattr(signal, field.name, field.type()) for signal in signals]
    if field.type is float:
        return Column(field.name, "Float64", np.array(values, "<f8"))
    return Column(field.name, TEXT, values)


class _Form(NamedTuple):
    """How a message's field becomes a column; `dtype` of numbers, empty for text."""

    field: str
    name: str
    type: str
    dtype: str


@cache
def _forms(message: type[msgspec.Struct]) -> tuple[_Form, ...]:
    """Once for each type: what msgspec says of fields takes longer than a row of them."""
    return tuple(_form(field) for field in msgspec.structs.fields(message))


def _form(field: msgspec.structs.FieldInfo) -> _Form:
    if _is_time(field):
        return _Form(field.name, column_name(field), TIME, "<i8")
    return _Form(field.name, field.name, *_TYPES.get(field.type, (TEXT, "")))


def _column(form: _Form, messages: Sequence[Any]) -> Column:
    values = [getattr(message, form.field) for message in messages]
    if form.type == "Date":
        values = [(day - _EPOCH).days for day in values]
    if form.dtype:
        return Column(form.name, form.type, np.array(values, form.dtype))
    return Column(form.name, TEXT, [v.value if isinstance(v, enum.Enum) else v for v in values])
