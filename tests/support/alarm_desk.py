"""Execution at a simulated broker whose faults are a script, its rows in a warehouse, its alerts.

All of it is real but time: the composition that trades, journal, broker, what the flow makes of
messages, the warehouse's engine, the evaluator. The play begins a quarter of an hour ago and lasts
most of it, for rules look back from the engine's own clock; how long something has to hold is told
by a clock that goes as fast as we ask.
"""

import threading
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clickhouse.writer import Writer
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.package import SimulatedPackage
from adapters.simulator.terminal import SimulatedTerminal
from cli.stack import sessions, warehouse_setup
from core import trading_control
from core.clock import ManualClock, SystemClock
from core.contracts import codec
from core.contracts.signal import Signal
from core.contracts.tick import TICK
from core.health import Health
from core.sections import RuleSettings, RunSettings, TerminalSettings
from core.settings import Settings
from core.topics import HEARTBEATS, ORDER_EVENTS, RISK, SIGNALS
from execution import compose
from execution.heartbeat import HeartbeatPublisher
from execution.journal.journal import Journal
from execution.lease import Lease
from execution.live import Live
from streams.flows.executions import to_rows
from streams.rows import Rows, merge
from surveillance.evaluator import Evaluator
from surveillance.firing import Change
from tests.support.markets import NO_FRICTION, ArrayTicks
from tests.support.memory_bus import MemoryBus
from tests.support.warehouse_server import Warehouse

SOURCE, SYMBOL, PRICE = "sim", "BTCUSD", 60_000.0
RUN = RunSettings("live", "demo", "simulated", "scripted")
#: Slow is a fifth of a second, which no machine is by itself at one order in a hundred.
RULES = RuleSettings(orders=10, latency_ms=200.0, stage_ms=200.0)
_AGO_S, _TICK_MS, _HOLD_S = 870.0, 500, 301
_US = 1_000_000
_LIMITS = """version = "test"
[limits]
lots = 1.0
max_lots = 3.0
max_orders_per_minute = inf
max_messages_per_second = inf
max_repeats = inf
max_daily_loss_share = inf
"""


