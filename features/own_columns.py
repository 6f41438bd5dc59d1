"""A person's features run over ticks: state per feed, values at the rows that were sampled.

They get the ticks that the kernel uses, and no others: none that came late, no price that is not
positive. A row's value is that of its own tick.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.contracts.tick import OUT_OF_ORDER, TICK, TickArray
from core.errors import SettingsError
from features import own
from features.jit import from_dtype, njit, types
from features.own import LoadedFeature

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

_TICKS = types.Array(from_dtype(TICK), 1, "C", readonly=True)
_OUT = types.Array(types.float64, 1, "C")
_JUDGED = ("time_msc", "quality", "bid", "ask")


_known: dict[tuple[str, bool], Callable[..., None]] = {}  # compiling one takes half a second


def compiled(loaded: LoadedFeature, *, careful: bool = False) -> Callable[..., None]:
    """run(state (1,), ticks (n,), out float64 (n,)) of a feature; once for each file's content.

    Args:
        careful: an index out of its array raises, instead of reading whatever lies there.

    Raises:
        SettingsError: numba cannot compile it; with what it says.
    """
    key = loaded.content, careful
    if key not in _known:
        _known[key] = _compiled(loaded, careful=careful)
    return _known[key]


def _compiled(loaded: LoadedFeature, *, careful: bool) -> Callable[..., None]:
    update = njit(error_model="numpy", boundscheck=careful)(loaded.update)

    def run(state: Any, ticks: Any, out: Any) -> None:
        update(state[0], ticks, out)

    state = types.Array(from_dtype(loaded.dtype), 1, "C")
    try:
        return njit(types.void(state, _TICKS, _OUT), nogil=True)(run)  # type: ignore[no-any-return]
    except Exception as error:  # a field that is not there is a KeyError of numba's
        raise SettingsError(
            f"{loaded.path}: update() cannot be compiled: {_said(error)}"
        ) from error


class OwnState:
    """One feed's memory of one feature."""

    def __init__(self, loaded: LoadedFeature, run: Callable[..., None]) -> None:
        self.loaded, self._run = loaded, run
        self.state = np.zeros(1, loaded.dtype)

    def values(self, ticks: TickArray) -> Floats:
        """Of usable ticks in order, float64 (n,); what is not written stays NaN.

        Raises:
            SettingsError: it raised.
        """
        out = np.full(len(ticks), np.nan)
        if not len(ticks):
            return out
        try:
            self._run(self.state, np.ascontiguousarray(ticks), out)
        except Exception as error:  # whatever the person's code raises
            path = self.loaded.path
            raise SettingsError(f"{path}: update() failed: {error!r}") from error
        return out


class OwnMemory(msgspec.Struct, frozen=True):
    """All that is remembered of one feed: of each feature its file's SHA-256 and its state."""

    last_msc: int
    states: dict[str, tuple[str, bytes]]


