"""Signed controls in a world: in some seeds without breakers two people sign, and one steals.

The thief owns the home's files and no key: he writes limits of his own and cuts the chain. One
person alone signs more lots than two agreed on. Nothing of it may show in what is open.
"""

from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.trading_control import ControlCommand, content_of
from tests.simulation import trips
from tests.support.signed_home import SignedHome

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.15  # of the seeds without breakers
_LIMITS = 'version = "sim"\n[limits]\nmax_lots = 50.0\nlots = {lots}\n'


def is_signed(seed: int) -> bool:
    """Whether people sign in a seed's world."""
    return not trips.watched(seed) and Random(f"signed {seed}").random() < _SHARE


class Signed:
    """The people of a world, and its thief."""

    def __init__(self, world: "World", lots: float) -> None:
        self._world, self._lots = world, lots
        self._rng = Random(f"thief {world.seed}")
        self.home: SignedHome | None = None
        if is_signed(world.seed):
            self.home = SignedHome(world.home, ("ann", "bob"), "firm")
            self._follow(self.home)
            entry = self.home.sign("limits", _LIMITS.format(lots=lots).encode())
            self.home.approve(entry.number, "bob")
            world.settings = replace(
                world.settings, home=str(self.home.home), controls=self.home.settings
            )

    def step(self) -> None:
        """Now and then a file is changed, or one person asks for more."""
        if self.home is None or self._rng.random() > 0.1:
            return
        self._follow(self.home)
        self._rng.choice((self._edit, self._cut, self._ask))(self.home)
        if self._world.parts is not None and self._world.parts.limits is not None:
            self._world.parts.limits.poll()

    def resume(self, order: ControlCommand) -> None:
        """Two people sign to resume, where people sign."""
        if self.home is not None:
            self._follow(self.home)
            self.home.approve(self.home.sign("resume", content_of(order)).number, "bob")

    def _follow(self, home: SignedHome) -> None:
        home.clock.advance(self._world.now_us)

    def _edit(self, home: SignedHome) -> None:
        self._world.tell("a thief edits limits.toml")
        (home.home / "limits.toml").write_text(_LIMITS.format(lots=5 * self._lots))

    def _cut(self, home: SignedHome) -> None:
        self._world.tell("a thief cuts the chain")
        home.place.chain.write_bytes(home.place.chain.read_bytes().splitlines(keepends=True)[0])

    def _ask(self, home: SignedHome) -> None:
        self._world.tell("one person signs more lots")
        home.sign("limits", _LIMITS.format(lots=5 * self._lots).encode())
