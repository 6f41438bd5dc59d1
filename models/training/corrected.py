"""Feature rows that saw a tick which was corrected later, computed again for training.

What was decided stays as it is in `feature`; a training learns from the ticks as they are known.
The rows come from the kernel that stream and replay share, which starts from the last full hour
before the first corrected tick, or from where the run began. A corrected tick is in the rows of its
own feed until the longest averages have forgotten it, and in those of the source's other symbols
for two minutes. There is a row where one was decided, and nowhere else: a tick that was added to a
second without one could not have been decided on, and is seen by labels and by later rows alone.
Computed rows are not stored: a data version and the ticks' own versions give them again, bit for
bit, and rows of each version would be kept for ever for a model that may never be asked.
"""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.tick_reader import read_ticks
from core.contracts.tick import TICK, TickArray
from core.sections import FeatureSettings
from features.catalog import FEATURE_SET_HASH, KERNEL_COLUMNS
from features.kernel import features_of
from features.peers import MEMORY_MSC, Market, PeerRows
from features.state import StateArray, from_bytes, new_state

#: An hourly average of 20 has forgotten a tick after a week, to the last bit of a feature.
FORGOTTEN_MSC = 7 * 86_400_000
_DAY_MSC = 86_400_000
_HERE = Path(__file__)
_BEGAN, _KERNEL, _CORRECTED = (
    _HERE.with_name(f"{name}.sql").read_text()
    for name in ("began", "kernel_before", "corrected_ticks")
)
Times = npt.NDArray[np.int64]


class FeedRows(NamedTuple):
    """Rows of one feed in time order; as the arrays of a dataset."""

    rows: npt.NDArray[np.float32]
    time_us: Times
    mid: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]

    def chosen(self, which: npt.NDArray[np.bool_]) -> "FeedRows":
        """Some of them, as copies."""
        return FeedRows(self.rows[which], self.time_us[which], self.mid[which], self.spread[which])


class Source(NamedTuple):
    """A run's feeds of one source, and as of when their ticks are read (microseconds)."""

    client: Client
    run_id: str
    name: str
    known_us: int
    as_of: bool  # not simply the newest

    def ticks(self, symbol: str, first_msc: int, last_msc: int) -> TickArray:
        """Both bounds included."""
        known_us = self.known_us if self.as_of else None
        blocks = read_ticks(self.client, self.name, symbol, first_msc, last_msc, known_us)
        return np.concatenate([np.empty(0, TICK), *blocks])

    def ask(self, sql: str, **given: Any) -> list[Any]:
        """Rows of a query about this source and run."""
        own = {
            "run_id": self.run_id, "source": self.name, "feature_set_hash": FEATURE_SET_HASH,
            "known_us": self.known_us,
        }  # fmt: skip
        with errors_translated():
            return list(self.client.query(sql, parameters=own | given).result_rows)


def corrected(source: Source, decided: Mapping[str, FeedRows]) -> dict[str, FeedRows]:
    """The rows of a source's feeds by symbol, those that saw corrected ticks computed again.

    Raises:
        ModelError: a kernel's snapshot is damaged.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    rows = dict(decided)
    first, last = _bounds(decided)
    moments = {
        symbol: np.sort(np.array(times, np.int64))
        for symbol, times in source.ask(_CORRECTED, first_msc=first - FORGOTTEN_MSC, last_msc=last)
    }
    if not moments:
        return rows
    sample_ms, began = _sample_ms(source), {s: (m, q) for s, m, q in source.ask(_BEGAN)}
    for begin, end in reaches(np.sort(np.concatenate(list(moments.values())))):
        own = {s: t[(t >= begin) & (t <= end)] for s, t in moments.items()}
        own = {s: t for s, t in own.items() if len(t) and s in began}
        for part in _computed(source, rows, own, began, (begin, min(end, last)), sample_ms):
            rows[part.symbol] = _replaced(rows[part.symbol], part, sample_ms)
    return rows


def reaches(moments_msc: Times) -> list[tuple[int, int]]:
    """From the first tick to when the last has been forgotten, of those that overlap as one."""
    if not len(moments_msc):
        return []
    gaps = np.flatnonzero(np.diff(moments_msc) > FORGOTTEN_MSC)
    firsts = moments_msc[np.concatenate([[0], gaps + 1])]
    lasts = moments_msc[np.concatenate([gaps, [len(moments_msc) - 1]])]
    return [(int(a), int(b) + FORGOTTEN_MSC) for a, b in zip(firsts, lasts, strict=True)]


class _Part(NamedTuple):
    """Rows of a symbol that take the place of the decided ones in a span of market time."""

    symbol: str
    first_msc: int
    last_msc: int
    rows: FeedRows
    whole: bool  # all columns; else only those that look across symbols


def _bounds(decided: Mapping[str, FeedRows]) -> tuple[int, int]:
    times = [feed.time_us for feed in decided.values() if len(feed.time_us)]
    if not times:
        return 0, -1
    return min(int(t[0]) for t in times) // 1000, max(int(t[-1]) for t in times) // 1000


def _sample_ms(source: Source) -> int:
    stored = source.ask("SELECT settings FROM run FINAL WHERE run_id = {run_id:String}")
    shape = msgspec.json.decode(stored[0][0] if stored else "{}", type=_Shape)
    return shape.features.sample_ms


class _Shape(msgspec.Struct, frozen=True):
    features: FeatureSettings = FeatureSettings()


def _computed(
    source: Source, rows: Mapping[str, FeedRows], own: Mapping[str, Times],
    began: Mapping[str, tuple[int, int]], reach: tuple[int, int], sample_ms: int,
) -> Iterator[_Part]:  # fmt: skip
    """A day of market time after the other, so that memory stays that of a day."""
    begin, end = reach
    kernels = {symbol: _kernel(source, symbol, began[symbol], begin, sample_ms) for symbol in own}
    market = _market(source, began, begin)
    corrected_msc = np.sort(np.concatenate(list(own.values()))) if own else np.empty(0, np.int64)
    for first in range(begin, end + 1, _DAY_MSC):
        last = min(first + _DAY_MSC - 1, end)
        ticks = {s: _of_run(source.ticks(s, first, last), at) for s, at in began.items()}
        parts = [
            _of_kernel(symbol, kernels[symbol], known, sample_ms, first, last)
            if symbol in kernels
            else _of_peers(symbol, rows[symbol], corrected_msc, first, last)
            for symbol, known in ticks.items()
            if symbol in rows
        ]
        market.fill_together(
            [
                PeerRows(p.symbol, ticks[p.symbol], p.rows.time_us // 1000, p.rows.rows)
                for p in parts
            ]
        )
        yield from parts


def _kernel(
    source: Source, symbol: str, began: tuple[int, int], first_msc: int, sample_ms: int
) -> StateArray:
    """The kernel's memory of a feed right before a moment."""
    stored = source.ask(_KERNEL, symbol=symbol, first_msc=first_msc)
    kernel, since = new_state(), began[0]
    if stored:
        since, kernel = int(stored[0][0]), from_bytes(base64.b64decode(stored[0][1]))
    for first in range(since, first_msc, _DAY_MSC):
        last = min(first + _DAY_MSC, first_msc) - 1
        features_of(kernel, _of_run(source.ticks(symbol, first, last), began), sample_ms)
    return kernel


