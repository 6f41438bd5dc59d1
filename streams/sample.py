"""Tick batches to feature rows: one kernel state per feed, and one market per source.

Live, rows leave at once. A replay's batches are whole slices, one feed after the other, so they
wait for the marker behind which no feed has an earlier tick: only then do all symbols of a source
stand at the same moment. Both ways give the same bits (see features.peers).
"""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TickArray, TickBatch
from core.metrics import Histograms
from features.kernel import features_of
from features.own import LoadedFeature
from features.own_columns import OwnColumns
from features.peers import Market, PeerRows
from features.state import StateArray, from_bytes, new_state, to_bytes
from streams.records import KernelSnapshot, OwnNames, Sampled
from streams.shards import Part
from streams.snapshots import with_snapshots

_NO_ROWS = np.zeros(0, np.int64), np.zeros((0, 0), np.float32)


class SamplerState(NamedTuple):
    """Kernels by feed, markets by source, and a replay's batches of the open slice.

    `seqs`: count within its millisecond of the last tick that each kernel used: a kernel that is
    rebuilt stops there, not at the millisecond's end. Of feeds that states of before lack, nobody
    knows. `own`: memories of a person's own features by feed. `parts`: what the shard does with
    each batch that waits; none are named where all are its own.
    """

    kernels: dict[str, bytes]
    markets: dict[str, bytes]
    waiting: list[TickBatch]
    seqs: Mapping[str, int] = MappingProxyType({})
    own: Mapping[str, bytes] = MappingProxyType({})
    parts: Sequence[int] = ()


class _Waiting(NamedTuple):
    batch: TickBatch
    received_ns: int
    part: Part


