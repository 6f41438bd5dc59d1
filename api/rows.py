"""What the API gives, as records: their fields are the columns that are read, in this order.

Times are UTC in ISO 8601 with microseconds; prices in quote currency, volumes in lots, money in
account currency, probabilities and shares from 0 to 1. Names of columns and their meaning are the
warehouse's (docs/reference/tables.md).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from features.catalog import NAMES

Time = Annotated[str, Meta(extra={"column": "time"}, extra_json_schema={"format": "date-time"})]
#: An integer beyond 2**53, which many readers of JSON would round.
Long = Annotated[str, Meta(extra={"column": "text"}, pattern="^[0-9]+$")]
#: null: there is none.
Number = float | None


class Tick(msgspec.Struct, frozen=True):
    """A quote as it came; `quality`: bits 1 crossed, 2 locked, 4 same millisecond, 8 late."""

    source: str
    symbol: str
    ts_event: Time
    seq: int
    bid: Number
    ask: Number
    last: Number
    volume: Number
    flags: int
    quality: int
    ts_recv: Time


class Bar(msgspec.Struct, frozen=True):
    """A span of ticks."""

    source: str
    symbol: str
    interval: str
    ts_open: Time
    bid_open: Number
    bid_high: Number
    bid_low: Number
    bid_close: Number
    ask_close: Number
    spread_max: Number
    tick_count: int


class Prediction(msgspec.Struct, frozen=True):
    """What a model said of a tick."""

    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    ts_event: Time
    seq: int
    model: str
    feature_set_hash: str
    p_down: Number
    p_flat: Number
    p_up: Number
    confidence: Number
    agreement: Number
    veto: bool


class Signal(msgspec.Struct, frozen=True):
    """A target position that a strategy asked for."""

    signal_id: str
    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    ts_event: Time
    ts_init: Time
    seq: int
    target: Number
    reference_price: Number
    stop_price: Number
    ts_horizon: Time
    ts_expires: Time
    confidence: Number
    model: str
    prediction_id: str


class OrderEvent(msgspec.Struct, frozen=True):
    """A step of an order; a denial has `reason`, `limit` and what was `observed`."""

    event_id: str
    seq: int
    run_id: str
    mode: str
    account: str
    strategy: str
    order_id: str
    signal_id: str
    kind: str
    source: str
    symbol: str
    ts_event: Time
    ts_init: Time
    side: str
    purpose: str
    volume: Number
    price: Number
    arrival_mid: Number
    stop_price: Number
    reason: str
    limit: Number
    observed: Number
    limits_version: str
    venue_order: Long
    venue_deal: Long
    commission: Number
    swap: Number
    profit: Number


class Position(msgspec.Struct, frozen=True):
    """A net position after a change."""

    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    ts_event: Time
    seq: int
    volume: Number
    price: Number
    stop_price: Number
    profit_realised: Number


class Account(msgspec.Struct, frozen=True):
    """The account as the terminal reported it."""

    run_id: str
    mode: str
    account: str
    ts_event: Time
    seq: int
    currency: str
    balance: Number
    equity: Number
    margin: Number


class Risk(msgspec.Struct, frozen=True):
    """What an account, or a strategy on it, held and could lose at a time."""

    run_id: str
    mode: str
    account: str
    strategy: str
    ts_event: Time
    currency: str
    positions: int
    gross: Number
    net: Number
    correlated: Number
    concentration: Number
    equity: Number
    margin: Number
    stop_out: Number
    stop_out_days: Number
    swap_1d: Number
    problem: str


class Model(msgspec.Struct, frozen=True):
    """A registered model; `simulated`: it learnt a generated market and can never go live."""

    model: str
    name: str
    ts_init: Time
    feature_set_hash: str
    run_id: str
    simulated: bool
    status: str
    dataset: str
    horizon_s: Number
    labels: str


#: A row of features; null: not known yet.
Feature = msgspec.defstruct(
    "Feature",
    [
        *((name, str) for name in ("run_id", "mode", "account", "source", "symbol")),
        ("ts_event", Time),
        ("seq", int),
        ("feature_set_hash", str),
        *((name, Number) for name in ("mid", "spread", *NAMES)),
    ],
    frozen=True,
    module=__name__,
)
