"""Signal bytes in hand to order request at the terminal's door, journal synced before.

`python -m benchmarks.bench_signal_to_order [--count N] [--fifo] [--seconds S] [--rate N]
[--slow-door MS] [--profile]`

The door answers at once, so nothing of a broker is in the figures. Beside them, from the same run:
one fdatasync of as many bytes in a preallocated file (the floor), and how late a sleep of 1 ms
wakes (what this machine stalls by itself). `--seconds` offers `--rate` signals a second for so
long, handled as live: a newer target supersedes the ones that wait. `--slow-door` gives the
terminal so many milliseconds for each answer and measures how long signals wait then, and how soon
a halt given while an order is out holds. `--fifo` asks for SCHED_FIFO where allowed. `--profile`
prints where the time of one order goes. Prints p50, p99, p99.9 in microseconds.
"""

import argparse
import cProfile
import gc
import os
import pstats
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from benchmarks.figures import Figure, note
from benchmarks.machine import describe
from benchmarks.signal_door import (
    SETTINGS,
    SYMBOL,
    Door,
    Rig,
    as_terminal,
    quoted,
    requote,
    signal_bytes,
)
from core import trading_control
from core.clock import SystemClock
from core.contracts import codec
from core.instruments import instrument
from core.trading_control import ControlCommand, write
from execution.breakers.halt_port import HaltPort
from execution.risk import checks as risk
from execution.risk.limits import of_settings

LIMITS = of_settings(SETTINGS.execution).base
_HALTS = 20


def measure(directory: Path, count: int, pause_s: float) -> dict[str, list[int]]:
    """Nanoseconds of every part, one entry per order."""
    rig = Rig(directory)
    journal, door, engine, outbox = rig.journal, rig.door, rig.engine, rig.outbox
    times_ns: dict[str, list[int]] = {"signal to order": [], "floor: one fdatasync": []}
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
        if taken < 0:
            raise SystemExit(f"signal {number} made no order: {rig.why()}")
        least = least or floor.sync()
        if number >= 200:
            times_ns["signal to order"].append(taken)
            times_ns["floor: one fdatasync"].append(least)
        outbox.publish()
        time.sleep(pause_s)
    journal.close()
    return times_ns


def sustained(directory: Path, seconds: float, rate: int, slow_s: float) -> None:
    """So many signals a second for a while; how long each waited, and how soon halts held."""
    directory.mkdir(exist_ok=True)
    rig, waited, late, traded = Rig(directory, slow_s), list[int](), 0, 0
    done, halts = threading.Event(), Halts(rig, directory)
    helpers = [threading.Thread(target=_poll, args=(rig, done))]
    if slow_s:
        helpers.append(threading.Thread(target=halts.run, args=(done,)))
    with HaltPort(directory, rig.trading):
        for helper in helpers:
            helper.start()
        began, sent = time.perf_counter_ns(), 0
        while (now := time.perf_counter_ns()) - began < seconds * 1e9:
            due = int((now - began) / 1e9 * rate) - sent
            arrived = [began + round((sent + n) / rate * 1e9) for n in range(due)]
            signals = [codec.decode("signals", signal_bytes(sent + n)) for n in range(due)]
            sent += due
            requote(rig.quotes)
            for start in range(0, len(signals) - 1, 500):
                rig.engine.untraded.supersede(signals[:-1][start : start + 500])
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
    print(
        f"{sent} signals in {seconds:.0f} s ({rate} a second), {traded} not superseded,"
        f" {late} past their expiry"
    )
    halts.tell()