def _of_run(ticks: TickArray, began: tuple[int, int]) -> TickArray:
    """Without what came before the run's first tick in the same millisecond."""
    at, seq = began
    kept: TickArray = ticks[
        (ticks["time_msc"] > at) | (ticks["time_msc"] == at) & (ticks["seq"] >= seq)
    ]
    return kept


def _market(source: Source, began: Mapping[str, tuple[int, int]], first_msc: int) -> Market:
    """What every symbol did right before a moment, and where the silent ones stood."""
    market = Market()
    for symbol, (at, _) in began.items():
        since = first_msc - MEMORY_MSC
        stood = source.ask(
            "SELECT toUnixTimestamp64Milli(max(ts_event)) FROM tick WHERE source = {source:String}"
            " AND symbol = {symbol:String} AND bitAnd(quality, 8) = 0"
            " AND ts_event < fromUnixTimestamp64Milli({since:Int64}, 'UTC')",
            symbol=symbol, since=since,
        )[0][0]  # fmt: skip
        market.advance(symbol, source.ticks(symbol, max(int(stood), at), first_msc - 1))
        market.began(symbol, at)
    return market


def _of_kernel(
    symbol: str, kernel: StateArray, ticks: TickArray, sample_ms: int, first: int, last: int
) -> _Part:
    features, index = features_of(kernel, ticks, sample_ms)
    bid, ask = ticks["bid"][index], ticks["ask"][index]
    rows = FeedRows(features, ticks["time_msc"][index] * 1000, (bid + ask) / 2, ask - bid)
    return _Part(symbol, first, last, rows, True)


def _of_peers(symbol: str, decided: FeedRows, corrected_msc: Times, first: int, last: int) -> _Part:
    """Rows as they were decided, of the two minutes after each corrected tick."""
    time_msc = decided.time_us // 1000
    after = np.searchsorted(corrected_msc, time_msc, side="right") - 1
    since = np.where(after >= 0, time_msc - corrected_msc[after], MEMORY_MSC + 1)
    near = (since <= MEMORY_MSC) & (time_msc >= first) & (time_msc <= last)
    return _Part(symbol, first, last, decided.chosen(near), False)


def _replaced(decided: FeedRows, part: _Part, sample_ms: int) -> FeedRows:
    if not part.whole:
        at = np.searchsorted(decided.time_us, part.rows.time_us)
        rows = decided.rows.copy()
        rows[at, KERNEL_COLUMNS:] = part.rows.rows[:, KERNEL_COLUMNS:]
        return decided._replace(rows=rows)
    first_us, last_us = part.first_msc * 1000, part.last_msc * 1000 + 999
    inside = (decided.time_us >= first_us) & (decided.time_us <= last_us)
    kept = np.isin(
        part.rows.time_us // (sample_ms * 1000), decided.time_us[inside] // (sample_ms * 1000)
    )
    new, old = part.rows.chosen(kept), decided.chosen(~inside)
    order = np.argsort(np.concatenate([old.time_us, new.time_us]), kind="stable")
    return FeedRows(
        np.concatenate([old.rows, new.rows])[order],
        np.concatenate([old.time_us, new.time_us])[order],
        np.concatenate([old.mid, new.mid])[order],
        np.concatenate([old.spread, new.spread])[order],
    )
