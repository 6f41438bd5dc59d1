"""The threads that listen while the trading thread trades: ticks, and control.

So quotes are fresh, and a halt is seen at once, also while an order is out at the broker. A third
tells the audit trail of limits, for whom it may have to wait.
"""

import logging
import threading

from adapters.bus.base import Bus, Message, Subscriber
from core.clock import Clock, SystemClock
from core.contracts.operations import Control
from core.contracts.tick import TickBatch
from core.sections import RunSettings
from core.topics import CONTROL, MARKET_RISK, TICKS
from execution.breakers.breakers import Breakers
from execution.order_path.quotes import LiveQuotes
from execution.replay_slices import decode
from execution.risk.limits_file import LimitsFile
from execution.risk.limits_told import LimitsTold
from execution.risk.permission import Permission
from execution.risk.portfolio_risk import MarketFigures
from execution.risk.trading_state import TradingState
from execution.twin.twin import Twin

_log = logging.getLogger(__name__)
_CONTROL_WAIT_S = 0.01  # so late may a halt by file be seen


class Listeners:
    """From `start` until the stop event is set; what is still to be told, until `close`."""

    def __init__(
        self, run: RunSettings, bus: Bus, quotes: LiveQuotes, trading: TradingState,
        stop: threading.Event, limits: LimitsFile | None = None, breakers: Breakers | None = None,
        twin: Twin | None = None, permission: Permission | None = None,
        clock: Clock | None = None, market_risk: MarketFigures | None = None,
    ) -> None:  # fmt: skip
        self._run, self._bus, self._quotes, self._trading = run, bus, quotes, trading
        self._stop, self._limits, self._breakers, self._twin = stop, limits, breakers, twin
        self._permission, self._clock = permission, clock or SystemClock()
        self._market_risk = market_risk
        self._limits_told = LimitsTold(run, limits) if limits else None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to listen; what is published once this has returned is heard."""
        heard = (
            ("ticks", self._listen_ticks, self._bus.subscribe(TICKS, 0)),
            ("control", self._listen_control, self._bus.subscribe(CONTROL, 0)),
        )
        for name, listen, subscriber in heard:
            thread = threading.Thread(target=listen, args=(subscriber,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        if self._limits_told:
            self._limits_told.start()

    def join(self) -> None:
        """Wait for both that listen to end."""
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """After `join`: tell what is still to be told."""
        if self._limits_told:
            self._limits_told.close()

    def _listen_ticks(self, subscriber: Subscriber) -> None:
        while not self._stop.is_set():
            message = subscriber.next(0.2)
            if message:
                self.take_ticks(message)
        subscriber.close()

    def take_ticks(self, message: Message) -> None:
        """Make quotes of a message; called by a thread of its own."""
        batch = decode(message)
        if isinstance(batch, TickBatch) and batch.run_id == self._run.run_id:
            self._take(batch)

    def _take(self, batch: TickBatch) -> None:
        try:
            ticks = batch.ticks
        except ValueError as error:  # torn: without the next batches quotes would only grow old
            _log.warning("skipped ticks of %s %s: %s", batch.source, batch.symbol, error)
            return
        self._quotes.feed(batch.source, batch.symbol, ticks)
        if self._breakers:
            self._breakers.ticks(batch.source, batch.symbol, ticks)
        if self._twin:
            self._twin.ticks(batch.source, batch.symbol, ticks)

    def _listen_control(self, subscriber: Subscriber) -> None:
        figures = self._figures()
        while not self._stop.is_set():
            message = subscriber.next(_CONTROL_WAIT_S)
            control = decode(message) if message else None
            if isinstance(control, Control):
                self._trading.obey(control)
            self._trading.poll()
            self._take_figures(figures)
            if self._limits and self._limits_told and self._limits.poll():
                self._limits_told.take(self._clock.now_us())
            if self._permission:
                self._permission.poll()
        subscriber.close()
        if figures:
            figures.close()

    def _figures(self) -> Subscriber | None:
        """What is said each minute of how feeds move, and the newest that was."""
        if self._market_risk is None:
            return None
        subscriber = self._bus.subscribe(MARKET_RISK, 0)
        newest = self._bus.last(MARKET_RISK)
        if newest:
            self._market_risk.take(decode(newest))
        return subscriber

    def _take_figures(self, subscriber: Subscriber | None) -> None:
        message = subscriber.next(0.0) if subscriber else None
        if message and self._market_risk:
            self._market_risk.take(decode(message))