class Sampler:
    """The kernels of all feeds of one shard."""

    def __init__(
        self,
        sample_ms: int,
        histograms: Histograms,
        state: SamplerState | None,
        *,
        keep_hours: bool = False,
        features: Sequence[LoadedFeature] = (),
    ) -> None:
        """Go on from where `state` was taken.

        Args:
            state: what `state` returned before a restart.
            keep_hours: rows carry snapshots of the kernels at full hours.
            features: a person's own, whose columns follow the catalogue's.

        Raises:
            ModelError: the state belongs to another feature set.
            SettingsError: an own feature cannot be compiled, or the state is of other ones.
        """
        self._take = with_snapshots if keep_hours else _without_snapshots
        self._sample_ms, self._histograms = sample_ms, histograms
        kernels, markets, waiting, seqs, own, parts = state or SamplerState({}, {}, [])
        self._kernels = {feed: from_bytes(content) for feed, content in kernels.items()}
        self._markets = defaultdict(
            Market, {source: Market(content) for source, content in markets.items()}
        )
        now_ns = time.perf_counter_ns()
        self._waiting = [
            _Waiting(batch, now_ns, Part(part))
            for batch, part in zip(waiting, parts or [Part.OWN] * len(waiting), strict=True)
        ]
        self._seqs = dict(seqs)
        self._own = OwnColumns(features, own)
        names = tuple(one.feature.name for one in features)
        self._own_names = OwnNames(names, self._own.set_hash)
        self._late_told = 0

    @property
    def state(self) -> SamplerState:
        """For the recovery store."""
        return SamplerState(
            {feed: to_bytes(kernel) for feed, kernel in self._kernels.items()},
            {source: market.to_bytes() for source, market in self._markets.items()},
            [one.batch for one in self._waiting],
            dict(self._seqs),
            self._own.memories,
            [int(one.part) for one in self._waiting],
        )

    def rows(self, batch: TickBatch, received_ns: int, part: Part = Part.OWN) -> list[Sampled]:
        """The feature rows of a live batch; none yet of a replay's, and none of a passing one."""
        if batch.mode == "replay":
            self._waiting.append(_Waiting(batch, received_ns, part))
            return []
        market = self._markets[batch.source]
        if part is Part.PASSING:
            market.advance(batch.symbol, batch.ticks)
            return []
        sampled = self._sampled(batch, received_ns, part)
        market.advance(batch.symbol, batch.ticks)
        market.fill(batch.symbol, sampled.time_msc, sampled.features)
        self._warn_late(batch.source, market)
        return [sampled]

    def release(self) -> list[Sampled]:
        """At a marker: the rows of everything that waited for it, in the order it came."""
        waiting, self._waiting = self._waiting, []
        began = [int(one.batch.ticks["time_msc"][0]) for one in waiting if len(one.batch.ticks)]
        released, parts = list[Sampled](), defaultdict[str, list[PeerRows]](list)
        for batch, received_ns, part in waiting:
            if part is Part.PASSING:
                peer = PeerRows(batch.symbol, batch.ticks, *_NO_ROWS)
            else:
                sampled = self._sampled(batch, received_ns, part)
                released.append(sampled._replace(began_msc=min(began, default=None)))
                peer = PeerRows(batch.symbol, batch.ticks, sampled.time_msc, sampled.features)
            parts[batch.source].append(peer)
        for source, of_source in parts.items():
            self._markets[source].fill_together(of_source)
        return released

    def _sampled(self, batch: TickBatch, received_ns: int, part: Part) -> Sampled:
        ticks, kernel = batch.ticks, self._kernel(batch)
        started = time.perf_counter_ns()
        features, index, kept = self._take(kernel, ticks, self._sample_ms)
        elapsed = time.perf_counter_ns() - started
        self._note_last(batch, kernel)
        self._histograms.record("feature", elapsed // max(len(ticks), 1), len(ticks))
        bid, ask, time_msc = ticks["bid"][index], ticks["ask"][index], ticks["time_msc"][index]
        live = batch.mode != "replay"  # where a tick is received when it happened
        sampled = Sampled(
            run_id=batch.run_id,
            mode=batch.mode,
            source=batch.source,
            symbol=batch.symbol,
            received_ns=received_ns,
            time_msc=time_msc,
            seq=ticks["seq"][index],
            mid=(bid + ask) / 2,
            spread=ask - bid,
            features=features,
            snapshots=kept,
            late_ms=ticks["ts_recv_us"][index] // 1000 - time_msc if live else None,
            followed=part is Part.FOLLOWED,
        )
        return self._widened(sampled, ticks) if self._own else sampled

    def _widened(self, sampled: Sampled, ticks: TickArray) -> Sampled:
        """With the columns of a person's own features, and their memory beside the kernel's."""
        rows, memories = self._own.widened(
            f"{sampled.source}.{sampled.symbol}", ticks, (sampled.time_msc, sampled.seq),
            sampled.features, [kept.hour_us for kept in sampled.snapshots],
        )  # fmt: skip
        pairs = zip(sampled.snapshots, memories, strict=True)
        kept = tuple(snapshot._replace(own=memory) for snapshot, memory in pairs)
        return sampled._replace(features=rows, snapshots=kept, own=self._own_names)

    def _kernel(self, batch: TickBatch) -> StateArray:
        feed = f"{batch.source}.{batch.symbol}"
        if feed not in self._kernels:
            self._kernels[feed] = new_state()
        return self._kernels[feed]

    def _note_last(self, batch: TickBatch, kernel: StateArray) -> None:
        used = np.flatnonzero(batch.ticks["time_msc"] == kernel["time_msc"][0])
        if len(used):
            self._seqs[f"{batch.source}.{batch.symbol}"] = int(batch.ticks["seq"][used[-1]])

    def _warn_late(self, source: str, market: Market) -> None:
        """Ever rarer: at the first, second, fourth, ... late batch."""
        if market.late > 2 * self._late_told:
            self._late_told = market.late
            logging.getLogger(__name__).warning(
                "%s: %d batches came more than a second behind another symbol; the peer_* columns"
                " of rows near them cannot be recomputed exactly",
                source,
                market.late,
            )


def _without_snapshots(
    kernel: StateArray, ticks: TickArray, sample_ms: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], tuple[KernelSnapshot, ...]]:
    return *features_of(kernel, ticks, sample_ms), ()
