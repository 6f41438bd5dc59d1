"""Who acts in a chaos run: a strategy that wants something all the time, and a person who watches.

The strategy reaches the bus directly: it is not what is tested. The person halts and resumes as
`tickhouse halt` and `resume` do, and settles an order whose outcome nobody knows once it cannot
be on its way any more, by what the terminal's own log says.
"""

import contextlib
import itertools
import threading
import time
from abc import abstractmethod
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from adapters.bus import select
from adapters.mt5.venue.orders import magic_of
from adapters.simulator.markets.tape import TapedMarket
from core import trading_control
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.order import EventKind
from core.contracts.signal import OrderSignal, Signal
from core.desk import DESK
from core.settings import Settings
from core.topics import SIGNALS
from execution import compose
from execution.broker import manual_resolutions as settlements
from execution.broker.manual_resolutions import ManualResolution
from execution.journal import journal
from execution.journal.book import Book
from tests.chaos.stack import RUN, STRATEGIES

_ON_ITS_WAY_S = 6.0  # longer than any fault holds a request back


class Halt(NamedTuple):
    """From when on nothing may be sent, until a person resumed; microseconds."""

    begin_us: int
    end_us: int


class Actor(threading.Thread):
    """Something that acts every so often until `finish`."""

    def __init__(self, every_s: float) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self._every_s, self._done = every_s, threading.Event()
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._done.wait(self._every_s):
                self.act()
            self.end()
        except BaseException as error:  # told by `finish`, in the thread that asks
            self.problem = error

    def finish(self) -> None:
        """Stop, and raise what went wrong."""
        self._done.set()
        self.join(70)
        if self.problem:
            raise self.problem

    @abstractmethod
    def act(self) -> None: ...

    def end(self) -> None:
        """Nothing to clear up."""


