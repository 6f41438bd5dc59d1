"""Which signals execution takes up at all, asked before anything else looks at them.

Whatever reaches the topic `signals` looks like one of ours. A signal from the future would make
all later ones look outdated, exits too; a strategy that does not run here has no business with
the account; a flood would keep the trading thread from its exits and fill the disk. A replay
asks nothing: its clock stands at each signal's own time, its bus is its own, and it sends as
fast as it can.
"""

import logging
from collections import Counter

from core.clock import Clock, Timer
from core.contracts.order import DenialReason
from core.contracts.signal import Signal
from core.sections import AdmissionSettings, RunSettings
from execution.risk.checks import Denial

_log = logging.getLogger(__name__)
_OTHERS = ""  # all strategies that do not run here count as one


class Admission:
    """Judges signals as they arrive, in the trading thread."""

    def __init__(
        self, run: RunSettings, settings: AdmissionSettings, clock: Clock, timer: Timer
    ) -> None:
        self._strategies = frozenset(settings.strategies or (run.strategy,))
        self._limit, self._ahead_s = settings.max_signals_per_second, settings.future_tolerance_s
        self._clock, self._timer = clock, timer
        self._second = 0
        self._counts: Counter[str] = Counter()  # within this second
        self._refused: Counter[str] = Counter()  # since the last log line about it

    def denial(self, signal: Signal, *, counted: bool = True) -> Denial | None:
        """Why a signal is not taken up, or None. `counted`: it counts against the rate."""
        denial = self._too_many(signal) if counted else None
        denial = denial or self._unknown(signal) or self._ahead(signal)
        if denial is not None:
            self._refused[denial.reason.value] += 1
        return denial

    def next_second(self) -> None:
        """When a second is over, count anew and log what was refused: a flood is one line."""
        second = int(self._timer.seconds())
        if second == self._second:
            return
        self._second = second
        self._counts.clear()
        if self._refused:
            refusals = ", ".join(f"{count} {reason}" for reason, count in self._refused.items())
            _log.warning("signals that were not taken up: %s", refusals)
            self._refused.clear()

    def _too_many(self, signal: Signal) -> Denial | None:
        self.next_second()
        name = signal.strategy if signal.strategy in self._strategies else _OTHERS
        self._counts[name] += 1
        if self._counts[name] <= self._limit:
            return None
        return Denial(DenialReason.SIGNAL_RATE, self._limit, self._counts[name])

    def _unknown(self, signal: Signal) -> Denial | None:
        if signal.strategy in self._strategies:
            return None
        return Denial(DenialReason.UNKNOWN_STRATEGY, 1.0, 0.0)

    def _ahead(self, signal: Signal) -> Denial | None:
        ahead_s = (signal.ts_event_us - self._clock.now_us()) / 1e6
        if ahead_s <= self._ahead_s:
            return None
        return Denial(DenialReason.FUTURE_SIGNAL, self._ahead_s, ahead_s)


def is_journalled(denial: Denial) -> bool:
    """Whether a refusal is journalled: of a flood only the first in each second, or it fills disks.

    The log counts the rest.
    """
    too_many = denial.reason is DenialReason.SIGNAL_RATE
    return not too_many or denial.observed <= denial.limit + 1
