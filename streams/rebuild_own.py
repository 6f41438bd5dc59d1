"""Own features that are new or changed since a flow's state was kept: folded from stored ticks.

A feature remembers what its file says, so a changed file's state counts for nothing. What it would
remember if it had been there from the run's first tick is what the ticks of the run give, up to
the one at which the kernel stands; the first row of a run is that of its first tick.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.contracts.tick import TickArray
from features.own import LoadedFeature
from features.own_columns import OwnColumns, fits, remembered
from features.state import last_time_msc
from streams.rebuild import ReadTicks, until
from streams.sample import SamplerState

_BEGAN = Path(__file__).with_name("began.sql").read_text()


class Moment(NamedTuple):
    """A tick's place in its feed."""

    time_msc: int
    seq: int


#: (source, symbol) -> the run's first tick; None when no row of the feed is stored.
Began = Callable[[str, str], Moment | None]


def began_in_run(client: Client, run_id: str, source: str, symbol: str) -> Moment | None:
    """The first tick of a feed that gave a row in a run, which its first does.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    given = {"run_id": run_id, "source": source, "symbol": symbol}
    with errors_translated():
        rows = client.query(_BEGAN, given).result_rows
    return Moment(*rows[0]) if rows else None


def with_own_features(
    state: SamplerState | None,
    features: Sequence[LoadedFeature],
    read_ticks: ReadTicks,
    began: Began,
) -> SamplerState | None:
    """The state with a memory of these features for every feed whose kernel remembers something.

    Raises:
        SettingsError: a feature cannot be compiled, or raised.
        UnavailableError, WarehouseError: ticks are needed and the warehouse gives none.
    """
    if state is None or not features:
        return None if state is None else state._replace(own={})
    known = {
        feed: memory for feed, memory in state.own.items() if fits(remembered(memory), features)
    }
    missing = {feed: content for feed, content in state.kernels.items() if feed not in known}
    if not missing:
        return state._replace(own=known)
    columns = OwnColumns(features)
    for feed, count in _fold(columns, missing, state.seqs, read_ticks, began):
        logging.getLogger(__name__).warning(
            "%s: own features have changed; what they remember was folded from %d stored ticks",
            feed,
            count,
        )
    return state._replace(own={**known, **columns.memories})


def _fold(
    columns: OwnColumns, kernels: Mapping[str, bytes], seqs: Mapping[str, int],
    read_ticks: ReadTicks, began: Began,
) -> Iterator[tuple[str, int]]:  # fmt: skip
    for feed, content in sorted(kernels.items()):
        source, _, symbol = feed.partition(".")
        last_msc, first, count = last_time_msc(content), began(source, symbol), 0
        if first is not None:
            read = until(
                partial(read_ticks, source, symbol), last_msc, seqs.get(feed),
                first.time_msc, last_msc,
            )  # fmt: skip
            for ticks in _since(read, first):
                columns.advance(feed, ticks)
                count += len(ticks)
        yield feed, count


def _since(blocks: Iterator[TickArray], first: Moment) -> Iterator[TickArray]:
    for ticks in blocks:
        time, seq = ticks["time_msc"], ticks["seq"]
        yield ticks[(time > first.time_msc) | ((time == first.time_msc) & (seq >= first.seq))]