class Trader(Actor):
    """Signals on every feed in turn, each with a stop and a short horizon."""

    def __init__(
        self, settings: Settings, market: TapedMarket, seed: int, every_s: float, *, plain: bool
    ) -> None:
        """`plain`: in and out again, so that every signal is an order. Else some of them ask for
        orders that wait, for other terms of such, and for their end.
        """
        super().__init__(every_s)
        self._rng, self._market, self._plain = Random(f"trader {seed}"), market, plain
        is_desk = settings.run.strategy == DESK
        self._strategies = STRATEGIES if is_desk else STRATEGIES[:1]
        self._bus = select.connect(settings.bus, "owner")
        self._turns = itertools.cycle(market.feeds())
        self._count = itertools.count(1)
        self._placed: dict[tuple[str, str], OrderSignal] = {}  # the newest, by strategy and symbol
        self.signals: dict[str, tuple[str, int]] = {}  # by signal: feed, when

    def act(self) -> None:
        source, symbol = next(self._turns)
        now = time.time_ns() // 1000
        quote = self._market.tape(source, symbol).last_until(now // 1000)
        if quote is None:
            return
        number = next(self._count)
        signal = self._signal(f"s{number:05d}", source, symbol, now, quote.bid, quote.ask)
        if not self._plain and self._rng.random() < 0.6:
            signal = self._waiting(signal, quote.ask - quote.bid)
        self.signals[signal.signal_id] = f"{source}.{symbol}", now
        self._bus.send(SIGNALS, f"{source}.{symbol}", codec.encode(signal), signal.signal_id)

    def end(self) -> None:
        self._bus.close(30.0)  # type: ignore[call-arg]

    def _signal(
        self, name: str, source: str, symbol: str, now: int, bid: float, ask: float
    ) -> Signal:
        rng, mid = self._rng, (bid + ask) / 2
        target, away, horizon_s = self._wish(name)
        far = max(mid * away, 2 * (ask - bid))
        stop = mid - far if target > 0 else mid + far
        return Signal(
            signal_id=name, run_id=RUN.run_id, mode=RUN.mode, account=RUN.account,
            strategy=rng.choice(self._strategies), source=source, symbol=symbol,
            ts_event_us=now, ts_init_us=now, time_msc=now // 1000, seq=0, target=target,
            reference_price=mid,
            stop_price=stop if target else 0.0, horizon_us=now + round(horizon_s * 1e6),
            expires_us=now + 2_000_000, confidence=rng.random(), model="scripted",
            prediction_id="",
        )  # fmt: skip

    def _waiting(self, signal: Signal, spread: float) -> OrderSignal:
        """One of three names, for some seconds: most prices come within them."""
        rng, now, life_us = self._rng, signal.ts_event_us, self._rng.choice((3, 6)) * 1_000_000
        sign, entry, name = rng.choice((1, -1)), rng.choice(("limit", "stop")), rng.choice("abc")
        action, key = rng.choice(("place", "place", "cancel")), (signal.strategy, signal.symbol)
        last = self._placed.get(key)
        if last is not None and last.expires_us > now + 500_000 and rng.random() < 0.7:
            sign, entry, name = 1 if last.target > 0 else -1, last.entry, last.name
            action = "modify"
        away = sign * (1 if entry == "stop" else -1) * rng.choice((1.0, 3.0, 9.0)) * spread
        price = signal.reference_price + away
        stop = price - sign * max(price * rng.choice((0.0002, 0.01)), 2 * spread)
        order = OrderSignal(**msgspec.structs.asdict(signal) | {
            "target": float(sign), "stop_price": stop, "expires_us": now + life_us,
            "horizon_us": now + life_us + 3_000_000, "name": name, "action": action,
            "entry": entry, "entry_price": price, "expiry": rng.choice(("gtc", "specified")),
        })  # fmt: skip
        if action == "place":
            self._placed[key] = order
        return order

    def _wish(self, name: str) -> tuple[float, float, float]:
        """Target, distance of the stop as a share of price, seconds to the horizon."""
        if self._plain:
            turn = (int(name[1:]) - 1) // len(self._market.feeds())
            return float(1 - turn % 2), 0.01, 30.0
        target = self._rng.choice((-1.0, -0.5, 0.0, 0.5, 1.0))
        return target, self._rng.choice((0.0002, 0.01)), self._rng.choice((1.0, 2.0, 5.0))


class Person(Actor):
    """Halts now and then (`halts`), resumes, and settles what nobody else can tell."""

    def __init__(self, home: Path, settings: Settings, seed: int, *, halts: bool) -> None:
        super().__init__(0.25)
        self._home, self._rng, self._halts_too = home, Random(f"person {seed}"), halts
        self.journal = compose.own_path(settings) / "journal"
        self._next_s = time.monotonic() + self._rng.uniform(2, 6)
        self._begin_us = 0
        self._seen: dict[str, float] = {}
        self.halts: list[Halt] = []
        self.settled: list[str] = []

    def act(self) -> None:
        if self._halts_too and time.monotonic() >= self._next_s:
            self._resume() if self._begin_us else self._halt()
        if int(time.monotonic() * 4) % 4 == 0:
            self._settle()

    def end(self) -> None:
        if self._halts_too:
            self._resume()

    def _halt(self) -> None:
        trading_control.halt(self._home, "ann", "chaos", SystemClock())
        self._begin_us = time.time_ns() // 1000
        self._next_s = time.monotonic() + self._rng.uniform(0.5, 2.0)

    def _resume(self) -> None:
        end_us = time.time_ns() // 1000
        trading_control.resume(self._home, "ann", "chaos", SystemClock())
        if self._begin_us:
            self.halts.append(Halt(self._begin_us, end_us))
        self._begin_us = 0
        self._next_s = time.monotonic() + self._rng.uniform(4, 12)

    def _settle(self) -> None:
        if not self.journal.exists():
            return
        book, now = Book(), time.monotonic()
        for place in journal.read(self.journal):
            book.apply(place.record)
        there = magics(self._home)
        for name in book.unsettled:
            if book.orders[name].kind is not EventKind.UNKNOWN or magic_of(name) in there:
                continue
            if now - self._seen.setdefault(name, now) > _ON_ITS_WAY_S and name not in self.settled:
                self._say_absent(name)

    def _say_absent(self, name: str) -> None:
        said = ManualResolution(name, "absent", "ann", "not in the log", time.time_ns() // 1000)
        settlements.write(settlements.directory_of(self.journal), said)
        self.settled.append(name)


def requests(home: Path) -> list[dict[str, object]]:
    """The terminal's own log: what it accepted, oldest first; a torn last line is none."""
    requests = []
    for line in (home / "account.log").read_bytes().split(b"\n")[1:]:
        with contextlib.suppress(msgspec.DecodeError):
            requests.append(msgspec.json.decode(line[9:]))
    return requests


def magics(home: Path) -> set[int]:
    """Of all accepted requests."""
    return {record["request"]["magic"] for record in requests(home)}  # type: ignore[index]
