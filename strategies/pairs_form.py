"""The third form of a strategy: one that sees rows of several symbols at one moment.

A feed's row of second t is decided by what all symbols of its group stood at when second t - 2 was
over: of each, its own too, the newest row up to then. No feed is more than a second behind
another (see features.peers), so a stream, a replay and a backtest see the same rows, and all legs
of one second are decided by the same ones.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import SettingsError
from strategies.protocol import Float32, Targets


class PairTargets(NamedTuple):
    """Targets of every symbol: direction -1, 0 or 1 (int8) and confidence 0 to 1, each
    (n, symbols); `size`: share of the full position, 0 to 1, or None: the full one.
    """

    direction: npt.NDArray[np.int8]
    confidence: Float32
    size: npt.NDArray[np.float64] | None = None

    def of(self, place: int) -> Targets:
        """Those of one symbol."""
        size = None if self.size is None else self.size[:, place]
        return Targets(self.direction[:, place], self.confidence[:, place], size)


class PairsStrategy(Protocol):
    """A strategy over groups of symbols. It remembers nothing and sees no model.

    `group_size`: how many symbols a group has, where not any number will do; may be left out.
    """

    name: str
    horizon_s: float
    needs_model: bool

    def pair_targets(self, rows: Float32, age_s: Float32) -> PairTargets:
        """Targets of all symbols at n moments.

        Args:
            rows: the features, shape (n, symbols, features), symbols as the desk names them; NaN
                where a symbol has no row yet.
            age_s: how old each symbol's row is at the row that is decided, seconds, shape
                (n, symbols), from 2 on; inf where there is none.
        """
        ...


class PairOrdersStrategy(Protocol):
    """One whose orders wait, with or without `pair_targets` beside them."""

    def pair_orders(self, rows: Float32, age_s: Float32) -> Sequence[Any]:
        """Of each symbol in the desk's order: Orders of the n moments, several of them, or None.

        Arguments as `PairsStrategy.pair_targets` has them.
        """
        ...


class CheckedPairs:
    """A plug-in of this form, held to it: what it gets wrong is said, and is never a signal."""

    needs_model = False

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.group_size, self.own = name, getattr(own, "group_size", 0), own
        self._targets: Callable[..., Any] = getattr(own, "pair_targets", _no_targets)
        if hasattr(own, "orders") or hasattr(own, "step_orders"):
            raise SettingsError(
                f"strategy {name!r}: one over several symbols gives pair_orders, and no orders"
            )
        if own.needs_model:
            raise SettingsError(f"strategy {name!r}: one over several symbols sees no model")
        try:
            self.horizon_s = float(own.horizon_s)
        except (AttributeError, TypeError, ValueError) as error:
            raise SettingsError(f"strategy {name!r}: horizon_s is no number of seconds") from error
        if not 0 < self.horizon_s < math.inf:
            raise SettingsError(f"strategy {name!r}: horizon_s must be above 0 seconds")

    def pair_targets(self, rows: Float32, age_s: Float32) -> PairTargets:
        """The plug-in's.

        Raises:
            SettingsError: it raised, or gave something else than a target per moment and symbol.
        """
        try:
            answer = self._targets(rows, age_s)
            given = [np.asarray(answer[0]), np.asarray(answer[1], np.float32)]
            size = answer[2] if len(answer) > 2 else None
            given += [] if size is None else [np.asarray(size, np.float64)]
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(
                f"strategy {self.name!r}: pair_targets() failed: {error!r}"
            ) from error
        if any(part.shape != age_s.shape for part in given):
            raise SettingsError(
                f"strategy {self.name!r}: directions, confidences and sizes are of shape"
                f" {age_s.shape}; it gave {', '.join(str(part.shape) for part in given)}"
            )
        if not np.isin(given[0], (-1, 0, 1)).all():
            raise SettingsError(f"strategy {self.name!r}: a direction is -1, 0 or 1")
        if size is not None and not ((given[2] >= 0) & (given[2] <= 1)).all():
            raise SettingsError(f"strategy {self.name!r}: a size is from 0 to 1")
        return PairTargets(given[0].astype(np.int8), np.nan_to_num(given[1]), *given[2:])

    def pair_orders(self, rows: Float32, age_s: Float32) -> Sequence[Any]:
        """The plug-in's, as it gave them, one of each symbol; only where it has such a method.

        Raises:
            SettingsError: it raised, or gave something else than one of each symbol.
        """
        try:
            given = tuple(self.own.pair_orders(rows, age_s))
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(
                f"strategy {self.name!r}: pair_orders() failed: {error!r}"
            ) from error
        if len(given) != age_s.shape[1]:
            raise SettingsError(
                f"strategy {self.name!r}: pair_orders() gave orders of {len(given)} symbols, and"
                f" the group has {age_s.shape[1]}"
            )
        return tuple(one or () for one in given)


def _no_targets(_rows: Float32, age_s: Float32) -> PairTargets:
    return PairTargets(np.zeros(age_s.shape, np.int8), np.zeros(age_s.shape, np.float32))


def sees_several(strategy: object) -> bool:
    """Whether a strategy, or its class, is of this form."""
    return hasattr(strategy, "pair_targets") or hasattr(strategy, "pair_orders")
