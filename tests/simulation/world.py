"""One simulated world: the real engine between simulated clock, disk, bus and broker.

Everything that happens follows from the seed: what the strategy wants, what the market does,
what fails and when, and at which write or call the process dies. The process is the real one
from its composition root on; threads are replaced by turns.
"""

import heapq
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TICK
from core.errors import BusyError, JournalError, UnavailableError
from core.sections import ExecutionSettings, RunSettings, TerminalSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS, SIGNALS, Topic
from execution import compose
from execution.journal.journal import Journal
from execution.journal.segments import NOTHING
from execution.journal.witness import Witnessed
from execution.live import Live
from execution.order_path.quotes import LiveQuotes
from execution.risk import trading_state
from tests.simulation.broker import Broker, Watched
from tests.simulation.bus import SimulatedBus
from tests.simulation.disk import SimulatedDisk
from tests.simulation.firm import Firm
from tests.simulation.market import SOURCE, SYMBOLS, VARIANTS
from tests.simulation.rotation import Rotation
from tests.simulation.signed import Signed
from tests.simulation.tenancy import Tenancy
from tests.simulation.trips import Trips
from tests.simulation.waiting import Waiting
from tests.support.markets import TUESDAY

LOTS = 0.1
RUN = RunSettings("live", "live", "sim", "scripted")


def strategies_of(seed: int) -> tuple[str, ...]:
    """Those that trade in a seed's world: one alone, or a desk of three with equal shares."""
    several = Random(f"desk {seed}").random() < 0.3
    return ("calm", "scripted", "wild") if several else ("scripted",)


class Crash(BaseException):
    """The process dies here."""


class Violation(AssertionError):  # noqa: N818 - what the simulation looks for
    """A promise is broken."""


