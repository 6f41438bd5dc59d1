"""The kernel's whole memory of one feed, as one record, so that it can be stored and compared.

Sliding windows are differences of running counters: a ring keeps the counters as they stood at
the end of every 100 ms slot that had a tick, and one mark per window points at the slot that is
just old enough. All counters are integers, so windows forget exactly and nothing drifts however
long a feed lives. The ring holds more slots than 300 s can have, so it cannot overflow.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH

RING = 4096  # slots, a power of two above 3,001
MARKS = 7  # windows of 1, 5, 10, 15, 30, 60 and 300 s
COUNTERS = 10
CLOSES = 64  # minute bars kept, a power of two above the 60 that a return looks back over

#: Bars of one length: what is known of the open one, and the averages of the closed ones.
FRAME = np.dtype(
    [
        ("bars", "<i8"),  # closed
        ("high", "<f8"),  # of the open bar
        ("low", "<f8"),
        ("close", "<f8"),  # of the last closed bar
        ("average_gain", "<f8"),  # Wilder's averages; sums while seeding
        ("average_loss", "<f8"),
        ("rsi", "<f8"),
        ("true_range", "<f8"),
        ("ema_20", "<f8"),  # sum of closes while seeding
    ]
)

#: Memory of one feed. Prices are mids in quote currency, times Unix milliseconds.
STATE = np.dtype(
    [
        ("time_msc", "<i8"),  # of the last tick used; -1 before the first
        ("span_end", "<i8"),  # the next row is due at this time
        ("slot", "<i8"),  # 100 ms slot, second and minute of the last tick
        ("second", "<i8"),
        ("minute", "<i8"),
        ("head", "<i8"),  # slots ever written to the ring
        ("marks", "<i8", (MARKS,)),  # per window: slot count of its reference, -1 before warm-up
        ("ticks", "<i8"),  # running counters from here: ticks,
        ("net", "<i8"),  # rises minus falls of mid,
        ("squares", "<i8"),  # squared one-second log returns, 1e-6 bp squared,
        ("spreads", "<i8"),  # spreads, 1e-3 bp,
        ("spread_squares", "<i8"),  # their squares,
        ("pressure", "<i8"),  # rises minus falls of bid and ask,
        ("moves", "<i8"),  # both together,
        ("signed_volume", "<i8"),  # 1e-6 lots bought minus sold,
        ("volume", "<i8"),  # both together, and
        ("trades", "<i8"),  # trades
        ("minute_squares", "<i8"),  # `squares` when the open minute began
        ("squeezed", "<i8"),  # bit n: the bar n before the last closed in a squeeze
        ("m1", FRAME),
        ("m5", FRAME),
        ("h1", FRAME),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("mid", "<f8"),
        ("log_mid", "<f8"),
        ("second_log_mid", "<f8"),  # at the end of the last closed second
        ("time_sin", "<f8"),
        ("time_cos", "<f8"),
        ("ema_12", "<f8"),
        ("ema_26", "<f8"),
        ("macd", "<f8"),
        ("macd_signal", "<f8"),  # sum of lines while seeding
        ("sma_20", "<f8"),
        ("deviation", "<f8"),  # population standard deviation of the last 20 closes
        ("squeeze", "<f8"),  # ratio after the last closed bar
        ("channel_high", "<f8"),  # of the last 20 bars
        ("channel_low", "<f8"),
        ("vol_of_vol", "<f8"),
        ("closes", "<f8", (CLOSES,)),  # bar n at n % CLOSES, here and below
        ("log_closes", "<f8", (CLOSES,)),
        ("highs", "<f8", (CLOSES,)),
        ("lows", "<f8", (CLOSES,)),
        ("volatilities", "<f8", (CLOSES,)),
        ("ring_log_mid", "<f8", (RING,)),
        ("ring_slot", "<i8", (RING,)),
        ("ring", "<i8", (RING, COUNTERS)),  # the running counters at the end of each slot
    ]
)

StateArray = npt.NDArray[Any]  # of dtype STATE, shape (1,)

_MAGIC = b"tickhouse-state:"
_HEAD_BYTES = STATE.fields["ring_log_mid"][1]  # type: ignore[index] # STATE has fields
_SLOT_BYTES = 8 * (2 + COUNTERS)


class Indicators(NamedTuple):
    """The bar indicators' raw values in float64 after the last closed bar; NaN before warm-up."""

    rsi: float
    macd: float
    macd_signal: float
    macd_histogram: float
    sma: float
    ema: float
    bollinger_upper: float
    bollinger_middle: float
    bollinger_lower: float


