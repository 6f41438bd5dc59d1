"""Live execution put together over a given outside world: the composition root without a process.

`python -m execution` gives it the machine's clock, disk, bus and terminal; the deterministic
simulation gives it its own. What stands between is the same in both.
"""

from pathlib import Path
from typing import NamedTuple

from adapters.bus.base import Bus
from adapters.mt5.execution import Venue
from core.clock import Clock, SystemClock, SystemTimer, Timer
from core.settings import Settings
from execution import live, settlements
from execution.book import Book
from execution.engine import Engine
from execution.funds import RememberedFunds
from execution.journal import Journal
from execution.ledger import Ledger
from execution.limits import of_settings
from execution.limits_file import LimitsFile
from execution.outbox import Outbox
from execution.permission import may_send
from execution.quotes import LiveQuotes
from execution.reconcile import Reconciler
from execution.trading_state import TradingState


class World(NamedTuple):
    """All that execution touches outside its own memory."""

    journal: Journal
    bus: Bus
    venue: Venue
    clock: Clock = SystemClock()
    timer: Timer = SystemTimer()


def control_path(chosen: Settings) -> Path:
    """The kill switch's file."""
    return chosen.home_path / "control.json"


def own_path(chosen: Settings) -> Path:
    """Where live execution keeps what belongs to one account."""
    return chosen.home_path / "execution" / chosen.run.account


def live_parts(chosen: Settings, world: World) -> live.Parts:
    """Everything that the live driver drives; `engine.sends` is False in shadow mode.

    Raises:
        UnavailableError: the terminal does not answer.
    """
    own = own_path(chosen)
    quotes, trading = LiveQuotes(), TradingState(control_path(chosen), own / "breakers.json")
    outbox = Outbox(world.bus, world.journal, chosen.run)
    ledger = Ledger(world.journal, Book(), outbox)
    fallback = of_settings(chosen.execution)
    limits = LimitsFile(chosen.run.account, fallback, chosen.home_path, own / "limits.toml")
    reconciler = Reconciler(
        ledger, world.venue, world.clock, limits.rules.own.collar, repeatable=False,
        timer=world.timer, persons=settlements.directory_of(world.journal.path),
    )  # fmt: skip
    funds = RememberedFunds(world.venue, world.clock)
    engine = Engine(
        chosen, world.clock, ledger, world.venue, quotes, trading, reconciler, funds,
        sends=may_send(chosen, world.venue.account()), limits=limits, timer=world.timer,
    )  # fmt: skip
    return live.Parts(
        chosen.run, world.clock, world.bus, ledger, world.venue, quotes, trading, engine,
        reconciler, outbox, funds, world.timer, limits,
    )  # fmt: skip
