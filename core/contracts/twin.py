"""What the broker made of an order, and what a simulated terminal on the same ticks made of it."""

import msgspec


class TwinComparison(msgspec.Struct, frozen=True, array_like=True, tag="TwinComparison/1"):
    """Two fills of one order, side by side. Volumes in lots, money in account currency.

    Outcomes: filled, partially_filled, rejected, cancelled, expired. Latencies count from the
    moment the order was journalled: the broker's until its outcome was known here, the twin's
    until the modelled fill; 0 where nothing filled.
    """

    run_id: str
    mode: str
    account: str
    strategy: str
    order_id: str
    source: str
    symbol: str
    ts_event_us: int  # when the order was journalled
    ts_init_us: int  # when the comparison was made
    side: str
    purpose: str
    volume: float  # asked for
    price: float  # asked for: the quote's side when it was decided
    arrival_mid: float
    real_outcome: str
    real_reason: str
    real_volume: float
    real_price: float  # average of its fills
    real_commission: float
    real_latency_ms: float
    twin_outcome: str
    twin_reason: str
    twin_volume: float
    twin_price: float
    twin_commission: float
    twin_latency_ms: float
