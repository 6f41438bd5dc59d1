"""The second execution of a world: real from its composition root on, on a disk of its own.

It reads the same signals, trades at the same terminal by the same clock, and holds the lease as
ours does. Nothing fails on its machine, for what is watched is ours; what it publishes nobody
reads.
"""

import threading
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from adapters.bus.base import Message, Subscriber
from adapters.bus.lease import LeasePlace
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from core.clock import Timer
from core.errors import BusyError, UnavailableError
from core.topics import SIGNALS, Topic
from execution import compose
from execution.journal.journal import Journal
from execution.journal.witness import Witnessed
from execution.lease import Lease
from execution.live import Live
from tests.simulation.broker import Watched
from tests.simulation.disk import SimulatedDisk
from tests.support.memory_bus import MemoryBus

if TYPE_CHECKING:
    from tests.simulation.tenancy import Tenancy
    from tests.simulation.world import World

HOLDER = "rival"
_SEGMENT = 32_768


class Rival:
    """Comes and leaves, several times in one world; its journal stays."""

    def __init__(self, world: "World", tenancy: "Tenancy") -> None:
        self._world, self._tenancy = world, tenancy
        self.settings = replace(world.settings, home=str(world.home / HOLDER))
        self._disk, self._journal = SimulatedDisk(_nothing_happens), None
        self._parts: compose.live.Parts | None = None
        self._live: Live | None = None
        self.lease: Lease | None = None
        self.sent = set[str]()

    @property
    def alive(self) -> bool:
        return self._live is not None

    def start(self, place: LeasePlace, timer: Timer) -> int:
        """As `python -m execution` does; the number of its lease.

        Raises:
            BusyError, UnavailableError: see Lease, and a terminal that is away.
        """
        world, known = self._world, self._journal
        self.settings.home_path.mkdir(exist_ok=True)
        witnessed = Witnessed.of(known.synced, "") if known else None
        self._journal = Journal(
            self.settings.home_path / "journal", _SEGMENT, self._disk, witnessed=witnessed
        )
        package = Watched(world.broker.package, _nothing_happens, self._on_send)
        terminal = self._tenancy.fenced(RealTerminal(self.settings.terminal, package), HOLDER)
        if world.broker.faults.connected:  # a session of its own: a failed one ends not ours
            terminal.initialize()
        outside = compose.Environment(
            self._journal, _Bus(world), Venue(terminal, 86_400.0), world.clock, world.timer
        )
        parts = compose.live_parts(self.settings, outside)
        lease = Lease(place, "sim", HOLDER, timer=timer)
        lease.acquire(parts.ledger.book.lease)
        compose.claim(parts, lease)
        parts = parts._replace(lease=lease)
        live = Live(parts, threading.Event())
        live.open()
        live.recover()
        self.lease, self._parts, self._live = lease, parts, live
        return lease.number

    def turn(self) -> None:
        """Once around; it ends when the account is another's."""
        if self._live is None or self._parts is None:
            return
        self._world.show(self._parts.quotes)
        try:
            self._live._keep_lease()
            self._live.turn()
        except (BusyError, UnavailableError) as error:
            self._world.tell(f"the other execution ends: {error}")
            self._live = None

    def leave(self) -> None:
        """It ends as it should: whoever comes next need not wait."""
        if self.lease is not None:
            self.lease.close()
        self._live = self._parts = self.lease = None

    def _on_send(self, request: dict[str, Any]) -> None:
        if request["action"] not in (mt5.TRADE_ACTION_DEAL, mt5.TRADE_ACTION_PENDING):
            return
        name = request["comment"]
        assert name not in self._world.sent, f"order {name} was sent by both executions"
        assert name not in self.sent, f"order {name} was sent twice by the other execution"
        self.sent.add(name)
        self._world.tell(f"the other execution sends {name[:8]} {request['symbol']}")
        if not request.get("position"):
            self._world.others[request["symbol"]] += request["volume"]


class _Bus(MemoryBus):
    """The world's signals; what is told here stays here."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        return self._world.bus.last(topic, key) if topic is SIGNALS else super().last(topic, key)

    def subscribe(  # type: ignore[override]
        self, topic: Topic, start_sequence: int = 1, partition: int | None = None
    ) -> Subscriber:
        if topic is SIGNALS:
            return self._world.bus.subscribe(topic, start_sequence, partition)
        return super().subscribe(topic, start_sequence, partition)


def _nothing_happens(place: str) -> None:
    """On its machine nothing fails."""
