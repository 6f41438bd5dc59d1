"""Lead and lag: what the other symbols of a source did, as of a moment that all feeds have passed.

A row at second t reads every symbol, its own too, by the last mid of each second up to t - 2.
So it does not matter in which order feeds are processed, how they are cut into batches or which
process owns which symbol, as long as no feed is more than a second behind another: live, the
collector's feeds differ by milliseconds; a replay completes its rows when all feeds of a slice
have passed (`fill_together`). A tick that comes later still is counted in `Market.late`: only
then could a replay of the stored ticks give other bits.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TICK, TickArray
from features.catalog import KERNEL_COLUMNS
from features.compiled import compiled, package_stamp
from features.jit import from_dtype, types

#: Seconds between a row and the newest mid it reads: one to close it, one for feeds to differ.
WATERMARK_S = 2
_SECONDS = 128  # kept per symbol: 64 that a row looks back over, and blocks of 32
#: Ticks of so long, and the one before them, are all of the past that a row's peers need.
MEMORY_MSC = _SECONDS * 1000
_BLOCK_S = 32
_BACK_S = 60
_NEVER = -(1 << 62)
_MASK = _SECONDS - 1
_COLUMN = KERNEL_COLUMNS
_OUT_OF_ORDER = 8
_BP = 1e4
_STILL = 1e-14  # summed squared log returns below this are rounding, not moves

#: The last mid of each second of one symbol; a second without a tick has that of the one before.
CLOSES = np.dtype(
    [
        ("time_msc", "<i8"),  # of the last tick used
        ("first", "<i8"),  # first and newest second with a tick
        ("second", "<i8"),
        ("log_mid", "<f8", (_SECONDS,)),  # second n at n % 128
    ]
)

Rows = npt.NDArray[np.float32]


class PeerRows(NamedTuple):
    """Consecutive ticks of one symbol, and the kernel's rows of them with their market times."""

    symbol: str
    ticks: TickArray
    time_msc: npt.NDArray[np.int64]
    rows: Rows


def _make_advance(stamp: int) -> Callable[..., None]:
    def _advance(closes: Any, at: int, ticks: Any) -> None:
        if stamp == 0:
            return
        c = closes[at]
        for n in range(ticks.shape[0]):
            tick = ticks[n]
            late = (tick.quality & _OUT_OF_ORDER) != 0 or tick.time_msc < c.time_msc
            if late or not (tick.bid > 0.0 and tick.ask > 0.0):
                continue
            second = tick.time_msc // 1000
            if c.first < 0:
                c.first = second
                c.second = second
            elif second > c.second:
                before = c.log_mid[c.second & _MASK]
                for gap in range(max(c.second + 1, second - _MASK), second):
                    c.log_mid[gap & _MASK] = before
                c.second = second
            c.time_msc = tick.time_msc
            c.log_mid[second & _MASK] = math.log((tick.bid + tick.ask) / 2.0)

    return _advance


def _make_fill(stamp: int) -> Callable[..., None]:
    def _fill(closes: Any, own: int, times: Any, rows: Any) -> None:
        if stamp == 0:
            return
        me = closes[own]
        for k in range(times.shape[0]):
            w = times[k] // 1000 - WATERMARK_S
            short, shorts, long, longs = 0.0, 0, 0.0, 0
            lead, pull, leads = 0.0, 0.0, 0
            for p in range(closes.shape[0]):
                peer = closes[p]
                if p == own or peer.first < 0:
                    continue
                newest = peer.log_mid[min(w, peer.second) & _MASK]
                if peer.first <= w - 5:
                    short += (newest - peer.log_mid[min(w - 5, peer.second) & _MASK]) * _BP
                    shorts += 1
                if peer.first <= w - 30:
                    long += (newest - peer.log_mid[min(w - 30, peer.second) & _MASK]) * _BP
                    longs += 1
                if peer.first > w - _BACK_S - 1 or me.first > w - _BACK_S:
                    continue
                both, ours, theirs = 0.0, 0.0, 0.0
                mine = me.log_mid[min(w - _BACK_S, me.second) & _MASK]
                older = peer.log_mid[min(w - _BACK_S - 1, peer.second) & _MASK]
                for u in range(w - _BACK_S, w):
                    newer = peer.log_mid[min(u, peer.second) & _MASK]
                    now = me.log_mid[min(u + 1, me.second) & _MASK]
                    a, b = now - mine, newer - older
                    both += a * b
                    ours += a * a
                    theirs += b * b
                    mine, older = now, newer
                leads += 1
                if ours > _STILL and theirs > _STILL:
                    lead += both / math.sqrt(ours * theirs)
                    pull += both / theirs * (newest - older) * _BP
            rows[k, _COLUMN] = short / shorts if shorts > 0 else math.nan
            rows[k, _COLUMN + 1] = long / longs if longs > 0 else math.nan
            rows[k, _COLUMN + 2] = lead / leads if leads > 0 else math.nan
            rows[k, _COLUMN + 3] = pull / leads if leads > 0 else math.nan

    return _fill


