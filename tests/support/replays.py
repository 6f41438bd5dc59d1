"""A small replay for tests of execution: random prices, random signals, the real terminal.

Everything follows from fixed seeds, so that two runs, in one process or in two, must agree.
"""

import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.venue.orders import Venue
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core.clock import ManualClock, SystemTimer
from core.contracts import codec
from core.contracts.order import OrderEvent
from core.contracts.signal import Signal, SignalBatch, signal_id
from core.contracts.tick import TICK, TickBatch, TickMarker
from core.sections import ExecutionSettings, RunSettings
from core.settings import Settings
from core.topics import MARKET_RISK, ORDER_EVENTS, SIGNALS, TICKS
from execution import replay
from execution.broker.reconcile import Reconciler
from execution.journal import journal
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.order_path.engine import Engine
from execution.order_path.quotes import ReplayQuotes
from execution.order_path.stops import Stops
from execution.replay_slices import SliceReader
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import VenueFunds
from execution.risk.trading_state import TradingState
from tests.support.markets import TUESDAY, ArrayTicks, Rows, ticks
from tests.support.memory_bus import MemoryBus

RUN = RunSettings("r1", "replay", "replay-r1", "scripted")
SETTINGS = Settings(run=RUN, execution=ExecutionSettings(max_orders_per_minute=12))
FEEDS = (
    ("oanda", "EURUSD", 1.1, 1e-5),
    ("fxcm", "EURUSD", 1.1, 1e-5),
    ("oanda", "XAUUSD", 2000.0, 0.01),
)
MINUTES = 12


def rows(source: str, symbol: str, price: float, step: float) -> Rows:
    """A random walk of about two quotes a second, with a pause of a minute."""
    rng = random.Random(f"{source}{symbol}")
    quotes, time, end = [], TUESDAY, TUESDAY + MINUTES * 60_000
    while time < end:
        time += rng.choice((0, 40, 130, 400, 900, 1100))
        time += 60_000 if rng.random() < 0.0005 else 0
        price += rng.choice((-3, -2, -1, 0, 1, 2, 3)) * step
        spread = step * (rng.randint(5, 12) if rng.random() > 0.01 else 200)
        quotes.append((time, round(price, 5), round(price + spread, 5)))
    return quotes


def market() -> RecordedMarket:
    """The three feeds of this replay."""
    files = [
        ArrayTicks(source, symbol, ticks(rows(source, symbol, price, step)), chunk=500)
        for source, symbol, price, step in FEEDS
    ]
    return RecordedMarket(files, max_ticks=200)


def signal(source: str, symbol: str, row: tuple[int, float, float], target: float) -> Signal:
    """A target at one quote, with a stop near enough to be reached."""
    time_msc, bid, ask = row
    mid, stop = (bid + ask) / 2, 12 * (ask - bid) * (1 if target > 0 else -1)
    at = time_msc * 1000
    return Signal(
        signal_id=signal_id(RUN.run_id, RUN.strategy, source, symbol, time_msc, 0),
        run_id=RUN.run_id, mode=RUN.mode, account=RUN.account, strategy=RUN.strategy,
        source=source, symbol=symbol, ts_event_us=at, ts_init_us=at, time_msc=time_msc, seq=0,
        target=target, reference_price=mid, stop_price=mid - stop if target else 0.0,
        horizon_us=at + 25_000_000, expires_us=at + 2_000_000, confidence=0.6, model=RUN.strategy,
        prediction_id="",
    )  # fmt: skip


def signals() -> list[Signal]:
    """About one signal per feed and 8 seconds."""
    planned = []
    for source, symbol, price, step in FEEDS:
        rng = random.Random(f"signals {source} {symbol}")
        seen = set()
        for row in rows(source, symbol, price, step):
            if rng.random() < 0.06 and row[0] not in seen:
                seen.add(row[0])
                target = rng.choice((-1.0, -0.5, 0.0, 0.5, 1.0, 0.01, 40.0))
                planned.append(signal(source, symbol, row, target))
    return sorted(planned, key=lambda s: s.ts_event_us)