class Alarms:
    """What the evaluator says of a warehouse, with every hold over when it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._clock, self._changes = ManualClock(SystemClock().now_us()), list[Change]()
        self._evaluator = Evaluator(settings, self._clock, self._changes.append)

    def changes(self) -> set[tuple[str, str]]:
        """What fired and resolved since it was last asked: kind and rule."""
        for _ in range(2):
            self._clock.advance(self._clock.now_us() + _HOLD_S * _US)
            self._evaluator.turn()
        said = {(change.kind, change.alert.rule) for change in self._changes}
        self._changes.clear()
        return said


class AlarmDesk:
    """One account that trades, and whoever is told of it."""

    def __init__(self, home: Path, server: Warehouse, falls_at_s: float) -> None:
        self.clock, self.bus, self.faults = ManualClock(), MemoryBus(), Faults()
        self._begun_us = SystemClock().now_us() - round(_AGO_S * _US)
        self.clock.advance(self._begun_us)
        home.mkdir(parents=True, exist_ok=True)
        (home / "limits.toml").write_text(_LIMITS)
        self.settings = sessions.named(
            Settings(
                home=str(home), run=RUN, rules=RULES, clickhouse=server.settings,
                terminal=TerminalSettings(symbols=(SYMBOL,), source=SOURCE),
            ),
            SystemClock(),
        )  # fmt: skip
        warehouse_setup.write_run(self.settings, server.url)
        sessions.begin(self.settings, server.url, SystemClock())
        self._ticks, self._fed = fallen(self._begun_us // 1000, falls_at_s), 0
        self._execution(home)
        self._stored = dict.fromkeys((ORDER_EVENTS.name, RISK.name, HEARTBEATS.name), 0)
        self._names, self._alarms = count(1), Alarms(self.settings)

    def _execution(self, home: Path) -> None:
        market = RecordedMarket([ArrayTicks(SOURCE, SYMBOL, self._ticks, 1_000)])
        account = SimulatedTerminal(market, frictions=NO_FRICTION)
        account.at(self._begun_us // 1000)
        package = SimulatedPackage(
            account, lambda: self.clock.now_us() // 1000, self.sleep, self.faults
        )
        terminal = RealTerminal(self.settings.terminal, package)
        assert terminal.initialize()
        self.journal = Journal(home / "execution" / RUN.account / "journal")
        world = compose.Environment(
            self.journal, self.bus, Venue(terminal, 86_400.0), self.clock, self
        )
        self.parts = compose.live_parts(self.settings, world)
        self.health = Health("execution", home / "run")
        self._heart = HeartbeatPublisher(self.bus, self.health, RUN, self.parts.engine.stages)
        self._live = Live(self.parts, threading.Event())
        self.sleep(1.0)
        self._live.open()
        self._live.recover()

    def close(self) -> None:
        self.health.close()
        self.journal.close()

    def seconds(self) -> float:
        return self.clock.now_us() / 1e6

    def sleep(self, seconds: float) -> None:
        """Time goes on, and the market with it."""
        self.clock.advance(self.clock.now_us() + round(seconds * _US))
        now_msc = self.clock.now_us() // 1000
        until = int(np.searchsorted(self._ticks["time_msc"], now_msc, "right"))
        fresh = np.zeros(until - self._fed, TICK)
        for name in ("time_msc", "bid", "ask"):
            fresh[name] = self._ticks[name][self._fed : until]
        self._fed = until
        if len(fresh) and hasattr(self, "parts"):
            self.parts.quotes.feed(SOURCE, SYMBOL, fresh)

    def turn(self, seconds: float = 1.0) -> None:
        """Once around, as all its threads do, so much later."""
        self.sleep(seconds)
        self.parts.trading.poll()
        self._live.turn()
        assert self.parts.publisher is not None
        self.parts.publisher.deliver()

    def until(self, begun_s: float) -> None:
        """Turns of a second up to this second of the play."""
        while (self.clock.now_us() - self._begun_us) / 1e6 < begun_s:
            self.turn()

    def trade(self, orders: int, fault: Fault | None = None, stopped_s: float = 0.0) -> None:
        """So many orders, half of them entries, each a second after the one before.

        Args:
            fault: what the broker does to each.
            stopped_s: the process stands still for so long before it takes up each.
        """
        for _ in range(orders):
            if fault:
                self.faults.sends.append(fault)
            held = bool(self.parts.ledger.book.positions)
            self.wish(0.0 if held else 1.0)
            threading.Event().wait(stopped_s)
            self.turn()

    def wish(self, target: float) -> None:
        """A strategy wants a position; its stop is far."""
        now, tick = self.clock.now_us(), self._ticks[self._fed - 1]
        mid, name = float(tick["bid"] + tick["ask"]) / 2, f"alarm{next(self._names)}"
        signal = Signal(
            signal_id=name, run_id=RUN.run_id, mode=RUN.mode, account=RUN.account,
            strategy=RUN.strategy, source=SOURCE, symbol=SYMBOL, ts_event_us=now, ts_init_us=now,
            time_msc=now // 1000, seq=0, target=target, reference_price=mid,
            stop_price=mid * 0.5 if target else 0.0, horizon_us=now + 3_600 * _US,
            expires_us=now + 5 * _US, confidence=0.6, model="", prediction_id="",
        )  # fmt: skip
        self.bus.publish(SIGNALS, f"{SOURCE}.{SYMBOL}", codec.encode(signal))

    def resume(self) -> None:
        """A person has seen to it."""
        trading_control.resume(self.settings.home_path, "ann", "seen to", self.clock)
        self.turn()

    def lose(self, lease: Lease) -> None:
        """The driver notices that its lease is another's, as in its own loop."""
        self.parts = self.parts._replace(lease=lease)
        losing = Live(self.parts, threading.Event())
        try:
            losing._keep_lease()
        finally:
            losing._announce()

    def changes(self, *rules: str) -> set[tuple[str, str]]:
        """What is told of these rules, of all that happened up to now."""
        self._heart.beat(force=True)
        by_table: dict[str, list[Rows]] = defaultdict(list)
        for topic, known in self._stored.items():
            messages = self.bus.topics[topic]
            for message in messages[known:]:
                for rows in to_rows(message):
                    by_table[rows.table].append(rows)
            self._stored[topic] = len(messages)
        with Writer(self.settings.clickhouse) as writer:
            for table, parts in by_table.items():
                writer.insert(table, merge(parts).columns)
        return {change for change in self._alarms.changes() if change[1] in rules}


def fallen(first_msc: int, falls_at_s: float) -> np.ndarray[Any, Any]:
    """Quotes twice a second; from a moment on they fall by a sixth, then rise again."""
    steps = round(_AGO_S * 1000 / _TICK_MS)
    seconds = np.arange(steps) * _TICK_MS / 1000
    below = np.interp(seconds - falls_at_s, (0, 10, 40, 50), (0.0, 1.0, 1.0, 0.0))
    ticks = np.zeros(steps, MT5_TICK)
    ticks["time_msc"] = first_msc + np.arange(steps) * _TICK_MS
    ticks["time"] = ticks["time_msc"] // 1000
    ticks["bid"] = np.round(PRICE * (1 - below / 6), 2)
    ticks["ask"] = ticks["bid"] + 5.0
    return ticks
