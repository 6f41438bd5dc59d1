"""Signals: a target position for a strategy and symbol, closed in itself.

Every signal carries its own exits: a stop, a horizon, an expiry, and if it says so a
take-profit and a trailing stop. Execution trades the
difference between the target and what it holds. An `OrderSignal` asks for an order that waits
for its price instead.
"""

import hashlib
from collections.abc import Iterable

import msgspec


class Signal(msgspec.Struct, frozen=True, array_like=True, tag="Signal/1"):
    """A target position. Times are microseconds since the Unix epoch, UTC."""

    signal_id: str
    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    ts_event_us: int  # market time of the tick that caused it
    ts_init_us: int  # when this record was made; in a replay equal to ts_event_us
    time_msc: int  # identity of that tick, with source, symbol and seq
    seq: int
    target: float  # -1 to 1: share of the strategy's full position, sign is direction
    reference_price: float  # mid at ts_event
    stop_price: float  # 0 when target is 0
    horizon_us: int  # market time at which the position closes
    expires_us: int  # after this a signal may not open or add
    confidence: float  # 0 to 1
    model: str  # SHA-256 of the artefact, or the strategy's name when no model spoke
    prediction_id: str  # "" when no model spoke
    take_profit: float = 0.0  # price at which the venue closes it with a gain; 0: none
    trail: float = 0.0  # distance in price at which the stop follows a gain; 0: it stays
    session_id: str = ""  # start that decided it; "" in a replay, whose run is its session


class OrderSignal(Signal, frozen=True, array_like=True, tag="OrderSignal/1"):
    """An entry that waits at the venue for its price, other terms for it, or its end (ADR 0021).

    A message of its own: an execution that does not know it skips it, and trades nothing at the
    market instead. `target` is the position it opens if its price comes, `expires_us` the end of
    the order's life, `horizon_us` that of the position.
    """

    name: str = ""  # the strategy's own: one order of a name works in a feed at a time
    action: str = "place"  # "place", "cancel"; "modify": other price, exits and end for it
    entry: str = ""  # "limit", "stop"
    entry_price: float = 0.0
    filling: str = "return"  # "fok", "ioc", "return"
    expiry: str = "specified"  # what the venue is told: "gtc", "day", "specified"
    one_of: str = ""  # a group of the strategy's orders in the feed: one fills, the others go


class SignalBatch(msgspec.Struct, frozen=True, array_like=True, tag="SignalBatch/1"):
    """A replay's signals of one slice of market time, in time order; also when there are none.

    It tells execution that no further signal of that slice will come. `end` marks the last.
    """

    run_id: str
    slice: int
    ts_event_us: int
    signals: list[Signal | OrderSignal]
    end: bool = False


class ShardBatch(SignalBatch, frozen=True, array_like=True, tag="ShardBatch/1"):
    """The same of one shard of the flow: a slice is complete when all have said so.

    A message of its own: an execution that does not know shards skips it, and waits.
    """

    shard: int = 0
    shards: int = 1


AnySignal = Signal | OrderSignal
SignalMessage = Signal | OrderSignal | SignalBatch | ShardBatch


def signal_id(run_id: str, strategy: str, source: str, symbol: str, time_msc: int, seq: int) -> str:
    """Deterministic id: the same run, strategy and tick give the same 32 hex digits."""
    return signal_ids(run_id, strategy, source, symbol, [time_msc], [seq])[0]


def signal_ids(
    run_id: str, strategy: str, source: str, symbol: str,
    times_msc: Iterable[int], seqs: Iterable[int],
) -> list[str]:  # fmt: skip
    """`signal_id` of many ticks of one feed."""
    begun = hashlib.blake2b(f"{run_id}|{strategy}|{source}|{symbol}|".encode(), digest_size=16)
    ids = []
    for time_msc, seq in zip(times_msc, seqs, strict=True):
        digest = begun.copy()
        digest.update(b"%d|%d" % (time_msc, seq))
        ids.append(digest.hexdigest())
    return ids
