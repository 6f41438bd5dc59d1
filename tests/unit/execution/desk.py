"""One engine with its real parts on a quiet market, for tests that go step by step."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from msgspec.structs import replace

from adapters.mt5.protocol.results import TradeOrder
from adapters.mt5.venue.orders import Venue
from adapters.simulator.terminal import SimulatedTerminal
from core.clock import ManualClock, SystemTimer, Timer
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal, Signal
from core.contracts.tick import TICK
from core.desk import Desk as StrategyDesk
from core.desk import one_alone
from core.sections import ExecutionSettings, ExitSettings, RunSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS
from execution import compose, live
from execution.broker.poller import PollerParts
from execution.broker.reconcile import Reconciler
from execution.broker.shared_position import shared
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox
from execution.journal.position import Key
from execution.order_path.engine import Engine
from execution.order_path.quotes import LiveQuotes
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import CachedFunds
from execution.risk.trading_state import TradingState
from tests.support import replays
from tests.support.markets import TUESDAY, Rows, terminal
from tests.support.memory_bus import MemoryBus

RUN = RunSettings("live", "live", "simulated", "scripted")
KEY = Key("scripted", "oanda", "EURUSD")


def flat(price: float = 1.1, seconds: int = 300) -> Rows:
    """A quote a second that never moves."""
    return [(TUESDAY + 1000 * n, price, round(price + 1e-4, 5)) for n in range(seconds)]


class Unreliable:
    """A terminal whose answers to `order_send` can be lost, after or before it acts."""

    def __init__(self, inner: SimulatedTerminal) -> None:
        self._inner = inner
        self.lose: list[str] = []  # per coming order: "answer", "request", "" for neither
        self.sent: list[Mapping[str, Any]] = []
        self.hides_history = False
        self.hidden_balance = 0.0  # of the account and not in its history
        self.working: list[TradeOrder] = []

    def account_info(self) -> Any:
        account = self._inner.account_info()
        return account._replace(balance=round(account.balance + self.hidden_balance, 2))

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        return (*self.working, *self._inner.orders_get(symbol, ticket))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        fate = self.lose.pop(0) if self.lose else ""
        if fate == "request":
            return None
        self.sent.append(request)
        answer = self._inner.order_send(request)
        return None if fate == "answer" else answer

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        return () if self.hides_history else self._inner.history_deals_get(date_from, date_to)


class MarketTimer:
    """Seconds of the desk's own clock: nothing waits."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def seconds(self) -> float:
        return self._clock.now_us() / 1e6

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""


class HandTimer:
    """Seconds since the machine began, moved by hand: the clock may jump beside it."""

    def __init__(self) -> None:
        self._at_s = 0.0

    def seconds(self) -> float:
        return self._at_s

    def sleep(self, seconds: float) -> None:
        """So many seconds go by at once."""
        self._at_s += seconds


