"""Signal bytes in hand to order request at the terminal's door, journal synced before.

`python -m benchmarks.bench_signal_to_order [--count N] [--fifo] [--sustained SECONDS]
[--slow-door MS]`

The door is a terminal that answers at once, so nothing of a broker is in the figures. Beside
them, from the same run: one fdatasync of as many bytes in a preallocated file (the floor), and
how late a sleep of 1 ms wakes (what this machine stalls by itself). `--fifo` asks for
SCHED_FIFO where allowed. `--sustained` offers 5,000 signals a second, handled as live: a newer
target supersedes the ones that wait. `--slow-door` gives the terminal so many milliseconds for
each answer, and measures how long signals wait and how soon a halt holds during a blocked send.
Prints p50, p99, p99.9 in microseconds.
"""

import argparse
import gc
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adapters.mt5 import constants as mt5
from adapters.mt5.execution import Venue
from adapters.mt5.results import OrderSendResult, TradeDeal, TradeRequest
from adapters.mt5.symbol_info import SymbolInfo
from adapters.mt5.terminal import Terminal
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.signal import Signal, signal_id
from core.contracts.tick import TICK
from core.instruments import instrument
from core.settings import ExecutionSettings, RunSettings, Settings
from core.topics import Topic
from core.trading_control import Order, write
from execution import risk
from execution.book import Book
from execution.engine import Engine
from execution.funds import RememberedFunds
from execution.journal import Journal
from execution.ledger import Ledger
from execution.limits import of_settings
from execution.outbox import Outbox
from execution.quotes import LiveQuotes
from execution.reconcile import Reconciler
from execution.trading_state import TradingState

RUN = RunSettings("bench", "live", "bench", "bench")
SETTINGS = Settings(run=RUN, execution=ExecutionSettings(max_orders_per_minute=1_000_000))
LIMITS = of_settings(SETTINGS.execution).base
RATE = 5_000  # signals a second
SYMBOL, PRICE = "BTCUSD", 60_000.0
_DONE = OrderSendResult(
    mt5.TRADE_RETCODE_DONE, 0, 0, 0.0, 0.0, 0.0, 0.0, "", 0, 0, TradeRequest()
)  # fmt: skip


class Door:
    """A terminal that notes when a request arrives and fills it at once."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.arrived_ns, self._slow_s = 0, slow_s
        self._deals: list[TradeDeal] = []

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the bench does not use {name}")

    def at(self, now_msc: int) -> None:
        """The clock is the machine's."""

    def symbols_get(self) -> tuple[SymbolInfo, ...]:
        """One symbol."""
        return (self.symbol_info(SYMBOL),)

    def symbol_info(self, symbol: str) -> SymbolInfo:
        """As the simulated terminal describes it."""
        return SymbolInfo(
            name=symbol, path=f"sim\\{symbol}", digits=2, point=0.01, volume_min=0.01,
            volume_max=50.0, volume_step=0.01, filling_mode=3,
            trade_mode=mt5.SYMBOL_TRADE_MODE_FULL,
        )  # fmt: skip

    def account_info(self) -> Any:
        """Plenty of free margin."""
        return argparse.Namespace(
            login=1, server="", currency="USD", balance=1e9, equity=1e9, margin=0.0,
            margin_free=1e9,
        )  # fmt: skip

    def order_calc_margin(self, *_: Any) -> float:
        """Little."""
        return 1.0

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult:
        """Fill."""
        self.arrived_ns = time.perf_counter_ns()
        if self._slow_s:
            time.sleep(self._slow_s)
        number = len(self._deals) + 1
        position = request.get("position", 0)
        self._deals.append(
            TradeDeal(
                number, number, 0, time.time_ns() // 1_000_000, request["type"],
                mt5.DEAL_ENTRY_OUT if position else mt5.DEAL_ENTRY_IN, request["magic"],
                position or number, mt5.DEAL_REASON_EXPERT, request["volume"], request["price"],
                0.0, 0.0, 0.0, 0.0, SYMBOL, request["comment"], "",
            )
        )  # fmt: skip
        return _DONE._replace(order=number, deal=number)

    def history_deals_get(self, date_from: float, date_to: float) -> tuple[TradeDeal, ...]:
        """The newest."""
        return tuple(self._deals[-1:])


