"""Two executions of one account: in some seeds another comes, takes the lease, trades, and leaves.

The other has the real lease and the real claim at the terminal, and trades like a person: what it
opens is not ours. Whoever is alive keeps its lease; the other gets it when ours was silent for ten
seconds, as behind a cut line or in a stopped process, which does not notice that time passed. From
its claim on the account takes no order of ours; we end, and open nothing until a person resumes.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from adapters.bus.lease import ChangedError, Written
from adapters.mt5.fence import Fence
from adapters.mt5.real.terminal import RealTerminal
from adapters.simulator.broker.operations import by_hand
from core.errors import TickhouseError, UnavailableError
from execution import compose, lease
from execution.live import Parts
from tests.simulation import signed, trips

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.25  # of the seeds in which neither breakers nor signatures are looked at
_RENEW_S = 2.0


def is_shared(seed: int) -> bool:
    """Whether another execution comes in a seed's world."""
    if trips.watched(seed) or signed.is_signed(seed):
        return False
    return Random(f"tenancy {seed}").random() < _SHARE


class Tenancy:
    """Who may trade a world's account."""

    def __init__(self, world: "World") -> None:
        self._world, self._rng = world, Random(f"rival {world.seed}")
        self.on, self.fence, self._place = is_shared(world.seed), Fence(), _Place(world)
        self._ours: lease.Lease | None = None
        self._rival: lease.Lease | None = None
        self._renewed_s, self._cut = 0.0, False
        self._must_end = self._owed = False  # now; a halt, until a person resumes
        self.claimed = 0  # the other's number
        self.changes = 0  # of hands

    def terminal(self, real: RealTerminal) -> RealTerminal:
        """The terminal as who stands behind a claim sees it."""
        return _Fenced(real, self) if self.on else real

    def lease(self, parts: Parts) -> lease.Lease | None:
        """Ours, taken and claimed.

        Raises:
            BusyError, UnavailableError: see Lease.
        """
        if not self.on:
            return None
        self._ours = None
        taken = lease.Lease(self._place, "sim", "ours", timer=self._world.timer)
        taken.acquire(parts.ledger.book.lease)
        compose.claim(parts, taken)
        self._ours, self._renewed_s, self._cut = taken, self._world.seconds(), False
        self._must_end = False
        return taken

    def renew(self) -> None:
        """What our thread does every two seconds, unless the line is cut."""
        ours, now = self._ours, self._world.seconds()
        if ours is None or self._cut or now - self._renewed_s < _RENEW_S:
            return
        self._renewed_s = now
        ours.renew()
        taken = self.claimed > ours.number
        self._must_end = taken and not self._world.bus.away

    def lives(self) -> None:
        """Our process has been around once more.

        Raises:
            AssertionError: it should have ended.
        """
        assert not self._must_end, "another execution took the account, and ours goes on"

    def ended(self) -> None:
        """Our process says that its lease is lost."""
        self._owed = self._owed or bool(self._ours and self._ours.problem)
        self._ours, self._must_end = None, False

    def step(self) -> None:
        """Now and then our line is cut, another comes, or leaves."""
        if not self.on or self._rng.random() > 0.2:
            return
        coming = (self._come, self._come, self._mend) if self._cut else (self._cut_off, self._come)
        self._rng.choice((self._mend, self._leave) if self._rival else coming)()

    def check(self) -> str:
        """What is owed and not given; "" for nothing."""
        parts = self._world.parts
        if self._owed and parts is not None and parts.trading.state == "active":
            return "the account was taken from us, and trading is active"
        return ""

    def resumed(self) -> None:
        """A person lifts the halt."""
        self._owed = False

    def rest(self) -> None:
        """The other leaves, and the line is mended."""
        self._leave()
        self._mend()

    def _cut_off(self) -> None:
        self._world.tell("our lease is not renewed any more")
        self._cut = True

    def _mend(self) -> None:
        self._cut = False

    def _come(self) -> None:
        """Another execution starts; it waits ten seconds, in which ours may show that it lives."""
        world = self._world
        if self._rival is not None or world.bus.away:
            return
        rival = lease.Lease(self._place, "sim", "rival", timer=_Waiting(world, self))
        try:
            number = rival.acquire(0)
        except TickhouseError as error:
            world.tell(f"another execution ends: {error}")
            return
        assert self.fence.admits(number, "rival")
        world.tell(f"another execution has the account, under {number}")
        self._rival, self.claimed = rival, number
        self.changes += 1
        self._trade()
        self._keep()

    def _keep(self) -> None:
        """While it is alive."""
        if self._rival is not None:
            self._rival.renew()
            self._world.later(_RENEW_S, self._keep)

    def _trade(self) -> None:
        symbol = self._rng.choice(tuple(self._world.others))
        self._world.others[symbol] += 0.05
        self._world.broker.does(by_hand(symbol, self._rng.choice((0, 1)), 0.05))

    def _leave(self) -> None:
        if self._rival is not None:
            self._world.tell("the other execution leaves")
            self._rival.close()
            self._rival = None


class _Place:
    """Implements LeasePlace on the world's bus."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._written: Written | None = None

    def read(self, timeout_s: float) -> Written | None:
        self._answers()
        return self._written

    def replace(self, payload: bytes, known: int, timeout_s: float) -> int:
        self._answers()
        sequence = self._written.sequence if self._written else 0
        if sequence != known:
            raise ChangedError("another record is there")
        self._written = Written(payload, sequence + 1)
        return sequence + 1

    def close(self) -> None:
        """Nothing to close."""

    def _answers(self) -> None:
        if self._world.bus.away:
            raise UnavailableError("the simulated bus is away")


class _Waiting:
    """Implements Timer for the other: while it waits, our process lives on."""

    def __init__(self, world: "World", tenancy: Tenancy) -> None:
        self._world, self._tenancy = world, tenancy
        self.seconds: Callable[[], float] = world.seconds

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)
        self._tenancy.renew()


class _Fenced(RealTerminal):
    """A terminal behind its server's fence, as adapters.simulator.server has it."""

    def __init__(self, real: RealTerminal, tenancy: Tenancy) -> None:
        super().__init__(real._config, real._mt5)
        self._tenancy, self._number = tenancy, 0

    def claim(self, number: int, holder: str) -> bool:
        self._number = number
        return self._tenancy.fence.admits(number, holder)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        fence = self._tenancy.fence
        if not fence.admits(self._number, "ours"):
            return fence.refusal(self._number)
        assert self._tenancy.claimed <= self._number, "an order under an older lease was taken"
        return super().order_send(request)
