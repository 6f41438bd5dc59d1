"""Recovery state of another feature set: built anew from stored ticks instead of refused.

A kernel's snapshot cannot be read by another version of the kernel, but it says how far it had
come, and the ticks up to there are in the warehouse. The last week of them warms up everything
but the oldest memory of recursive averages (an hourly EMA of 20 has forgotten it by then). What
is rebuilt is right, but not bit for bit what an uninterrupted stream would hold; the log says
that it happened.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from core.contracts.tick import TickArray
from features.kernel import features_of
from features.peers import Market
from features.state import last_time_msc, made_by_this_kernel, new_state, to_bytes
from streams.predict import ModelState
from streams.sample import SamplerState

#: (source, symbol, first_msc, last_msc) -> blocks of stored ticks.
ReadTicks = Callable[[str, str, int, int], Iterator[TickArray]]

WARM_UP_MS = 7 * 86_400_000
_ALL = 1 << 62  # no row is due before this


def current_state(state: Any, read_ticks: ReadTicks) -> SamplerState | None:
    """The sampler's state as this version reads it.

    Args:
        state: what a shard kept: of this version, or of an earlier one, whose state was only the
            kernels by feed.

    Raises:
        ModelError: a snapshot is damaged.
        UnavailableError, WarehouseError: ticks are needed and the warehouse gives none.
    """
    if state is None:
        return None
    known = state if isinstance(state, SamplerState) else SamplerState(dict(state), {}, [])
    if all(made_by_this_kernel(content) for content in known.kernels.values()):
        return known
    return _rebuilt(known, read_ticks)


def current_past(state: Any, columns: int) -> ModelState | None:
    """The model's state; remembered rows of another feature set are forgotten."""
    if state is None:
        return None
    if not isinstance(state, ModelState):  # of the version before: the hash alone
        return ModelState(str(state), {})
    fits = all(rows.shape[1] == columns for rows in state.past.values())
    return state if fits else ModelState(state.model, {})


def _rebuilt(state: SamplerState, read_ticks: ReadTicks) -> SamplerState:
    kernels: dict[str, bytes] = {}
    markets: dict[str, Market] = defaultdict(Market)
    for feed, content in sorted(state.kernels.items()):
        source, _, symbol = feed.partition(".")
        last_msc, kernel, count = last_time_msc(content), new_state(), 0
        for ticks in read_ticks(source, symbol, last_msc - WARM_UP_MS, last_msc):
            features_of(kernel, ticks, _ALL)
            markets[source].advance(symbol, ticks)
            count += len(ticks)
        kernel["span_end"] = -1
        kernels[feed] = to_bytes(kernel)
        logging.getLogger(__name__).warning(
            "%s: the feature set has changed; its state was rebuilt from %d stored ticks",
            feed,
            count,
        )
    stored = {source: market.to_bytes() for source, market in markets.items()}
    return SamplerState(kernels, stored, state.waiting)
