"""From rows to target positions: which rows open one, in which direction.

A strategy gives every row a target (-1, 0, 1). `entries` turns targets into entries: one position
at a time per feed, held to its horizon, turned early only by the opposite target. All is computed
from market time and rows alone, so the same rows give the same signals however they were cut.
"""

import math
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import SettingsError
from core.sections import SignalSettings
from features.catalog import NAMES

Float32 = npt.NDArray[np.float32]


class Held(NamedTuple):
    """The target a feed's last signal set. `until_msc`: its horizon; direction 0: none yet."""

    direction: int
    until_msc: int


NOTHING_HELD = Held(0, 0)


class Targets(NamedTuple):
    """One row each: direction -1, 0 or 1 (int8, shape (n,)), confidence 0 to 1 (shape (n,)).

    `size`: share of the full position, 0 to 1 (shape (n,)); None: the full one.
    """

    direction: npt.NDArray[np.int8]
    confidence: Float32
    size: npt.NDArray[np.float64] | None = None


class Strategy(Protocol):
    """What a strategy is: a name, a horizon, and targets from rows."""

    name: str
    horizon_s: float
    needs_model: bool

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row. `rows` (n, features), `probabilities` (n, 3): down, flat, up."""
        ...


class ModelStrategy:
    """Targets where the model gives a move beyond costs at least the threshold's probability."""

    name = "model"
    needs_model = True

    def __init__(self, settings: SignalSettings) -> None:
        self.horizon_s, self._threshold = settings.horizon_s, settings.threshold

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target per row; none without a model."""
        if probabilities is None:
            return Targets(np.zeros(len(rows), np.int8), np.zeros(len(rows), np.float32))
        down, up = probabilities[:, 0], probabilities[:, 2]
        confidence = np.maximum(down, up)
        direction = np.where(up > down, 1, -1) * (confidence >= self._threshold)
        return Targets(direction.astype(np.int8), confidence)


class ScriptedStrategy:
    """Follows the trend: long above the 20-minute average, short below. For tests, not money."""

    name = "scripted"
    needs_model = False
    _COLUMN = NAMES.index("sma_20_bp")

    def __init__(self, settings: SignalSettings) -> None:
        self.horizon_s = settings.scripted_horizon_s

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """A target for every row once the average exists."""
        distance = rows[:, self._COLUMN]
        direction = (distance > 0).astype(np.int8) - (distance < 0)  # NaN is neither
        return Targets(direction, np.ones(len(rows), np.float32))


class CheckedStrategy:
    """A plug-in, held to the protocol: what it gets wrong is said, and never becomes a signal.

    One without targets lets orders wait and opens nothing at the market (strategies.orders_form).
    """

    def __init__(self, name: str, own: Strategy) -> None:
        self.name, self.needs_model = name, bool(own.needs_model)
        self.own = own
        try:
            self.horizon_s = float(own.horizon_s)
        except (AttributeError, TypeError, ValueError) as error:
            raise SettingsError(f"strategy {name!r}: horizon_s is no number of seconds") from error
        if not 0 < self.horizon_s < math.inf:
            raise SettingsError(f"strategy {name!r}: horizon_s must be above 0 seconds")

    def targets(self, rows: Float32, probabilities: Float32 | None) -> Targets:
        """The plug-in's targets.

        Raises:
            SettingsError: it raised, or gave something else than a target per row.
        """
        if getattr(type(self.own), "targets", Strategy.targets) is Strategy.targets:
            return Targets(np.zeros(len(rows), np.int8), np.zeros(len(rows), np.float32))
        try:
            answer = self.own.targets(rows, probabilities)
            targets = Targets(np.asarray(answer[0]), np.asarray(answer[1], np.float32))
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(f"strategy {self.name!r}: targets() failed: {error!r}") from error
        if targets.direction.shape != (len(rows),) or targets.confidence.shape != (len(rows),):
            raise SettingsError(
                f"strategy {self.name!r}: {len(rows)} rows need as many directions and"
                f" confidences; it gave {targets.direction.shape} and {targets.confidence.shape}"
            )
        if not np.isin(targets.direction, (-1, 0, 1)).all():
            raise SettingsError(f"strategy {self.name!r}: a direction is -1, 0 or 1")
        return Targets(targets.direction.astype(np.int8), np.nan_to_num(targets.confidence))

    def orders(self, rows: Float32, probabilities: Float32 | None) -> Any:
        """The plug-in's orders, as it gave them; only where it has such a method.

        Raises:
            SettingsError: it raised.
        """
        try:
            return self.own.orders(rows, probabilities)  # type: ignore[attr-defined]
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(f"strategy {self.name!r}: orders() failed: {error!r}") from error


def entries(
    held: Held, time_msc: npt.NDArray[np.int64], direction: npt.NDArray[np.int8], horizon_ms: int
) -> tuple[Held, list[int]]:
    """Rows at which a new target is set, in order, and what is held after the last row.

    Args:
        held: what the feed's previous rows left.
        time_msc: market time of each row, ascending, shape (n,).
        direction: target direction of each row, shape (n,).
        horizon_ms: how long an entry is held.
    """
    if len(direction) == 1:  # a live tick: the same by scalars, a tenth of the time
        target, time = int(direction[0]), int(time_msc[0])
        if target == 0 or (time < held.until_msc and target != -held.direction):
            return held, []
        return Held(target, time + horizon_ms), [0]
    from strategies.entry_rows import entry_rows  # compiled: commands that only list need it not

    chosen = entry_rows(time_msc, direction, horizon_ms, *held).tolist()
    if chosen:
        held = Held(int(direction[chosen[-1]]), int(time_msc[chosen[-1]]) + horizon_ms)
    return held, chosen
