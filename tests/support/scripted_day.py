"""Half an hour of recorded ticks, traded by a script through the real execution: golden reports.

Execution as it runs live, its clock on the ticks, a broker whose faults are a script: fills whole
and in parts, a refusal, denials, a lost answer, a rest taken back by a halt, a stop at the broker,
a deal that a person made there. EURUSD is OANDA's; EUIX50, which exists nowhere, moves as OANDA's
gold did in the same minutes. Everything follows from the files, so every run gives the same rows.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from adapters.clickhouse.rows import message_columns, tick_columns
from adapters.clickhouse.writer import Writer
from adapters.clocks.reading import ClockReading
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from adapters.simulator.broker import operations
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.package import SimulatedPackage
from adapters.simulator.terminal import SimulatedTerminal
from core import audit_log, trading_control
from core.audit_log import AuditLine
from core.clock import ManualClock
from core.contracts import codec
from core.contracts.signal import Signal, signal_id
from core.contracts.tick import TICK, TickArray
from core.sections import (
    ClickhouseSettings,
    ExecutionSettings,
    RunSettings,
    TerminalSettings,
    TwinSettings,
)
from core.settings import Settings
from core.topics import ORDER_EVENTS, RISK, SIGNALS
from core.trading_control import ControlCommand
from execution import compose
from execution.journal.journal import Journal
from execution.live import Live
from execution.twin.twin import Twin
from reports import clocks, statement
from streams.flows.executions import to_rows
from streams.rows import Rows, merge
from surveillance.watcher import ControlAlert, Watcher
from tests.support.markets import ArrayTicks
from tests.support.memory_bus import MemoryBus
from tests.support.recordings import count_within_millisecond
from tests.support.reference_ticks import DATA

DAY = date(2014, 5, 6)
START_US = int(datetime(2014, 5, 6, 8, tzinfo=UTC).timestamp()) * 1_000_000
LASTS_S, TURN_S = 900.0, 0.25
RUN = RunSettings("live", "live", "acc1", "scripted")
INDEX, PAIR = "EUIX50", "EURUSD"
#: Symbol -> recording, and its prices as the symbol's: index points for dollars an ounce.
RECORDED = {INDEX: ("XAUUSD_oanda", 2.5, 2), PAIR: ("EURUSD_oanda", 1.0, 5)}


def recorded(symbol: str) -> TickArray:
    """The ticks of the half hour, dtype TICK."""
    (name, factor, digits), first = RECORDED[symbol], START_US // 1000
    table = pq.read_table(
        DATA / "ticks" / f"{name}.parquet",
        columns=["time_msc", "bid", "ask", "flags"],
        filters=[("time_msc", ">=", first), ("time_msc", "<", first + 1_000_000)],
    )
    ticks = np.zeros(table.num_rows, TICK)
    for column in ("time_msc", "flags"):
        ticks[column] = table[column].to_numpy()
    for column in ("bid", "ask"):
        ticks[column] = np.round(table[column].to_numpy() * factor, digits)
    ticks["seq"] = count_within_millisecond(ticks["time_msc"])
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000 + 3_000
    return ticks


class _Timer:
    """Seconds of the script's clock; whoever waits lets it go on."""

    def __init__(self, day: "ScriptedDay") -> None:
        self._day = day

    def seconds(self) -> float:
        return self._day.clock.now_us() / 1e6

    def sleep(self, seconds: float) -> None:
        self._day.pass_time(seconds)