_CLOSES = types.Array(from_dtype(CLOSES), 1, "C")
_advance: Callable[..., None] = compiled(
    types.void(_CLOSES, types.int64, types.Array(from_dtype(TICK), 1, "A", readonly=True)),
    _make_advance(package_stamp()),
)
_fill: Callable[..., None] = compiled(
    types.void(
        _CLOSES,
        types.int64,
        types.Array(types.int64, 1, "A", readonly=True),
        types.Array(types.float32, 2, "C"),
    ),
    _make_fill(package_stamp()),
)


class Market:
    """The symbols of one source.

    Attributes:
        late: ticks that came after a row had already read past their second.
    """

    def __init__(self, state: bytes = b"") -> None:
        """`state` is what `to_bytes` gave before a restart."""
        names, _, closes = state.partition(b"\n")
        self._symbols = names.decode().split(",") if names else []
        self._closes = np.frombuffer(closes, CLOSES).copy()
        self._read_to = _NEVER
        self.late = 0

    @staticmethod
    def symbols_in(state: bytes) -> list[str]:
        """The symbols of a snapshot, of whatever version, in the order of their first ticks."""
        names = state.partition(b"\n")[0]
        return names.decode().split(",") if names else []

    def to_bytes(self) -> bytes:
        """A snapshot: the same ticks give the same bytes."""
        return ",".join(self._symbols).encode() + b"\n" + self._closes.tobytes()

    def advance(self, symbol: str, ticks: TickArray) -> None:
        """Take in consecutive ticks of a symbol, without touching any row."""
        at = self._index_of(symbol)
        if len(ticks) and int(ticks["time_msc"][0]) // 1000 <= self._read_to:
            self.late += 1
        _advance(self._closes, at, ticks)

    def began(self, symbol: str, first_msc: int) -> None:
        """A symbol was known since a moment long before the ticks that were taken in."""
        closes = self._closes[self._index_of(symbol)]
        if closes["first"] >= 0:
            closes["first"] = min(int(closes["first"]), first_msc // 1000)

    def fill(self, symbol: str, time_msc: npt.NDArray[np.int64], rows: Rows) -> None:
        """Complete rows float32 [k, F] of a symbol, at market times int64 [k] up to now."""
        if len(rows) == 0:
            return
        _fill(self._closes, self._index_of(symbol), time_msc, rows)
        self._read_to = max(self._read_to, int(time_msc[-1]) // 1000 - WATERMARK_S)

    def fill_together(self, parts: Sequence[PeerRows]) -> None:
        """Take in the ticks of all symbols up to one moment, and complete all their rows.

        The parts of a symbol follow each other. Goes in blocks of market time, so that no more
        than two minutes per symbol need to be kept.
        """
        clocks = [np.maximum.accumulate(part.ticks["time_msc"]) for part in parts]
        times = [part.time_msc for part in parts if len(part.time_msc)]
        if not times:
            for part in parts:
                self.advance(part.symbol, part.ticks)
            return
        stops = (np.unique(np.concatenate(times) // (1000 * _BLOCK_S)) + 1) * (1000 * _BLOCK_S)
        for part in parts:
            self._index_of(part.symbol)  # known from the first block on, with ticks in it or not
        done: Sequence[int] = [0] * len(parts)
        filled: Sequence[int] = done
        ends = zip(*(np.searchsorted(clock, stops).tolist() for clock in clocks), strict=True)
        rows = zip(*(np.searchsorted(p.time_msc, stops).tolist() for p in parts), strict=True)
        for ticks_to, rows_to in zip(ends, rows, strict=True):
            for part, first, end in zip(parts, done, ticks_to, strict=True):
                if first < end:
                    self.advance(part.symbol, part.ticks[first:end])
            for part, first, end in zip(parts, filled, rows_to, strict=True):
                if first < end:
                    self.fill(part.symbol, part.time_msc[first:end], part.rows[first:end])
            done, filled = ticks_to, rows_to
        for part, first in zip(parts, done, strict=True):
            self.advance(part.symbol, part.ticks[first:])

    def _index_of(self, symbol: str) -> int:
        """Symbols stand in the order of their names, so sums over them do not depend on arrival."""
        if symbol not in self._symbols:
            new = np.zeros(1, CLOSES)
            new["time_msc"] = new["first"] = new["second"] = -1
            at = int(np.searchsorted(np.array(self._symbols, dtype=object), symbol))
            self._symbols.insert(at, symbol)
            self._closes = np.concatenate([self._closes[:at], new, self._closes[at:]])
        return self._symbols.index(symbol)
