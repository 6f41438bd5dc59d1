"""Rows of our tables as Native blocks: what the messages of core.contracts become in ClickHouse.

A message's field names are the table's column names, except that `*_us` (microseconds) loses its
suffix and becomes a DateTime64. An architecture test holds both sides to it.
"""

import enum
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np

from adapters.clickhouse.native import PRICE, TEXT, TIME, Column, encode_block
from core.contracts.operations import Heartbeat
from core.contracts.tick import QuarantineBatch, TickArray, to_price_units
from core.instruments import Instrument
from core.metrics import bucket_upper_ns

#: Columns of `tick` in the order of `tick_block`.
TICK_COLUMNS = (
    *("source", "symbol", "ts_event", "seq", "bid", "ask", "last", "volume"),
    *("flags", "quality", "ts_recv"),
)
#: Columns of `tick_quarantine` in the order of `quarantine_block`.
QUARANTINE_COLUMNS = (
    *("source", "symbol", "origin", "row", "time_msc", "reason", "raw"),
    *("run_id", "mode", "ts_recv"),
)
#: Columns of `stage_latency` in the order of `latency_block`.
LATENCY_COLUMNS = (
    *("run_id", "mode", "process", "incarnation", "heartbeat", "stage", "ts_event"),
    *("bucket", "upper_ns", "count", "max_ns"),
)

_EPOCH = date(1970, 1, 1)


def tick_block(source: str, symbol: str, ticks: TickArray) -> bytes:
    """Ticks of one feed, dtype TICK, shape (n,), as a block of `tick`."""
    return encode_block(
        [
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
            Column("ts_recv", TIME, ticks["ts_recv_us"]),
        ],
        len(ticks),
    )


def quarantine_block(batch: QuarantineBatch, ts_recv_us: int) -> bytes:
    """Refused ticks as a block of `tick_quarantine`; in a replay ts_recv_us is the market's."""
    ticks = batch.ticks
    return encode_block(
        [
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
        ],
        len(ticks),
    )


def latency_block(heartbeats: Sequence[Heartbeat]) -> bytes:
    """Histogram deltas of heartbeats as a block of `stage_latency`; no rows when none has any."""
    rows = [
        (h, stage, bucket, count)
        for h in heartbeats
        for stage, counts in h.stages.items()
        for bucket, count in counts.items()
    ]
    upper = np.array([bucket_upper_ns(b) for _, _, b, _ in rows], "<u8")
    largest = np.array([h.max_ns.get(stage, 0) for h, stage, _, _ in rows], "<u8")
    return encode_block(
        [
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
        ],
        len(rows),
    )


def instrument_block(source: str, instruments: Sequence[Instrument]) -> bytes:
    """Reference data of one source as a block of `instrument` (column source comes last)."""
    columns = [_struct_column(f, instruments) for f in msgspec.structs.fields(Instrument)]
    return encode_block([*columns, Column("source", TEXT, source)], len(instruments))


def struct_columns(message: type[msgspec.Struct]) -> tuple[str, ...]:
    """The column names of a message type, in the order of `struct_rows`."""
    return tuple(_column_name(f) for f in msgspec.structs.fields(message))


def struct_rows(messages: Sequence[msgspec.Struct]) -> bytes:
    """Messages of one type, at least one, as a Native block.

    Integers go as Int64 and text as dictionaries; ClickHouse casts to the table's own types.
    """
    fields = msgspec.structs.fields(messages[0])
    return encode_block([_struct_column(f, messages) for f in fields], len(messages))


def _column_name(field: msgspec.structs.FieldInfo) -> str:
    if not field.name.endswith("_us"):
        return field.name
    name = field.name.removesuffix("_us")
    return name if name.startswith("ts_") else f"ts_{name}"


def _struct_column(field: msgspec.structs.FieldInfo, messages: Sequence[Any]) -> Column:
    values = [getattr(m, field.name) for m in messages]
    name = _column_name(field)
    if field.name.endswith("_us"):
        return Column(name, TIME, np.array(values, "<i8"))
    if field.type is bool:
        return Column(name, "Bool", np.array(values, "u1"))
    if field.type is int:
        return Column(name, "Int64", np.array(values, "<i8"))
    if field.type is float:
        return Column(name, "Float64", np.array(values, "<f8"))
    if field.type is date:
        return Column(name, "Date", np.array([(v - _EPOCH).days for v in values], "<u2"))
    return Column(name, TEXT, [v.value if isinstance(v, enum.Enum) else v for v in values])