class Part(NamedTuple):
    """Messages of one slice by topic."""

    ticks: list[bytes]
    signals: list[bytes]


def parts(more: Sequence[Signal] = ()) -> list[Part]:
    """The replay's messages, slice by slice; `more` signals come beside the usual ones."""
    source_of, batches = market(), []
    coming = sorted([*signals(), *more], key=lambda s: s.ts_event_us)
    offsets = dict.fromkeys(source_of.feeds(), 0)
    number = 1
    while (cut := source_of.slice(number)) is not None:
        part = Part([], [])
        for feed in source_of.feeds():
            quotes = source_of.slice_ticks(number, *feed)
            array = np.zeros(len(quotes), TICK)
            for name in ("time_msc", "bid", "ask"):
                array[name] = quotes[name]
            batch = TickBatch(RUN.run_id, RUN.mode, *feed, offsets[feed], number, array.tobytes())
            part.ticks.append(codec.encode(batch))
            offsets[feed] += len(quotes)
        end_us = cut.end_msc * 1000
        part.ticks.append(codec.encode(TickMarker(RUN.run_id, "slice", number, end_us)))
        due = [s for s in coming if s.ts_event_us <= end_us]
        coming = coming[len(due) :]
        batch_of = SignalBatch(RUN.run_id, number, end_us, due, cut.last)
        part.signals.append(codec.encode(batch_of))
        if cut.last:
            part.ticks.append(codec.encode(TickMarker(RUN.run_id, "end", number, end_us)))
        batches.append(part)
        number += 1
    return batches


def filled_bus(more: Sequence[Signal] = ()) -> MemoryBus:
    """A bus that holds the whole replay."""
    bus = MemoryBus()
    for part in parts(more):
        for payload in part.ticks:
            bus.publish(TICKS, "k", payload)
        for payload in part.signals:
            bus.publish(SIGNALS, "k", payload)
    return bus


def terminal(home: Path) -> SimulatedTerminal:
    """The venue, with an account that survives in `home`."""
    frictions = Frictions(slip_probability=0.5)
    return SimulatedTerminal(market(), log=home / "account.log", frictions=frictions)


def run(
    home: Path, bus: MemoryBus, answering: Terminal | None = None, limits: LimitsFile | None = None
) -> bool:
    """One process's life: until the replay is over; `limits`: None for the usual ones."""
    book_of = Journal(home / "journal")
    answering = answering or terminal(home)
    outbox = Outbox(bus, book_of, RUN)
    ledger = Ledger(book_of, Book(), outbox)
    venue = Venue(answering)
    clock, quotes = ManualClock(), ReplayQuotes()
    collar = SETTINGS.execution.collar
    reconciler = Reconciler(ledger, venue, clock, collar, repeatable=True)
    limits = limits or LimitsFile(RUN.account, of_settings(SETTINGS.execution))
    engine = Engine(
        settings=SETTINGS, clock=clock, ledger=ledger, venue=venue, quotes=quotes,
        trading=TradingState(None), reconciler=reconciler, funds=VenueFunds(venue), limits=limits,
    )  # fmt: skip
    stops = Stops(
        settings=SETTINGS.exits, run=RUN, clock=clock, ledger=ledger, venue=venue, quotes=quotes,
        limits=limits, timer=SystemTimer(),
    )  # fmt: skip
    composed = replay.Parts(
        run=RUN, clock=clock, ledger=ledger, venue=venue, quotes=quotes, engine=engine,
        reconciler=reconciler, outbox=outbox, stops=stops,
    )  # fmt: skip
    reader = SliceReader(
        bus.subscribe(TICKS), bus.subscribe(SIGNALS), RUN.run_id, threading.Event(),
        figures=bus.subscribe(MARKET_RISK) if engine.needs_figures else None,
    )  # fmt: skip
    try:
        return replay.Replay(composed, reader).run()
    finally:
        book_of.close()
        answering.shutdown()


def events(home: Path) -> list[OrderEvent]:
    """The order events of a run."""
    return list(journal.events(home / "journal"))


def published(bus: MemoryBus) -> list[object]:
    """What the run told the others."""
    return bus.messages(ORDER_EVENTS)