class World:
    """The world of one seed. `tell` gets a line for everything that happens."""

    def __init__(self, seed: int, home: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self.seed, self.rng, self.home, self._tell = seed, Random(seed), home, tell
        self.now_us, self.skew_us = (TUESDAY + 60_000) * 1000, 0
        self.settings = Settings(
            home=str(home), run=RUN, execution=ExecutionSettings(lots=LOTS),
            terminal=TerminalSettings(symbols=tuple(SYMBOLS), source=SOURCE),
        )  # fmt: skip
        self.strategies = strategies_of(seed)
        named = replace(RUN, strategy=",".join(self.strategies))
        self.settings = replace(self.settings, run=named)
        self.signed = Signed(self, LOTS)
        self.control = compose.control_path(self.settings)
        self.disk, self.rotation = SimulatedDisk(self.hazard), Rotation(self)
        self.journal: Journal | None = None
        self.bus = WatchedBus(self)
        self.netting = self.rng.random() < 0.3
        self.broker = Broker(
            self.rng.randrange(VARIANTS), lambda: self.now_us // 1000, self.sleep,
            netting=self.netting,
        )  # fmt: skip
        self.wrong_us: dict[str, int] = {}  # since when something is wrong that may be for a while
        self.others: dict[str, float] = dict.fromkeys(SYMBOLS, 0.0)  # lots others traded
        self.package = Watched(self.broker.package, self.hazard, self._on_send)
        self.parts: compose.live.Parts | None = None
        self._live: Live | None = None
        self.sent: dict[str, dict[str, Any]] = {}
        self.points = 0  # places where the process could have died
        self.dies_in = self.halts_in = 0  # so many of them from now on; 0: does not
        self.dies_at = ""  # at the next place of this name
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._count = count(1)
        self._quoted: dict[str, int] = {}
        self.ticks_flow = True
        self.timer, self.clock = _Timer(self), _Clock(self)
        self.trips, self.tenancy = Trips(self, LOTS), Tenancy(self)
        self.waiting, self.firm = Waiting(self), Firm(self, LOTS)
        self._elsewhere = False  # what happens now happens to another process

    # Time: what the engine's clock and timer show, and what happens while it waits.

    def clock_us(self) -> int:
        return self.now_us + self.skew_us

    def seconds(self) -> float:
        return self.now_us / 1e6

    def sleep(self, seconds: float) -> None:
        """Time passes, and what is due happens: also while the engine waits for the broker."""
        end = self.now_us + round(seconds * 1e6)
        while self._agenda and self._agenda[0][0] <= end:
            due, _, happen = heapq.heappop(self._agenda)
            self.now_us = max(self.now_us, due)
            happen()
        self.now_us = max(self.now_us, end)
        self._quote()

    def later(self, seconds: float, happen: Callable[[], None]) -> None:
        due = self.now_us + round(seconds * 1e6)
        heapq.heappush(self._agenda, (due, next(self._count), happen))

    def tell(self, text: str) -> None:
        self._tell(f"{(self.now_us - TUESDAY * 1000) / 1e6:10.3f} s  {text}")

    @property
    def shares(self) -> bool:
        """Whether several strategies share the positions of a netting account."""
        return self.netting and len(self.strategies) > 1

    # The process.

    @property
    def alive(self) -> bool:
        return self._live is not None

    def start(self) -> None:
        """Start the process as `python -m execution` does."""
        self.tell("process starts")

        def begin() -> None:
            since = self.rotation.since()
            # The strictest witness: all that the life before knew to be on disk must be there.
            self.journal = journal = Journal(
                self.home / "journal", self.rotation.size, self.disk, witnessed=self._witnessed(),
                since=since.end if since else NOTHING,
            )  # fmt: skip
            terminal = self.tenancy.terminal(RealTerminal(self.settings.terminal, self.package))
            if not terminal.initialize():
                raise UnavailableError("the terminal does not answer")
            venue = Venue(terminal, 86_400.0)
            outside = compose.Environment(journal, self.bus, venue, self.clock, self.timer, since)
            parts = self.trips.begin(compose.live_parts(self.settings, outside))
            if wrong := self.rotation.difference(parts.ledger.book):
                raise Violation(f"a start knows other {wrong}")
            self.parts = parts._replace(
                room=self.rotation.room(journal), lease=self.tenancy.lease(parts)
            )
            self._live = Live(self.parts, threading.Event())
            self._quoted.clear()
            self._quote()
            self._live.open()
            self._live.recover()

        self._run(begin)

    def _witnessed(self) -> Witnessed | None:
        known = self.journal
        return Witnessed.of(known.synced, self.rotation.digest) if known else None

    def turn(self) -> None:
        """One turn of the live driver, or a start when the process is dead."""
        if self._live is None:
            self.start()
        else:
            self._run(self._turn)
        self.tenancy.turned()
        self._run(self.rotation.keep)
        if self.parts is not None and self.parts.publisher is not None:
            self._run(self.parts.publisher.deliver)
            self.trips.turned()
            self.firm.turned()

    def _turn(self) -> None:
        assert self._live is not None
        self.tenancy.renew()
        self._live._keep_lease()
        self._live.turn()
        self.tenancy.lives()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Crash:
            self._gone("process killed")
        except BusyError as error:
            self.tenancy.ended()
            self._gone(f"process ends: {error}")
        except UnavailableError as error:
            self._gone(f"process ends: {error}")
        except JournalError as error:
            raise Violation(f"execution needs a person: {error}") from error

    def _gone(self, text: str) -> None:
        self.tell(text)
        self._live = self.parts = None
        self.wrong_us.clear()
        self.dies_in = 0

    def lose_power(self) -> None:
        """The machine stops; what was not synced is lost in parts."""
        self.tell(f"power lost: {self.disk.lose_power(self.rng)} sectors gone")
        self._gone("process gone with it")

    def hazard(self, place: str) -> None:
        """The process may die here, or a halt come in."""
        if self._elsewhere:
            return
        self.points += 1
        if self.halts_in:
            self.halts_in -= 1
            if not self.halts_in:
                self.halt("halted")
        last, self.dies_in = self.dies_in == 1, max(self.dies_in - 1, 0)
        if last or place == self.dies_at:
            self.tell(f"killed at: {place}")
            self.dies_at = ""
            raise Crash

    @contextmanager
    def of_another(self) -> Iterator[None]:
        """What happens within happens to another process than ours."""
        self._elsewhere = True
        try:
            yield
        finally:
            self._elsewhere = False

    # What comes from outside.

    def halt(self, state: trading_state.State) -> None:
        """A person halts, reduces or resumes: by the file, which a thread polls."""
        self.tell(f"trading {state}")
        if state == "active":
            self.trips.resumed()
            self.firm.resumed()
            self.tenancy.resumed()
        command = trading_state.ControlCommand(state, "ann", "sim", self.now_us)
        if state == "active":
            self.signed.resume(command)
        trading_state.write(self.control, command)
        if self.parts is not None:
            self.parts.trading.poll()

    def publish(self, signal: Signal, copies: int = 1, delay_s: float = 0.0) -> None:
        """A signal reaches the bus after a delay, so many times (0: it is lost)."""

        def arrive() -> None:
            for _ in range(copies):
                self.bus.publish(SIGNALS, f"{SOURCE}.{signal.symbol}", codec.encode(signal))
            self.bus.visible = len(self.bus.topics[SIGNALS.name])
            self.tell(f"signal {signal.signal_id} {signal.symbol} {signal.target:+} x{copies}")

        self.later(delay_s, arrive)

    def _quote(self) -> None:
        if self.parts is None or not self.ticks_flow:
            return
        for symbol in SYMBOLS:
            quote = self.broker.market.tape(SOURCE, symbol).last_until(self.now_us // 1000)
            if quote is None or self._quoted.get(symbol) == quote.time_msc:
                continue
            self._quoted[symbol] = quote.time_msc
            tick = np.zeros(1, TICK)
            tick["time_msc"], tick["bid"], tick["ask"] = quote
            self.parts.quotes.feed(SOURCE, symbol, self.trips.quote(SOURCE, symbol, tick))

    def show(self, quotes: LiveQuotes) -> None:
        """What another process sees of the market."""
        for symbol in SYMBOLS:
            quote = self.broker.market.tape(SOURCE, symbol).last_until(self.now_us // 1000)
            if quote is not None:
                tick = np.zeros(1, TICK)
                tick["time_msc"], tick["bid"], tick["ask"] = quote
                quotes.feed(SOURCE, symbol, tick)

    def mids(self) -> dict[tuple[str, str], float]:
        """The market's price of each feed, whatever the process sees."""
        mids = {}
        for symbol in SYMBOLS:
            quote = self.broker.market.tape(SOURCE, symbol).last_until(self.now_us // 1000)
            if quote is not None:
                mids[SOURCE, symbol] = (quote.bid + quote.ask) / 2
        return mids

    # What is watched as it happens; the rest is in `promises`.

    def _on_send(self, request: dict[str, Any]) -> None:
        if request["action"] == mt5.TRADE_ACTION_SLTP:
            self._on_stop(request)
        elif request["action"] == mt5.TRADE_ACTION_DEAL:
            self._on_order(request)
        elif request["action"] == mt5.TRADE_ACTION_PENDING:
            self.waiting.placed += 1
            self._on_order(request)
        elif request["action"] == mt5.TRADE_ACTION_MODIFY:
            self._on_change(request)
        else:
            self._on_removal(request)

    def _on_change(self, request: dict[str, Any]) -> None:
        self.tell(f"moves order {request['order']} to {request['price']}")
        self.waiting.changed += 1
        if not request["sl"]:
            raise Violation(f"order {request['order']} would lose its stop")
        if self.waiting.changed > self.disk.durable.count(b"\xa9modifying"):
            raise Violation("an order was changed before that was journalled and on disk, or twice")

    def _on_removal(self, request: dict[str, Any]) -> None:
        self.tell(f"takes back {request['order']}")
        if self.waiting.on and b"cancelling" not in self.disk.durable:
            raise Violation("an order was taken back before that was journalled and on disk")

    def _on_stop(self, request: dict[str, Any]) -> None:
        self.tell(f"moves the stop of {request['position']} to {request['sl']}")
        if b"stop_moving" not in self.disk.durable:
            raise Violation("a stop was moved before that was journalled and on disk")
        for held in self.broker.terminal.positions_get():
            sign = 1 if held.type == mt5.POSITION_TYPE_BUY else -1
            looser = sign * (request["sl"] - held.sl) < 0 and not self.shares
            if held.ticket == request["position"] and looser:
                raise Violation(f"the stop of {held.ticket} loosens from {held.sl}")

    def _on_order(self, request: dict[str, Any]) -> None:
        name, entry = request["comment"], not request.get("position")
        if self.shares and self.parts:  # a closing of one strategy's is a plain deal, too
            sent = [e for e in self.parts.ledger._unfolded if isinstance(e, OrderEvent)]
            entry = any((e.order_id, e.purpose) == (name, "entry") for e in sent)
        self.tell(f"sends {name[:8]} {request['symbol']} {request['type']} {request['volume']}")
        if name in self.sent:
            raise Violation(f"order {name} was sent twice")
        self.sent[name] = request
        if not re.search(rb"%s\.\d+\xa9submitted" % name.encode(), self.disk.durable):
            raise Violation(f"order {name} was sent before it was journalled and on disk")
        if entry and not request.get("sl") and not self._only_reduces(request):
            raise Violation(f"order {name} opens a position without a stop")
        state = self.parts.trading.state if self.parts else "halted"
        if entry and state != "active":
            raise Violation(f"order {name} adds risk while trading is {state}")

    def _only_reduces(self, request: dict[str, Any]) -> bool:
        """Whether a deal makes a position smaller that several strategies share."""
        held = [p for p in self.broker.terminal.positions_get() if p.symbol == request["symbol"]]
        against = sum(p.volume for p in held if p.type != request["type"])
        return self.shares and request["volume"] <= against + 1e-9


class WatchedBus(SimulatedBus):
    """Nothing may be told that a power loss could take back."""

    def __init__(self, world: World) -> None:
        super().__init__(world.hazard)
        self._world = world
        self._narrated: set[str] = set()

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        if topic is ORDER_EVENTS and not self.away:
            event, durable = codec.decode(topic.name, payload), self._world.disk.durable
            if isinstance(event, OrderEvent):
                if event.hash.encode() not in durable:
                    raise Violation(f"event {event.event_id} was published before it was on disk")
                self._tell(event)
        super().send(topic, key, payload, message_id)

    def _tell(self, event: OrderEvent) -> None:
        if event.event_id not in self._narrated:
            self._narrated.add(event.event_id)
            if event.kind is EventKind.STOP_KEPT and event.reason.endswith("by the script"):
                self._world.wrong_us.clear()  # who tried and was refused neglects nothing
            what = f"{event.order_id[:8]} {event.purpose} {event.kind.value} {event.volume}"
            self._world.tell(f"    {what} {event.symbol} {event.venue_position} {event.reason}")


class _Clock:
    def __init__(self, world: World) -> None:
        self.now_us = world.clock_us


class _Timer:
    def __init__(self, world: World) -> None:
        self.seconds, self.sleep = world.seconds, world.sleep
