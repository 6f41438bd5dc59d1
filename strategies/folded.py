"""The second form of a strategy: one that remembers, by a state that is folded from its own rows.

It declares how many numbers it remembers and is asked row by row, in the order of market time. So
its targets are the same however the stream was cut; the state is part of the recovery store, and
stands beside every signal for `explain`. What the kernel remembers already (averages, windows,
bars) needs no state: the stateless form stays the simple one.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import SettingsError
from strategies.protocol import Float32, Targets

Float64 = npt.NDArray[np.float64]
_MOST = 256  # numbers


class FoldedStrategy(Protocol):
    """A strategy with a state of `state_size` numbers for each feed."""

    name: str
    horizon_s: float
    needs_model: bool
    state_size: int

    def step(
        self, state: Float64, row: Float32, probabilities: Float32 | None
    ) -> tuple[int, float]:
        """Direction (-1, 0, 1) and confidence (0 to 1) of one row.

        Args:
            state: float64 (state_size,), zeros before a feed's first row; to be changed in place.
            row: the features, shape (features,). `probabilities`: down, flat, up, or None.
        """
        ...


class Folded(NamedTuple):
    """Targets of some rows, the state before each of them (n, state_size), and behind the last.

    `orders`: what it lets wait, as it gave it, of the rows that want something (`orders_form`).
    """

    targets: Targets
    before: Float64
    after: bytes
    orders: tuple[tuple[int, Any], ...] = ()


def fold(
    strategy: FoldedStrategy, state: bytes, rows: Float32, probabilities: Float32 | None
) -> Folded:
    """Ask a strategy for every row in turn. `state`: behind the row before; b"" before any."""
    now = np.frombuffer(state, np.float64).copy() if state else np.zeros(strategy.state_size)
    before = np.empty((len(rows), len(now)))
    direction = np.zeros(len(rows), np.int8)
    confidence = np.zeros(len(rows), np.float32)
    step, step_orders = (getattr(strategy, name, None) for name in ("step", "step_orders"))
    orders = list[tuple[int, Any]]()
    for number, row in enumerate(rows):
        before[number] = now
        seen = None if probabilities is None else probabilities[number]
        if step:
            direction[number], confidence[number] = step(now, row, seen)
        if step_orders and (given := step_orders(now, row, seen)):
            orders.append((number, given))
    return Folded(Targets(direction, confidence), before, now.tobytes(), tuple(orders))


class CheckedFolded:
    """A plug-in of this form, held to it: what it gets wrong is said, and is never a signal.

    One without `step` lets orders wait and opens nothing at the market.
    """

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.needs_model, self.own = name, bool(own.needs_model), own
        self._step: Callable[..., Any] = getattr(own, "step", _no_target)
        self._step_orders: Callable[..., Any] = getattr(own, "step_orders", _no_order)
        self.state_size = own.state_size
        if type(self.state_size) is not int or not 0 < self.state_size <= _MOST:
            raise SettingsError(f"strategy {name!r}: state_size must be from 1 to {_MOST}")
        try:
            self.horizon_s = float(own.horizon_s)
        except (AttributeError, TypeError, ValueError) as error:
            raise SettingsError(f"strategy {name!r}: horizon_s is no number of seconds") from error
        if not 0 < self.horizon_s < math.inf:
            raise SettingsError(f"strategy {name!r}: horizon_s must be above 0 seconds")

    def step(
        self, state: Float64, row: Float32, probabilities: Float32 | None
    ) -> tuple[int, float]:
        """The plug-in's.

        Raises:
            SettingsError: it raised, or gave something else than a direction and a confidence.
        """
        try:
            direction, confidence = self._step(state, row, probabilities)
            sure = float(confidence)
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(f"strategy {self.name!r}: step() failed: {error!r}") from error
        if direction not in (-1, 0, 1):
            raise SettingsError(f"strategy {self.name!r}: a direction is -1, 0 or 1")
        return int(direction), 0.0 if math.isnan(sure) else sure

    def step_orders(self, state: Float64, row: Float32, probabilities: Float32 | None) -> Any:
        """The plug-in's orders of a row, as it gave them.

        Raises:
            SettingsError: it raised.
        """
        try:
            return self._step_orders(state, row, probabilities)
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(
                f"strategy {self.name!r}: step_orders() failed: {error!r}"
            ) from error


def _no_target(*_row: Any) -> tuple[int, float]:
    return 0, 0.0


def _no_order(*_row: Any) -> None:
    return None


def remembers(strategy: object) -> bool:
    """Whether a strategy, or its class, is of this form."""
    steps = hasattr(strategy, "step") or hasattr(strategy, "step_orders")
    return steps and hasattr(strategy, "state_size")