class Silent:
    """A publisher that drops everything: the bus is not on the way of an order."""

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Drop."""

    def flush(self, timeout_s: float = 60.0) -> None:
        """Nothing waits."""


def signal_bytes(number: int) -> bytes:
    """In and out, turn by turn, so that every signal makes one order."""
    now, target = time.time_ns() // 1000, float((number + 1) % 2)
    return codec.encode(
        Signal(
            signal_id(RUN.run_id, "bench", "sim", SYMBOL, number, 0), RUN.run_id, RUN.mode,
            RUN.account, "bench", "sim", SYMBOL, now, now, now // 1000, 0, target, PRICE,
            PRICE * 0.98 if target else 0.0, now + 60_000_000, now + 2_000_000, 0.6, "m" * 64,
            "p" * 32,
        )
    )  # fmt: skip


def quoted() -> LiveQuotes:
    quotes = LiveQuotes()
    requote(quotes)
    return quotes


def requote(quotes: LiveQuotes) -> None:
    ticks = np.zeros(300, TICK)
    ticks["time_msc"], ticks["bid"], ticks["ask"] = time.time_ns() // 1_000_000, PRICE, PRICE + 10
    quotes.feed("sim", SYMBOL, ticks)


class Rig:
    """The engine with its real parts around a door."""

    def __init__(self, directory: Path, slow_s: float = 0.0) -> None:
        self.journal, self.door, self.clock = (
            Journal(directory / "journal"),
            Door(slow_s),
            SystemClock(),
        )
        self.outbox = Outbox(Silent(), self.journal, RUN)  # type: ignore[arg-type]
        ledger, venue = Ledger(self.journal, Book(), self.outbox), Venue(_as_terminal(self.door))
        self.control = directory / "control.json"
        self.trading, self.quotes = TradingState(self.control), quoted()
        reconciler = Reconciler(ledger, venue, self.clock, 0.005, repeatable=False)
        funds = RememberedFunds(venue, self.clock)
        self.engine = Engine(
            SETTINGS, self.clock, ledger, venue, self.quotes, self.trading, reconciler, funds
        )


def measure(directory: Path, count: int, pause_s: float) -> dict[str, list[int]]:
    """Nanoseconds of every part, one entry per order."""
    rig = Rig(directory)
    journal, door, engine, outbox = rig.journal, rig.door, rig.engine, rig.outbox
    found: dict[str, list[int]] = {"signal to order": [], "floor: one fdatasync": []}
    floor = Floor(directory / "floor")
    journal.ensure_room(count * 4096)
    for number in range(count + 200):
        payload = signal_bytes(number)
        if number % 50 == 0:
            requote(rig.quotes)
        if number == 200:
            gc.collect()
            gc.freeze()
        least = floor.sync() if number % 4 < 2 else 0  # first and second in turn: the first
        began = time.perf_counter_ns()  # after a pause meets a colder machine
        engine.on_signal(codec.decode("signals", payload), began)
        taken = door.arrived_ns - began
        least = least or floor.sync()
        if number >= 200:
            found["signal to order"].append(taken)
            found["floor: one fdatasync"].append(least)
        outbox.publish()
        time.sleep(pause_s)
    journal.close()
    return found


def sustained(directory: Path, seconds: float, slow_s: float, halts: int = 0) -> None:
    """5,000 signals a second for a while; how long each waited, and how soon halts held."""
    directory.mkdir(exist_ok=True)
    rig, waited, late, traded = Rig(directory, slow_s), list[int](), 0, 0
    done = threading.Event()
    held: list[int] = []
    helpers = [threading.Thread(target=_poll, args=(rig, done))]
    if halts:
        helpers.append(threading.Thread(target=_halt, args=(rig, done, halts, held)))
    for helper in helpers:
        helper.start()
    began, made = time.perf_counter_ns(), 0
    while (now := time.perf_counter_ns()) - began < seconds * 1e9:
        due = int((now - began) / 1e9 * RATE) - made
        arrived = [began + round((made + n) / RATE * 1e9) for n in range(due)]
        signals = [codec.decode("signals", signal_bytes(made + n)) for n in range(due)]
        made += due
        requote(rig.quotes)
        for signal in signals[:-1]:
            rig.engine.supersede(signal)
        if signals:
            traded += 1
            rig.engine.on_signal(signals[-1], time.perf_counter_ns())
            end = time.perf_counter_ns()
            waited += [end - at for at in arrived]
            late += sum(end - at > 2_000_000_000 for at in arrived)
        rig.outbox.publish()
    done.set()
    for helper in helpers:
        helper.join()
    rig.journal.close()
    show(f"waited, door takes {slow_s * 1000:.0f} ms", waited)
    print(f"{made} signals in {seconds:.0f} s, {traded} not superseded, {late} past their expiry")
    if held:
        show("halt by file until it holds", held)


def _poll(rig: Rig, done: threading.Event) -> None:
    """As the live control thread."""
    while not done.wait(0.01):
        rig.trading.poll()


def _halt(rig: Rig, done: threading.Event, count: int, held: list[int]) -> None:
    for number in range(count):
        if done.wait(0.1):
            return
        began = time.perf_counter_ns()
        write(rig.control, Order("halted", "bench", str(number), 2 * number))
        _wait_for(rig, "halted")
        held.append(time.perf_counter_ns() - began)
        write(rig.control, Order("active", "bench", str(number), 2 * number + 1))
        _wait_for(rig, "active")


def _wait_for(rig: Rig, state: str) -> None:
    while rig.trading.state != state:
        time.sleep(0.0005)


class Floor:
    """The least a durable record costs: one write and one sync of the journal's usual size."""

    SIZE = 1400

    def __init__(self, path: Path) -> None:
        self._file, self._at = os.open(path, os.O_RDWR | os.O_CREAT), 0
        os.pwrite(self._file, bytes(64 * 1024 * 1024), 0)
        os.fsync(self._file)

    def sync(self) -> int:
        """Nanoseconds of one."""
        data = b"x" * self.SIZE
        began = time.perf_counter_ns()
        os.pwrite(self._file, data, self._at)
        getattr(os, "fdatasync", os.fsync)(self._file)
        self._at += self.SIZE
        return time.perf_counter_ns() - began


