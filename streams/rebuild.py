"""Recovery state of another feature set: built anew from stored ticks instead of refused.

A kernel's snapshot cannot be read by another version of the kernel, but it says how far it had
come, to the tick of a millisecond, and the ticks up to there are in the warehouse; those after it
come again from the bus. Windows and bars need hours of them; recursive
averages remember for ever, but in floating point only for so long: a kernel that began twice as
long ago holds the same bits. That is compared, and when they differ, more ticks are read, up to the
first that is stored. So what is rebuilt is what an uninterrupted stream would hold, and its first
row has that stream's bits.
"""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from core.contracts.tick import TICK, TickArray
from features.kernel import features_of
from features.peers import MEMORY_MSC, Market
from features.state import (
    FRAME,
    StateArray,
    last_time_msc,
    made_by_this_kernel,
    new_state,
    to_bytes,
)
from streams.predict import ModelState
from streams.sample import SamplerState

#: (source, symbol, first_msc, last_msc) -> blocks of stored ticks.
ReadTicks = Callable[[str, str, int, int], Iterator[TickArray]]

SPAN_MS = 70 * 86_400_000  # half of it, of five days a week, is more than an hourly RSI remembers
_ALL = 1 << 62  # no row is due before this
#: What recursive averages and bars remember; all else is counters, or windows of minutes.
_REMEMBERED = (
    "squeezed", "ema_12", "ema_26", "macd", "macd_signal", "sma_20", "deviation", "squeeze",
    "channel_high", "channel_low", "vol_of_vol",
)  # fmt: skip
_PEERS_MS = 10 * MEMORY_MSC
_FRAMES = ("m1", "m5", "h1")


def current_state(
    state: Any, read_ticks: ReadTicks, sample_ms: int, span_ms: int = SPAN_MS
) -> SamplerState | None:
    """The sampler's state as this version reads it.

    Args:
        state: what a shard kept: of this version, or of an earlier one, whose state was only the
            kernels by feed.
        sample_ms: how often a row is due.
        span_ms: of the ticks that are read at first.

    Raises:
        ModelError: a snapshot is damaged.
        UnavailableError, WarehouseError: ticks are needed and the warehouse gives none.
    """
    if state is None:
        return None
    known = state if isinstance(state, SamplerState) else SamplerState(dict(state), {}, [])
    if all(made_by_this_kernel(content) for content in known.kernels.values()):
        return known
    return _rebuilt(known, read_ticks, sample_ms, span_ms)


def current_past(state: Any, columns: int) -> ModelState | None:
    """The model's state; remembered rows of another feature set are forgotten."""
    if state is None:
        return None
    if not isinstance(state, ModelState):  # of the version before: the hash alone
        return ModelState(str(state), {})
    fits = all(rows.shape[1] == columns for rows in state.past.values())
    return state if fits else ModelState(state.model, {})


def _rebuilt(
    state: SamplerState, read_ticks: ReadTicks, sample_ms: int, span_ms: int
) -> SamplerState:
    kernels: dict[str, bytes] = {}
    markets = {source: _empty(content) for source, content in state.markets.items()}
    for feed, content in sorted(state.kernels.items()):
        source, _, symbol = feed.partition(".")
        last_msc, market = last_time_msc(content), markets.setdefault(source, Market())
        read = partial(until, partial(read_ticks, source, symbol), last_msc, state.seqs.get(feed))
        kernel, count = _kernel(read, last_msc, span_ms)
        kernel["span_end"] = (kernel["time_msc"] // sample_ms + 1) * sample_ms
        recent = 0
        for ticks in read(last_msc - _PEERS_MS, last_msc):
            market.advance(symbol, ticks)
            recent += len(ticks)
        if recent < count:
            market.began(symbol, last_msc - _PEERS_MS)
        kernels[feed] = to_bytes(kernel)
        logging.getLogger(__name__).warning(
            "%s: the feature set has changed; its state was rebuilt from %d stored ticks",
            feed,
            count,
        )
    stored = {source: market.to_bytes() for source, market in markets.items()}
    return SamplerState(kernels, stored, state.waiting, dict(state.seqs), parts=state.parts)


def until(
    read: Callable[[int, int], Iterator[TickArray]], stop_msc: int, seq: int | None,
    first_msc: int, last_msc: int,
) -> Iterator[TickArray]:  # fmt: skip
    """Stored ticks, of the millisecond at which the state stood no more than it had used.

    Args:
        read: first and last millisecond to blocks of a feed's ticks.
        stop_msc, seq: the last tick that was used; `seq` None: nobody knows which of its
            millisecond, and all of them count.
    """
    for ticks in read(first_msc, last_msc):
        beyond = (ticks["time_msc"] == stop_msc) & (ticks["seq"] > (_ALL if seq is None else seq))
        yield ticks[~beyond] if beyond.any() else ticks


def _kernel(
    read: Callable[[int, int], Iterator[TickArray]], last_msc: int, span_ms: int
) -> tuple[StateArray, int]:
    """A feed's kernel after the tick of a time, and how many ticks that took."""
    first_msc = last_msc - span_ms
    kernel, younger, count = new_state(), new_state(), 0
    for ticks in read(first_msc, last_msc):
        features_of(kernel, ticks, _ALL)
        features_of(younger, ticks[ticks["time_msc"] > last_msc - span_ms // 2], _ALL)
        count += len(ticks)
    if _memory(kernel) == _memory(younger) or not _has_any(read(0, first_msc - 1)):
        return kernel, count
    return _kernel(read, last_msc, 2 * span_ms)


def _memory(kernel: StateArray) -> bytes:
    one = kernel[0]
    frames = (one[frame][name] for frame in _FRAMES for name in FRAME.names or () if name != "bars")
    return b"".join(value.tobytes() for value in (*(one[n] for n in _REMEMBERED), *frames))


def _has_any(blocks: Iterator[TickArray]) -> bool:
    return any(len(ticks) for ticks in blocks)


def _empty(content: bytes) -> Market:
    """A market that sums over the same symbols in the same order: sums of floats depend on it."""
    market = Market()
    for symbol in Market.symbols_in(content):
        market.advance(symbol, np.zeros(0, TICK))
    return market