class Desk:
    """Journal and account in `home`, so that a second desk on it is a restart."""

    def __init__(
        self,
        home: Path,
        *,
        repeatable: bool = False,
        sends: bool = True,
        rows: Rows | None = None,
        control: Path | None = None,
        netting: bool = False,
        exits: ExitSettings = ExitSettings(),  # noqa: B008
        strategies: StrategyDesk | None = None,
        **limits: Any,
    ) -> None:
        self.settings = Settings(run=RUN, execution=ExecutionSettings(**limits), exits=exits)
        feeds = {"EURUSD_oanda": rows or flat()}
        inner = terminal(feeds, log=home / "account.log", netting=netting)
        self.terminal = Unreliable(inner)
        self.bus, self.clock, self.quotes = MemoryBus(), ManualClock(), LiveQuotes()
        self.timer = MarketTimer(self.clock)
        self.journal = Journal(home / "journal", 65536)
        self.outbox = Outbox(self.bus, self.journal, RUN)
        self.book = Book()
        self.ledger = Ledger(self.journal, self.book, self.outbox)
        plain, self.trading = Venue(self.terminal), TradingState(control)
        desk = strategies or one_alone(RUN.strategy)
        self.venue = shared(plain, self.book, desk, repeatable=repeatable)
        beside = self.ledger, self.venue
        residues = compose.residues_of(RUN, self.clock, *beside, self.quotes)
        self.closings = compose.closings_of(RUN, self.clock, *beside, residues)
        self.reconciler = Reconciler(
            self.ledger, self.venue, self.clock, self.settings.execution.collar,
            repeatable=repeatable, patience_s=0.02, late_s=0.0, residues=residues,
        )  # fmt: skip
        self.funds = CachedFunds(self.venue, self.clock)
        self.limits_file = LimitsFile(RUN.account, of_settings(self.settings.execution))
        self.engine = Engine(
            settings=self.settings, clock=self.clock, ledger=self.ledger, venue=self.venue,
            quotes=self.quotes, trading=self.trading, reconciler=self.reconciler, funds=self.funds,
            sends=sends, limits=self.limits_file, desk=strategies, closings=self.closings,
        )  # fmt: skip
        self._sends, self._strategies, self.open = sends, strategies, True
        self.at(1.0)

    def use(self, limits: LimitsFile) -> None:
        """Trade under the limits of a file from now on."""
        self.limits_file = limits
        self.engine = Engine(
            settings=self.settings, clock=self.clock, ledger=self.ledger, venue=self.venue,
            quotes=self.quotes, trading=self.trading, reconciler=self.reconciler, funds=self.funds,
            sends=self._sends, limits=limits, desk=self._strategies, closings=self.closings,
        )  # fmt: skip

    def at(self, seconds: float, price: float = 1.1) -> None:
        """Move clock, venue and quote to a time after TUESDAY."""
        now = TUESDAY * 1000 + round(seconds * 1e6)
        self.clock.advance(now)
        self.venue.at(now)
        tick = np.zeros(1, TICK)
        tick["time_msc"], tick["bid"], tick["ask"] = now // 1000, price, price + 1e-4
        self.quotes.feed("oanda", "EURUSD", tick)

    def signal(self, target: float, name: str = "", **changes: Any) -> Signal:
        """A signal that is made now."""
        row = (self.clock.now_us() // 1000, 1.1, 1.1001)
        signal = replays.signal("oanda", "EURUSD", row, target)
        stop = 0.0 if target == 0 else 1.09 if target > 0 else 1.11
        changes = {"stop_price": stop, "signal_id": name or signal.signal_id, **changes}
        return replace(replace(signal, run_id="live", account="simulated"), **changes)

    def order(self, target: float, price: float, **changes: Any) -> OrderSignal:
        """A signal for an order that waits, made now: by default a limit for a minute."""
        plain = self.signal(target, changes.pop("signal_id", ""))
        now = self.clock.now_us()
        times = {"expires_us": now + 60_000_000, "horizon_us": now + 120_000_000} | changes
        chosen = {"name": "dip", "entry": "limit", "entry_price": price} | times
        return OrderSignal(**structs.asdict(plain) | chosen)

    def trade(self, target: float, name: str = "", **changes: Any) -> list[str]:
        """Handle a signal; the events that it gave, as "purpose kind"."""
        before = len(self.events())
        self.engine.on_signal(self.signal(target, name, **changes))
        return story(self.events()[before:])

    def events(self) -> list[OrderEvent]:
        """All order events published, in order."""
        self.outbox.publish()
        return [m for m in self.bus.messages(ORDER_EVENTS) if isinstance(m, OrderEvent)]

    def watched(self, timer: Timer | None = None) -> PollerParts:
        """What the live driver looks after beside signals."""
        world = compose.Environment(
            self.journal, self.bus, self.venue, self.clock, timer or self.timer
        )
        return compose.watched(
            settings=self.settings, environment=world, ledger=self.ledger, quotes=self.quotes,
            limits=self.limits_file, trading=self.trading, outbox=self.outbox, engine=self.engine,
            reconciler=self.reconciler, funds=self.funds,
        )  # fmt: skip

    def live(self, stop: threading.Event, **parts: Any) -> live.Live:
        """The live driver around this desk."""
        watched = self.watched(SystemTimer())
        parts = live.Parts(
            run=RUN, clock=self.clock, bus=self.bus, ledger=self.ledger, venue=self.venue,
            quotes=self.quotes, trading=self.trading, engine=self.engine, outbox=self.outbox,
            watched=watched, **parts,
        )  # fmt: skip
        return live.Live(parts, stop)

    def close(self) -> None:
        """As if the process ended; a second time does nothing."""
        if self.open:
            self.open = False
            self.journal.close()
            self.terminal.shutdown()


def story(events: list[OrderEvent]) -> list[str]:
    """Events as "purpose kind"."""
    return [f"{event.purpose} {event.kind.value}" for event in events]
