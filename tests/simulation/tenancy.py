"""Two executions of one account: in some seeds another comes, takes the lease, trades, and leaves.

The other is a real execution, too (`rival`), on the world's signals, also on a netting account,
where what one of them holds keeps the other from its symbol. What it opens is not ours. Whoever is
alive keeps its lease; the other gets it when ours was silent for ten seconds, as behind a cut line
or in a stopped process, which does not notice that time passed. From its claim on the account takes
no order of ours; we end, and open nothing until a person resumes.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.bus.lease import ChangedError, Written
from adapters.mt5.fence import Fence
from adapters.mt5.real.terminal import RealTerminal
from core.clock import Timer
from core.errors import TickhouseError, UnavailableError
from execution import compose
from execution.lease import Held, Lease
from execution.live import Parts
from tests.simulation import signed, trips
from tests.simulation.rival import Rival

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.25  # of the seeds in which neither breakers nor signatures are looked at
_RENEW_S, _LASTS_S = 2.0, 9.9


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
        self._ours: Lease | None = None
        self._real = Rival(world, self)
        self._rival: Lease | None = None
        self._renewed_s, self._cut = 0.0, False
        self._must_end = self._owed = False  # now; a halt, until a person resumes
        self.claimed = self.claimed_by_us = 0  # the other's number, and ours
        self.changes = 0  # of hands

    @property
    def sent_by_the_other(self) -> set[str]:
        """Names of orders: of one signal both make the same."""
        return self._real.sent

    def terminal(self, real: RealTerminal) -> RealTerminal:
        """The terminal as who stands behind a claim sees it."""
        return self.fenced(real, "ours") if self.on else real

    def fenced(self, real: RealTerminal, holder: str) -> RealTerminal:
        """As its server lets a holder trade."""
        return _Fenced(real, self, holder)

    def lease(self, parts: Parts) -> Lease | None:
        """Ours, taken and claimed.

        Raises:
            BusyError, UnavailableError: see Lease.
        """
        if not self.on:
            return None
        self._ours = None
        taken = Lease(self._place, "sim", "ours", timer=self._world.timer)
        taken.acquire(parts.ledger.book.lease)
        compose.claim(parts, taken)
        self._ours, self._renewed_s, self._cut = taken, self._world.seconds(), False
        self.claimed_by_us = taken.number
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
        try:
            self._rival = self._begin(_Waiting(world, self))
        except TickhouseError as error:
            world.tell(f"another execution ends: {error}")
            return
        self.claimed = self._rival.number
        world.tell(f"another execution has the account, under {self.claimed}")
        self.changes += 1
        self._keep()

    def _begin(self, timer: Timer) -> Lease:
        """The other's lease, with its claim at the terminal."""
        with self._world.of_another():
            self._real.start(self._place, timer)
        assert self._real.lease is not None
        return self._real.lease

    def turned(self) -> None:
        """The other goes around as often as ours."""
        if self._real.alive:
            with self._world.of_another():
                self._real.turn()
            if not self._real.alive:
                self._leave()

    def _keep(self) -> None:
        """While it is alive."""
        if self._rival is not None:
            self._rival.renew()
            self._world.later(_RENEW_S, self._keep)

    def _leave(self) -> None:
        if self._rival is not None:
            self._world.tell("the other execution leaves")
            if self._real.lease is self._rival:
                self._real.leave()
            else:
                self._rival.close()
            self._rival = None


class _Place:
    """Implements LeasePlace on the world's bus."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._written: Written | None = None
        self._changed_s = 0.0

    def read(self, timeout_s: float) -> Written | None:
        self._answers()
        return self._written

    def replace(self, payload: bytes, known: int, timeout_s: float) -> int:
        self._answers()
        sequence = self._written.sequence if self._written else 0
        if sequence != known:
            raise ChangedError("another record is there")
        self._check(msgspec.json.decode(payload, type=Held))
        self._changed_s = self._world.seconds()
        self._written = Written(payload, sequence + 1)
        return sequence + 1

    def close(self) -> None:
        """Nothing to close."""

    def _check(self, new: Held) -> None:
        """Whoever shows that it is alive keeps its lease."""
        before = msgspec.json.decode(self._written.payload, type=Held) if self._written else None
        if before and before.held and before.holder != new.holder:
            silent_s = self._world.seconds() - self._changed_s
            assert silent_s >= _LASTS_S, f"a lease was taken after {silent_s:.1f} s"

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

    def __init__(self, real: RealTerminal, tenancy: Tenancy, holder: str) -> None:
        super().__init__(real._config, real._mt5)
        self._tenancy, self._number, self._holder = tenancy, 0, holder

    def claim(self, number: int, holder: str) -> bool:
        self._number = number
        return self._tenancy.fence.admits(number, holder)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        fence = self._tenancy.fence
        if not fence.admits(self._number, self._holder):
            return fence.refusal(self._number)
        newest = max(self._tenancy.claimed, self._tenancy.claimed_by_us)
        assert newest <= self._number, "an order under an older lease was taken"
        return super().order_send(request)