def checks(count: int) -> list[int]:
    """Nanoseconds of all pre-trade checks of one entry."""
    now = time.time_ns() // 1000
    quote = quoted().at("sim", SYMBOL, now)
    made = codec.decode("signals", signal_bytes(0))
    rules = Venue(_as_terminal(Door())).specification("sim", SYMBOL)
    found = []
    for _ in range(count):
        began = time.perf_counter_ns()
        facts = risk.Facts(
            "active", False, now, made, "buy", 0.1, instrument(SYMBOL, now), rules, quote, 3,
            LIMITS,
        )  # fmt: skip
        denial = risk.check_entry(facts) or risk.check_margin(1.0, 1e9)
        found.append(time.perf_counter_ns() - began)
        if denial is not None:
            raise SystemExit(f"the bench's own entry was denied: {denial}")
    return found


def stalls(count: int) -> list[int]:
    """Nanoseconds by which a sleep of 1 ms wakes late."""
    found = []
    for _ in range(count):
        began = time.perf_counter_ns()
        time.sleep(0.001)
        found.append(time.perf_counter_ns() - began - 1_000_000)
    return found


def show(name: str, values: list[int]) -> None:
    p50, p99, p999 = np.percentile(np.array(values) / 1000, [50, 99, 99.9])
    print(f"{name:32} {p50:10.1f} {p99:10.1f} {p999:10.1f}")


def _as_terminal(door: Door) -> Terminal:
    terminal: Any = door  # it has what an order needs, not the whole protocol
    found: Terminal = terminal
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--pause-ms", type=float, default=1.0)
    parser.add_argument("--fifo", "--realtime", action="store_true")
    parser.add_argument("--sustained", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--slow-door", type=float, default=0.0, metavar="MS")
    options = parser.parse_args()
    if options.fifo:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    with tempfile.TemporaryDirectory(dir=".") as directory:
        found = measure(Path(directory), options.count, options.pause_ms / 1000)
    print(f"{'microseconds':32} {'p50':>10} {'p99':>10} {'p99.9':>10}")
    for name, values in found.items():
        show(name, values)
    show("checks alone", checks(20_000))
    show("stall: sleep of 1 ms is late by", stalls(1000))
    with tempfile.TemporaryDirectory(dir=".") as directory:
        if options.sustained:
            sustained(Path(directory), options.sustained, 0.0)
        if options.slow_door:
            sustained(Path(directory) / "slow", 5.0, options.slow_door / 1000, halts=20)


if __name__ == "__main__":
    main()