def new_state() -> StateArray:
    """Memory of a feed that has seen no tick. dtype STATE, shape (1,)."""
    state = np.zeros(1, STATE)
    for name in ("time_msc", "span_end", "slot", "second", "minute", "marks"):
        state[name] = -1
    for frame in ("m1", "m5", "h1"):
        state[frame]["high"], state[frame]["low"] = -np.inf, np.inf
    return state


def indicators(state: StateArray) -> Indicators:
    """RSI(14), MACD(12, 26, 9), SMA(20), EMA(20) and Bollinger(20, 2) of the closed mid bars."""
    one = state[0]
    minute = one["m1"]
    bars = int(minute["bars"])
    rsi = float(minute["rsi"]) if bars > 14 else np.nan
    macd = float(one["macd"]) if bars >= 26 else np.nan
    signal = float(one["macd_signal"]) if bars >= 34 else np.nan
    sma = float(one["sma_20"]) if bars >= 20 else np.nan
    ema = float(minute["ema_20"]) if bars >= 20 else np.nan
    reach = 2.0 * float(one["deviation"])
    return Indicators(
        rsi=rsi, macd=macd, macd_signal=signal, macd_histogram=macd - signal, sma=sma, ema=ema,
        bollinger_upper=sma + reach, bollinger_middle=sma, bollinger_lower=sma - reach,
    )  # fmt: skip


def to_bytes(state: StateArray) -> bytes:
    """A snapshot: the feature-set hash, the scalars, and the ring's slots still in use.

    The same ticks give the same bytes, however they were cut into batches or restarts.
    """
    live = _live(state)
    return b"".join(
        (
            _MAGIC,
            FEATURE_SET_HASH.encode(),
            state.view(np.uint8)[:_HEAD_BYTES].tobytes(),
            state["ring_log_mid"][0][live].tobytes(),
            state["ring_slot"][0][live].tobytes(),
            state["ring"][0][live].tobytes(),
        )
    )


def made_by_this_kernel(data: bytes) -> bool:
    """Whether a snapshot is of this feature set, and so can be read."""
    return data.startswith(_MAGIC + FEATURE_SET_HASH.encode())


def last_time_msc(data: bytes) -> int:
    """Market time of the last tick in a snapshot of any feature set: it always stands first.

    Raises:
        ModelError: not a snapshot.
    """
    start = len(_MAGIC) + len(FEATURE_SET_HASH)
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start + 8:
        raise ModelError("feature state: not a snapshot; remove <home>/state and start again")
    return int.from_bytes(data[start : start + 8], "little", signed=True)


def from_bytes(data: bytes) -> StateArray:
    """The state of a snapshot.

    Raises:
        ModelError: made by another feature set (rebuild from stored ticks), or damaged.
    """
    prefix = len(_MAGIC) + len(FEATURE_SET_HASH)
    if data[: len(_MAGIC)] != _MAGIC:
        raise ModelError("feature state: not a snapshot; rebuild it from stored ticks")
    stored_hash = data[len(_MAGIC) : prefix].decode(errors="replace")
    if stored_hash != FEATURE_SET_HASH:
        raise ModelError(
            f"feature state: made by feature set {stored_hash}, this is {FEATURE_SET_HASH}; "
            "rebuild it from stored ticks"
        )
    state = new_state()
    head, rings = data[prefix : prefix + _HEAD_BYTES], data[prefix + _HEAD_BYTES :]
    state.view(np.uint8)[: len(head)] = np.frombuffer(head, np.uint8)
    live = _live(state)
    if len(head) != _HEAD_BYTES or len(rings) != len(live) * _SLOT_BYTES:
        raise ModelError("feature state: truncated snapshot; rebuild it from stored ticks")
    count = len(live)
    state["ring_log_mid"][0][live] = np.frombuffer(rings, "<f8", count)
    state["ring_slot"][0][live] = np.frombuffer(rings, "<i8", count, count * 8)
    state["ring"][0][live] = np.frombuffer(rings, "<i8", -1, count * 16).reshape(-1, COUNTERS)
    return state


def _live(state: StateArray) -> npt.NDArray[np.int64]:
    """Ring positions from the oldest reference on. Older ones are never read again."""
    head, oldest = int(state["head"][0]), int(state["marks"][0].min())
    first = max(oldest, 0)
    if not 0 <= head - first <= RING:
        raise ModelError("feature state: damaged snapshot; rebuild it from stored ticks")
    return np.arange(first, head, dtype=np.int64) % RING
