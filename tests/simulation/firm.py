"""A firm's rules in a world: in some seeds the account may lose little, and hold few lots.

What it owes is worked out here again, plainly, from the broker's own account: never more lots of
ours open or waiting than the firm allows; and once what may be lost is lost, over several turns
in which the process had time to look, trading is stopped as the rules say. A person who resumes is
not stopped again for the same breach, so from then on nothing is owed.
"""

from random import Random
from typing import TYPE_CHECKING

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from tests.simulation import signed, tenancy, trips
from tests.simulation.broker import BALANCE

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.2  # of the seeds in which nothing else is looked at by a file of limits
_LOOK_US = 1_200_000  # so long since the last turn: the account was looked at
_LOOKS = 3
_CLEARLY = 1.0  # money beyond the limit: prices move between a look and ours
LIMITS = """\
version = "sim"
[limits]
lots = {lots}
[accounts.sim]
firm = "invented"
[firms.invented]
dated = 2026-11-24
source = "nobody's page"
size = {size}
drawdown = {drawdown}
drawdown_kind = "static"
max_open_lots = {most}
at_stops = {at_stops}
on_breach = "{on_breach}"
"""


def holds(seed: int) -> bool:
    """Whether a firm's rules hold in a seed's world."""
    others = trips.watched(seed) or signed.is_signed(seed) or tenancy.is_shared(seed)
    return not others and Random(f"firm {seed}").random() < _SHARE


class Firm:
    """The rules of a world's account, and what they owe."""

    def __init__(self, world: "World", lots: float) -> None:
        self._world, self._rng = world, Random(f"losses {world.seed}")
        self.on, self._lots = holds(world.seed), lots
        self._drawdown = self._rng.choice((4.0, 40.0, 300.0))
        self._most = round(self._rng.choice((0.7, 1.5)) * lots, 2)
        self._stops = self._rng.choice(("reducing", "halted", "flatten"))
        self._turned_us = self._looks = 0
        self._owed = self._resumed = False
        self.broken = False  # by the process's own word, once
        if self.on:
            text = LIMITS.format(
                lots=lots, size=BALANCE, drawdown=self._drawdown, most=self._most,
                at_stops=self._rng.choice(("true", "false")), on_breach=self._stops,
            )  # fmt: skip
            (world.home / "limits.toml").write_text(text)

    def step(self) -> None:
        """Now and then the broker charges about what may be lost."""
        if self.on and self._rng.random() < 0.04:
            charge = -round(self._drawdown * self._rng.choice((0.5, 1.1)), 2)
            if self._world.broker.does(operations.money(mt5.DEAL_TYPE_CHARGE, charge, "a fee")):
                self._world.tell(f"the broker charges {charge}")

    def turned(self) -> None:
        """The process has been around once more."""
        world = self._world
        waited, self._turned_us = world.now_us - self._turned_us, world.now_us
        able = world.alive and world.broker.faults.connected and waited >= _LOOK_US
        if not self.on or self._lost() < self._drawdown + _CLEARLY:
            self._looks = 0
        elif able:
            self._looks += 1
        self._owed = self._owed or (self._looks > _LOOKS and not self._resumed)

    def resumed(self) -> None:
        """A person goes on in spite of it."""
        self._owed, self._resumed = False, True

    def check(self) -> str:
        """What is owed and not given; "" for nothing."""
        parts = self._world.parts
        if not self.on or parts is None:
            return ""
        state = parts.trading.state
        self.broken = self.broken or parts.trading.current.by.startswith("breaker firm")
        wrong = state == "active" or (self._stops != "reducing" and state != "halted")
        if self._owed and wrong:
            return f"{self._lost():.2f} of {self._drawdown} are lost, and trading is {state}"
        return self._too_many()

    def _lost(self) -> float:
        """Of what was paid in, by the broker's account; credit is nothing that anybody earned."""
        account = self._world.broker.terminal.account_info()
        moved = [d.profit for d in self._world.broker.deals() if d.type == mt5.DEAL_TYPE_BALANCE]
        return BALANCE + sum(moved) - (account.equity - account.credit)

    def _too_many(self) -> str:
        world = self._world
        lots = sum(p.volume for p in world.broker.positions() if p.magic)
        lots += sum(order.volume_current for order in world.waiting.ours())
        allowed = self._most + self._lots * len(world.broker.faults.done_twice)
        allowed += sum(world.others.values())
        if lots > allowed + 1e-9:
            return f"{lots:.2f} lots of ours are open or wait, and the firm allows {self._most}"
        return ""