class OwnColumns:
    """A person's features of all feeds of one market."""

    def __init__(
        self, features: Sequence[LoadedFeature], memories: Mapping[str, bytes] | None = None
    ) -> None:
        """Go on from `memories`, which `memories` gave before a restart.

        Raises:
            SettingsError: a file cannot be compiled, or a memory is none of these features.
        """
        self.features = tuple(features)
        self.set_hash = own.set_hash(self.features)
        self._runs = [compiled(loaded) for loaded in features]
        self._feeds: dict[str, list[OwnState]] = {}
        self._last_msc: dict[str, int] = {}
        for feed, memory in (memories or {}).items() if features else ():
            self._restore(feed, memory)

    def __bool__(self) -> bool:
        return bool(self.features)

    @property
    def memories(self) -> dict[str, bytes]:
        """Of every feed, for the recovery store: the same ticks give the same bytes."""
        return {feed: self.memory(feed) for feed in self._feeds}

    def memory(self, feed: str) -> bytes:
        """Of one feed."""
        states = {
            one.loaded.feature.name: (one.loaded.content, one.state.tobytes())
            for one in self._states(feed)
        }
        return msgspec.msgpack.encode(OwnMemory(self._last_msc.get(feed, -1), states))

    def advance(self, feed: str, ticks: TickArray) -> None:
        """Take in consecutive ticks of a feed, for no row."""
        self._fold(feed, usable(ticks, self._last_msc.get(feed, -1)))

    def widened(
        self, feed: str, ticks: TickArray,
        keys: tuple[npt.NDArray[np.int64], npt.NDArray[Any]], rows: Rows,
        hours_us: Sequence[int] = (),
    ) -> tuple[Rows, list[bytes]]:  # fmt: skip
        """Rows float32 (k, F) with a column more for each feature, after the catalogue's.

        What is not finite is NaN.

        Args:
            feed: `source.symbol`.
            ticks: the feed's next ticks, in which all rows lie.
            keys: time_msc and seq of each row's tick, (k,).
            hours_us: full hours of market time that began among these ticks.

        Returns:
            the rows, and the feed's memory of all ticks before each of these hours.
        """
        fit = usable(ticks, self._last_msc.get(feed, -1))
        if not len(rows) and not len(hours_us):  # a live tick, most often
            self._fold(feed, fit)
            return np.empty((0, rows.shape[1] + len(self.features)), np.float32), []
        edges = np.searchsorted(fit["time_msc"], [hour // 1000 for hour in hours_us]).tolist()
        parts, memories, done = [], [], 0
        for edge in edges:
            parts.append(self._folded(feed, fit[done:edge]))
            memories.append(self.memory(feed))
            done = edge
        parts.append(self._folded(feed, fit[done:]))
        places = np.searchsorted(_key(fit["time_msc"], fit["seq"]), _key(*keys))
        with np.errstate(over="ignore"):  # what float32 cannot hold is not finite
            own_rows = np.concatenate(parts)[places].astype(np.float32)
        own_rows[~np.isfinite(own_rows)] = np.nan
        return np.concatenate([rows, own_rows], axis=1), memories

    def _folded(self, feed: str, fit: TickArray) -> Floats:
        """A value of each feature for each usable tick, (n, features)."""
        return np.stack(self._fold(feed, fit), axis=1)

    def _fold(self, feed: str, fit: TickArray) -> list[Floats]:
        if len(fit):
            self._last_msc[feed] = int(fit["time_msc"][-1])
        return [state.values(fit) for state in self._states(feed)]

    def _states(self, feed: str) -> list[OwnState]:
        if feed not in self._feeds:
            pairs = zip(self.features, self._runs, strict=True)
            self._feeds[feed] = [OwnState(loaded, run) for loaded, run in pairs]
        return self._feeds[feed]

    def _restore(self, feed: str, content: bytes) -> None:
        memory = remembered(content)
        if not fits(memory, self.features):
            raise SettingsError(
                f"{feed}: what is remembered of it is of other features than those in use"
                f" ({', '.join(memory.states)}); rebuild it from stored ticks"
            )
        self._last_msc[feed] = memory.last_msc
        for state in self._states(feed):
            kept = memory.states[state.loaded.feature.name][1]
            state.state = np.frombuffer(kept, state.loaded.dtype).copy()


def remembered(content: bytes) -> OwnMemory:
    """A feed's memory of its bytes.

    Raises:
        SettingsError: damaged.
    """
    try:
        return msgspec.msgpack.decode(content, type=OwnMemory)
    except msgspec.MsgspecError as error:
        raise SettingsError(f"memory of own features is damaged: {error}") from error


def fits(memory: OwnMemory, features: Sequence[LoadedFeature]) -> bool:
    """Whether a memory is of exactly these files."""
    here = {one.feature.name: (one.content, one.dtype.itemsize) for one in features}
    kept = {name: (file, len(state)) for name, (file, state) in memory.states.items()}
    return here == kept


def usable(ticks: TickArray, last_msc: int) -> TickArray:
    """Those of consecutive ticks that the kernel uses after `last_msc`, contiguous."""
    if len(ticks) == 1:  # a live tick: the same by scalars, a tenth of the time
        time_msc, quality, bid, ask = (ticks[0][name] for name in _JUDGED)
        fits = not quality & OUT_OF_ORDER and bid > 0 and ask > 0 and time_msc >= last_msc
        return ticks if fits else ticks[:0]
    time = ticks["time_msc"]
    fit = ((ticks["quality"] & OUT_OF_ORDER) == 0) & (ticks["bid"] > 0) & (ticks["ask"] > 0)
    reached = np.maximum.accumulate(np.where(fit, time, -1)) if len(time) else time
    return np.ascontiguousarray(ticks[fit & (time >= np.maximum(reached, last_msc))])


def _key(time_msc: npt.NDArray[np.int64], seq: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(time_msc, np.int64) * (1 << 20) + np.asarray(seq, np.int64)


def _said(error: BaseException) -> str:
    """The lines of numba's long message that name the trouble."""
    if isinstance(error, KeyError):
        return f"state has no field {error}; declare it"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "Unknown attribute" in line or "undefined" in line]
    return " ".join((telling or lines)[:2])[:300]