class _Later:
    """The watcher's clock: it hears of everything a while after it happened."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock, self.delay_us = clock, 0

    def now_us(self) -> int:
        return self._clock.now_us() + self.delay_us


class ScriptedDay:
    """A trading day under a home; `run` plays it, `store` brings it into a warehouse."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(
            home=str(home), run=RUN,
            execution=ExecutionSettings(lots=2.0, max_lots=3.0, collar=0.002),
            terminal=TerminalSettings(source="oanda", symbols=(INDEX, PAIR)),
        )  # fmt: skip
        self.clock, self.bus = ManualClock(), MemoryBus()
        self.faults = Faults(filling_modes=mt5.SYMBOL_FILLING_IOC)
        self.clock.advance(START_US)
        self.ticks = {symbol: recorded(symbol) for symbol in RECORDED}
        self._fed = dict.fromkeys(RECORDED, 0)
        market = RecordedMarket(
            [ArrayTicks("oanda", s, _as_terminal(t), 1_000) for s, t in self.ticks.items()]
        )
        self.inner = SimulatedTerminal(market, frictions=Frictions((20, 120), 0.5, 0.3))
        package = SimulatedPackage(
            self.inner, lambda: self.clock.now_us() // 1000, self.pass_time, self.faults
        )
        self.terminal = RealTerminal(self.settings.terminal, package)
        self.terminal.initialize()
        self.venue = Venue(self.terminal, 60.0)
        self._begin()
        self._heard, self._later = {ORDER_EVENTS.name: 0, RISK.name: 0}, _Later(self.clock)
        self.alerts: list[ControlAlert] = []
        self._watcher = Watcher(self._later, self.alerts.extend)

    def _begin(self) -> None:
        """Execution as its process composes it, with the twin beside it."""
        self.inner.at(START_US // 1000)
        self.journal = Journal(self.home / "execution" / RUN.account / "journal")
        world = compose.Environment(self.journal, self.bus, self.venue, self.clock, _Timer(self))
        self.parts = compose.live_parts(self.settings, world)
        costs = TwinSettings("on", 60, 60, 0.0, 0.0)
        self.twin = Twin(
            costs, self.bus, self.clock, self.parts.ledger.book, self.venue, self.venue.account()
        )
        self.parts.ledger.watchers.append(self.twin.observe)
        self.live = Live(self.parts, threading.Event())
        self.pass_time(1.0)
        self.live.open()
        self.live.recover()

    @property
    def now_s(self) -> float:
        return (self.clock.now_us() - START_US) / 1e6

    def pass_time(self, seconds: float) -> None:
        """Time goes on, and what was quoted meanwhile is known to execution and twin."""
        self.clock.advance(self.clock.now_us() + round(seconds * 1e6))
        for symbol, ticks in self.ticks.items():
            until = int(np.searchsorted(ticks["time_msc"] * 1000, self.clock.now_us(), "right"))
            fresh = ticks[self._fed[symbol] : until]
            self._fed[symbol] = until
            if len(fresh) and hasattr(self, "twin"):
                self.parts.quotes.feed("oanda", symbol, fresh)
                self.twin.ticks("oanda", symbol, fresh)

    def run(self) -> None:
        """Play the script to its end."""
        script = self._script()
        while self.now_s < LASTS_S:
            while script and script[0][0] <= self.now_s:
                script.pop(0)[1]()
            self.live.turn()
            if self.parts.publisher:
                self.parts.publisher.deliver()
            self.twin.step()
            self._watch()
            self.pass_time(TURN_S)
        self.journal.close()

    def _script(self) -> list[tuple[float, Callable[[], None]]]:
        partial = Fault("partial", share=0.5)
        staggered = Fault("staggered", delay_ms=60_000, share=0.4)
        return [
            (5, lambda: self.wish(INDEX, 1.0, horizon_s=115)),
            (20, lambda: self.wish(PAIR, -1.0, partial)),
            (60, lambda: self.wish(PAIR, 0.0)),
            (125, lambda: self.wish(INDEX, -1.0, Fault("refuse", mt5.TRADE_RETCODE_NO_MONEY))),
            (140, lambda: self.wish(INDEX, 1.5)),
            (150, lambda: self.wish(PAIR, 1.0, off=1.01)),
            (160, lambda: self.wish(INDEX, 1.0, stop=0.9)),
            (300, lambda: self.wish(PAIR, 1.0, Fault("lost_answer"), horizon_s=60)),
            (420, lambda: self.wish(INDEX, -1.0, staggered)),
            (424, lambda: self.stop("ann", "halted", "news")),
            (470, lambda: self.stop("bob", "active", "calm again")),
            (500, lambda: self.wish(PAIR, -0.5)),
            (520, self.by_hand),
            (560, lambda: self.said("override", "max_lots", "larger client order", {"value": 4})),
        ]  # fmt: skip

    def wish(
        self, symbol: str, target: float, fault: Fault | None = None, *, horizon_s: float = 7_200.0,
        stop: float = 0.0, off: float = 1.0,
    ) -> None:  # fmt: skip
        """A signal of this moment; the stop in price below or above the mid."""
        if fault:
            self.faults.sends.append(fault)
        now, ticks = self.clock.now_us(), self.ticks[symbol]
        row = ticks[self._fed[symbol] - 1]
        mid = float(row["bid"] + row["ask"]) / 2
        away = stop or 0.01 * mid
        level = round(mid - away if target > 0 else mid + away, 5) if target else 0.0
        time_msc, seq = int(row["time_msc"]), int(row["seq"])
        signal = Signal(
            signal_id=signal_id(RUN.run_id, RUN.strategy, "oanda", symbol, time_msc, seq),
            run_id=RUN.run_id, mode=RUN.mode, account=RUN.account, strategy=RUN.strategy,
            source="oanda", symbol=symbol, ts_event_us=now, ts_init_us=now, time_msc=time_msc,
            seq=seq, target=target, reference_price=mid * off, stop_price=level,
            horizon_us=now + round(horizon_s * 1e6), expires_us=now + 5_000_000, confidence=0.6,
            model=RUN.strategy, prediction_id="",
        )  # fmt: skip
        self.bus.publish(SIGNALS, f"oanda.{symbol}", codec.encode(signal))

    def stop(self, by: str, state: trading_control.State, reason: str) -> None:
        """A person halts or resumes."""
        now = self.clock.now_us()
        control = compose.control_path(self.settings)
        trading_control.write(control, ControlCommand(state, by, reason, now, "keep"))
        self.parts.trading.poll()
        action = "halt" if state == "halted" else "resume"
        audit_log.append(self.home, AuditLine(now, by, True, action, "trading", "", reason))

    def said(self, action: str, subject: str, reason: str, payload: dict[str, object]) -> None:
        """A line in the log of what people ordered."""
        now = self.clock.now_us()
        line = AuditLine(
            ts_us=now, by="ann", authenticated=True, action=action,
            detail=f"{action} of {subject}", subject=subject, reason=reason, payload=payload,
        )  # fmt: skip
        audit_log.append(self.home, line)

    def by_hand(self) -> None:
        """Somebody trades at the terminal."""
        self.inner.at(self.clock.now_us() // 1000)
        self.inner.act(operations.by_hand(INDEX, mt5.ORDER_TYPE_BUY, 1.0))

    def _watch(self) -> None:
        for topic in (ORDER_EVENTS, RISK):
            messages = self.bus.topics[topic.name]
            for message in messages[self._heard[topic.name] :]:
                # A different while for each, so that there is a distribution.
                self._later.delay_us = 40_000 + 35_000 * (message.sequence % 7)
                self._watcher.note(message)
            self._heard[topic.name] = len(messages)
        self._watcher.flush()

    def store(self, where: ClickhouseSettings) -> None:
        """All that streams, watcher and a statement would have stored."""
        by_table: dict[str, list[Rows]] = defaultdict(list)
        for topic in (ORDER_EVENTS, RISK):
            for message in self.bus.topics[topic.name]:
                for rows in to_rows(message):
                    by_table[rows.table].append(rows)
        with Writer(where) as writer:
            for symbol, ticks in self.ticks.items():
                writer.insert("tick", tick_columns("oanda", symbol, ticks))
            for table, parts in by_table.items():
                writer.insert(table, merge(parts).columns)
            writer.insert("signal", message_columns(self.bus.messages(SIGNALS)))
            writer.insert("control_alert", message_columns(self.alerts))
            writer.insert("clock_sync", message_columns(measured()))
        now = self.clock.now_us()
        statement.store(where, statement.take(self.terminal, RUN, DAY, now, now))


def measured() -> list[clocks.Measurement]:
    """A day of a clock: a time server every half hour, once beyond the limit, and a broker."""
    midnight = START_US - 8 * 3_600_000_000
    readings = []
    for n in range(48):
        offset = 1_500.0 if n == 30 else 40.0 * (n % 5) - 80.0
        server = ClockReading(
            source="time.example", method="ntp", stratum=2, offset_us=offset, uncertainty_us=220.0,
            traceable=True, synchronised=True, detail="",
        )  # fmt: skip
        now = midnight + n * 1_800_000_000
        readings.append(clocks.of_reading(server, "desk-1", now, 1.0, clocks.STAMP_POINT))
    broker = ClockReading(
        source="broker oanda", method="ticks", stratum=0, offset_us=3_000.0, uncertainty_us=1_400.0,
        traceable=False, synchronised=True, detail="quickest",
    )  # fmt: skip
    readings.append(clocks.of_reading(broker, "desk-1", START_US, 1_000.0, "ts_event of ticks"))
    return readings


def _as_terminal(ticks: TickArray) -> np.ndarray:
    array = np.zeros(len(ticks), MT5_TICK)
    for name in ("time_msc", "bid", "ask", "flags"):
        array[name] = ticks[name]
    array["time"] = array["time_msc"] // 1000
    return array
