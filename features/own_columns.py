"""A person's features run over ticks: state per feed, values at the rows that were sampled.

They get the ticks that the kernel uses, and no others: none that came late, no price that is not
positive. A row's value is that of its own tick.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import from_dtype, njit, types

from core.contracts.tick import OUT_OF_ORDER, TICK, TickArray
from core.errors import SettingsError
from features import own
from features.catalog import NAMES
from features.own import LoadedFeature

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

_TICKS = types.Array(from_dtype(TICK), 1, "C", readonly=True)
_OUT = types.Array(types.float64, 1, "C")


def compiled(loaded: LoadedFeature, *, careful: bool = False) -> Callable[..., None]:
    """run(state (1,), ticks (n,), out float64 (n,)) of a feature.

    Args:
        careful: an index out of its array raises, instead of reading whatever lies there.

    Raises:
        SettingsError: numba cannot compile it; with what it says.
    """
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


class OwnColumns:
    """A person's features of all feeds of one market."""

    def __init__(self, features: Sequence[LoadedFeature]) -> None:
        self.features = tuple(features)
        self._runs = [compiled(loaded) for loaded in features]
        self._feeds: dict[tuple[str, str], list[OwnState]] = {}
        self._last_msc: dict[tuple[str, str], int] = {}

    def widened(
        self, feed: tuple[str, str], ticks: TickArray,
        keys: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], rows: Rows,
    ) -> Rows:  # fmt: skip
        """Rows float32 (k, F) with a column more for each feature, after the catalogue's.

        Args:
            ticks: the feed's next ticks, in which all rows lie.
            keys: time_msc and seq of each row's tick, (k,).
        """
        if not self.features:
            return rows
        fit = usable(ticks, self._last_msc.get(feed, -1))
        if len(fit):
            self._last_msc[feed] = int(fit["time_msc"][-1])
        states = self._feeds.setdefault(feed, [
            OwnState(loaded, run) for loaded, run in zip(self.features, self._runs, strict=True)
        ])  # fmt: skip
        places = np.searchsorted(_key(fit["time_msc"], fit["seq"]), _key(*keys))
        columns = [state.values(fit)[places].astype(np.float32) for state in states]
        return np.column_stack([rows, *columns])


def usable(ticks: TickArray, last_msc: int) -> TickArray:
    """Those of consecutive ticks that the kernel uses after `last_msc`, contiguous."""
    time = ticks["time_msc"]
    fit = ((ticks["quality"] & OUT_OF_ORDER) == 0) & (ticks["bid"] > 0) & (ticks["ask"] > 0)
    reached = np.maximum.accumulate(np.where(fit, time, -1)) if len(time) else time
    return np.ascontiguousarray(ticks[fit & (time >= np.maximum(reached, last_msc))])


_home: tuple[LoadedFeature, ...] = ()


def use_home(home: Path) -> tuple[LoadedFeature, ...]:
    """Take a home's features for `feature_index`: a process knows those of one home."""
    global _home
    _home = own.of_home(home)
    return _home


def feature_index(name: str) -> int:
    """The column of a feature in a row: the catalogue's, then those of HOME/features by name.

    Raises:
        SettingsError: there is none of that name.
    """
    names = [*NAMES, *(loaded.feature.name for loaded in _home)]
    if name not in names:
        own_names = ", ".join(names[len(NAMES) :]) or "none"
        raise SettingsError(
            f"no feature {name!r}: neither of the catalogue nor in HOME/features ({own_names}); a"
            " feature of your own is served in backtests"
        )
    return names.index(name)


def _key(time_msc: npt.NDArray[np.int64], seq: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(time_msc, np.int64) * (1 << 20) + np.asarray(seq, np.int64)


def _said(error: BaseException) -> str:
    """The lines of numba's long message that name the trouble."""
    if isinstance(error, KeyError):
        return f"state has no field {error}; declare it"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "Unknown attribute" in line or "undefined" in line]
    return " ".join((telling or lines)[:2])[:300]