class Halts:
    """A person who halts while an order is out, by file and by port in turn, and resumes."""

    def __init__(self, rig: Rig, home: Path) -> None:
        self._rig, self._home = rig, home
        self.held: dict[str, list[int]] = {"file": [], "port": []}
        self.sent_while_halted = 0

    def run(self, done: threading.Event) -> None:
        """Until all are given, or the bench is over."""
        for number in range(2 * _HALTS):
            way = ("file", "port")[number % 2]
            if done.wait(0.05) or not self._wait_busy(done):
                return
            order = ControlCommand("halted", "bench", str(number), time.time_ns() // 1000)
            began = time.perf_counter_ns()
            if way == "file":
                write(self._rig.control, order)
            else:
                trading_control.halt_running(self._home, order)
            self._wait_for("halted")
            held = time.perf_counter_ns()
            self.held[way].append(held - began)
            if done.wait(0.25):  # the order that was out comes back, and the next is decided
                return
            self.sent_while_halted += sum(at > held for at in self._rig.door.entries)
            trading_control.resume(self._home, "bench", "over", SystemClock())
            self._wait_for("active")

    def tell(self) -> None:
        """Print what was measured."""
        for way, values in self.held.items():
            if values:
                show(f"halt by {way} within a send", values)
        if self.held["file"]:
            print(f"entries sent after a halt held: {self.sent_while_halted}")

    def _wait_busy(self, done: threading.Event) -> bool:
        while not self._rig.door.busy:
            if done.wait(0.001):
                return False
        return True

    def _wait_for(self, state: str) -> None:
        while self._rig.trading.state != state:
            time.sleep(0.0002)


def _poll(rig: Rig, done: threading.Event) -> None:
    """As the live control thread."""
    while not done.wait(0.01):
        rig.trading.poll()


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
    signal = codec.decode("signals", signal_bytes(0))
    specification = Venue(as_terminal(Door())).specification("sim", SYMBOL)
    taken_ns = []
    for _ in range(count):
        began = time.perf_counter_ns()
        context = risk.RiskContext(
            signal=signal, now_us=now, quote=quote, specification=specification,
            instrument=instrument(SYMBOL, now), limits=LIMITS, limits_version="bench",
            collar=LIMITS.collar,
        )  # fmt: skip
        context = replace(context, state="active", blocked=False, side="buy", volume=0.1, entries=3)
        denial = risk.check_entry(context) or risk.check_margin(1.0, 1e9)
        taken_ns.append(time.perf_counter_ns() - began)
        if denial is not None:
            raise SystemExit(f"the bench's own entry was denied: {denial}")
    return taken_ns


def stalls(count: int) -> list[int]:
    """Nanoseconds by which a sleep of 1 ms wakes late."""
    late_ns = []
    for _ in range(count):
        began = time.perf_counter_ns()
        time.sleep(0.001)
        late_ns.append(time.perf_counter_ns() - began - 1_000_000)
    return late_ns


def show(name: str, values: list[int]) -> None:
    p50, p99, p999 = np.percentile(np.array(values) / 1000, [50, 99, 99.9])
    print(f"{name:32} {p50:10.1f} {p99:10.1f} {p999:10.1f}")


def _note(times_ns: dict[str, list[int]]) -> None:
    ours, floor = (
        np.percentile(np.array(times_ns[name]) / 1000, [50, 99])
        for name in ("signal to order", "floor: one fdatasync")
    )
    for n, (share, goal) in enumerate((("p50", 40.0), ("p99", 120.0))):
        note(Figure(
            f"signal to order, {share}; floor: one fdatasync", float(ours[n]), "µs",
            "python -m benchmarks.bench_signal_to_order", goal, "beyond", floor=float(floor[n]),
        ))  # fmt: skip


def profile(directory: Path, count: int) -> None:
    """Where the time of an order goes, apart from the disk."""
    profiler = cProfile.Profile()
    profiler.runcall(measure, directory, count, 0.0)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(32)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--pause-ms", type=float, default=1.0)
    parser.add_argument("--fifo", "--realtime", action="store_true")
    parser.add_argument("--seconds", "--sustained", type=float, default=0.0)
    parser.add_argument("--rate", type=int, default=5_000, help="signals a second")
    parser.add_argument("--slow-door", type=float, default=0.0, metavar="MS")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(describe())
    if options.fifo:
        _ask_for_fifo()
    with tempfile.TemporaryDirectory(dir=".") as directory:
        if options.profile:
            profile(Path(directory), options.count)
            return
        times_ns = measure(Path(directory), options.count, options.pause_ms / 1000)
    print(f"{'microseconds':32} {'p50':>10} {'p99':>10} {'p99.9':>10}")
    for name, values in times_ns.items():
        show(name, values)
    _note(times_ns)
    show("checks alone", checks(20_000))
    show("stall: sleep of 1 ms is late by", stalls(1000))
    with tempfile.TemporaryDirectory(dir=".") as directory:
        if options.seconds:
            sustained(Path(directory) / "fast", options.seconds, options.rate, 0.0)
        if options.slow_door:
            slow_s = options.slow_door / 1000
            sustained(Path(directory) / "slow", options.seconds or 20.0, options.rate, slow_s)


def _ask_for_fifo() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
        print("SCHED_FIFO, priority 50")
    except (AttributeError, OSError) as error:  # not Linux, or not permitted
        print(f"without SCHED_FIFO: {error}")


if __name__ == "__main__":
    main()
