"""Execution on a home whose controls are signed, day after day, by a clock that only we move.

All of it is real: the composition, the journal with its witness on disk, the terminal's account in
its log. Bus and time are played, so that weeks pass in seconds.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import numpy as np

from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from adapters.simulator.markets.generated_market import SOURCE, GeneratedMarket
from adapters.simulator.package import SimulatedPackage
from adapters.simulator.terminal import SimulatedTerminal
from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TICK
from core.sections import RunSettings, TerminalSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS, SIGNALS
from execution import compose
from execution.__main__ import open_journal, witness_path
from execution.journal.witness import Witness
from execution.live import Live, Parts
from tests.support.memory_bus import MemoryBus
from tests.support.signed_home import SignedHome

SYMBOL = "BTCUSD"
RUN = RunSettings("live", "demo", "simulated", "scripted")
_QUOTED_S = 60  # so much of the market the process has seen when it is asked


class Desk:
    """One account of a home. `start` is a start of execution, as long as the block lasts."""

    def __init__(self, signed: SignedHome) -> None:
        self.signed, self.bus = signed, MemoryBus()
        self.settings = Settings(
            home=str(signed.home), controls=signed.settings, run=RUN,
            terminal=TerminalSettings(symbols=(SYMBOL,), source=SOURCE),
        )  # fmt: skip
        self._market, self._names = GeneratedMarket((SYMBOL,)), count(1)

    @property
    def now_us(self) -> int:
        return self.signed.clock.now_us()

    @contextmanager
    def start(self) -> Iterator["Running"]:
        """As `python -m execution` does, and as it ends."""
        journal, since = open_journal(self.settings)
        beside = Witness(journal, witness_path(self.settings))
        log = self.signed.home / "account.log"
        account = SimulatedTerminal(self._market, log=log, now_msc=lambda: self.now_us // 1000)
        try:
            package = SimulatedPackage(account, lambda: self.now_us // 1000, self.sleep)
            terminal = RealTerminal(self.settings.terminal, package)
            assert terminal.initialize()
            environment = compose.Environment(
                journal, self.bus, Venue(terminal, 86_400.0), self.signed.clock, self, since
            )
            parts = compose.live_parts(self.settings, environment)
            driver = Live(parts, threading.Event())
            driver.open()
            driver.recover()
            yield Running(self, parts, driver)
            parts.outbox.publish()
        finally:
            account.shutdown()
            journal.close()
        beside.tell()

    def seconds(self) -> float:
        return self.now_us / 1e6

    def sleep(self, seconds: float) -> None:
        self.signed.wait(round(seconds * 1e6))

    def quote(self, parts: Parts) -> float:
        """Show the process the market of the last minute; the mid now."""
        tape, now_msc = self._market.tape(SOURCE, SYMBOL), self.now_us // 1000
        seen = tape.ticks_between(now_msc - 1000 * _QUOTED_S, now_msc, 1000)
        ticks = np.zeros(len(seen), TICK)
        for name in ("time_msc", "bid", "ask"):
            ticks[name] = seen[name]
        parts.quotes.feed(SOURCE, SYMBOL, ticks)
        return float(ticks["bid"][-1] + ticks["ask"][-1]) / 2

    def ask(self, mid: float) -> Signal:
        """A strategy wants a full position for half a minute."""
        now, name = self.now_us, f"weeks{next(self._names)}"
        return Signal(
            signal_id=name, run_id=RUN.run_id, mode=RUN.mode, account=RUN.account,
            strategy=RUN.strategy, source=SOURCE, symbol=SYMBOL, ts_event_us=now, ts_init_us=now,
            time_msc=now // 1000, seq=0, target=1.0, reference_price=mid, stop_price=mid * 0.98,
            horizon_us=now + 30_000_000, expires_us=now + 2_000_000, confidence=0.6, model="",
            prediction_id="",
        )  # fmt: skip

    def events(self) -> list[OrderEvent]:
        """What was published of orders."""
        return [m for m in self.bus.messages(ORDER_EVENTS) if isinstance(m, OrderEvent)]


class Decided(NamedTuple):
    """What became of a wish. `version`: of the limits that denied it, or of an override."""

    kind: EventKind
    version: str
    reason: str


class Running(NamedTuple):
    """An execution that runs."""

    desk: Desk
    parts: Parts
    driver: Live

    def trade(self) -> Decided:
        """A wish, what became of it, and the exit half a minute later where it was filled."""
        signal = self.desk.ask(self.desk.quote(self.parts))
        self.turn(signal)
        self.desk.sleep(31)
        self.desk.quote(self.parts)
        self.turn()
        mine = [e for e in self.desk.events() if e.signal_id == signal.signal_id]
        done = next(e for e in mine if e.kind in (EventKind.DENIED, EventKind.FILLED))
        return Decided(done.kind, done.limits_version, done.reason)

    def turn(self, signal: Signal | None = None) -> None:
        """Once around, as all its threads do."""
        if signal is not None:
            self.desk.bus.publish(SIGNALS, f"{SOURCE}.{SYMBOL}", codec.encode(signal))
        assert self.parts.limits is not None
        self.parts.trading.poll()
        self.parts.limits.poll()
        self.driver.turn()
        assert self.parts.publisher is not None
        self.parts.publisher.deliver()

    @property
    def problem(self) -> str:
        """What its health says of controls."""
        assert self.parts.limits is not None
        own = self.parts.limits.problem or self.parts.trading.problem
        return own or self.parts.watched.unsigned
