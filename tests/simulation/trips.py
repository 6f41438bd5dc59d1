"""Breakers in a world: in a third of the seeds one can trip, soon enough for sixty steps.

They see the world's clock, timer and quotes. What they must do is worked out here again, plainly:
after the first two quotes far from all before, trading is halted; after a jump of the clock, or
when the terminal stays silent over several looks, it is at most reducing; after a loss of 9 or 12 %
that the process has had time to see, reducing or halted. A person's resume ends each.
"""

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from adapters.simulator.faults import Fault
from core.contracts.tick import TICK, TickArray
from execution.breakers.breakers import Breakers
from execution.breakers.flash_crash import PAUSE_S
from execution.live import Parts

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.3  # of all seeds
_FALL = 0.97
_WHILE_AWAY = "reducing while away"
_HISTORY_S = 200
_SEEN_AFTER = 3  # turns with a look at the account
_LOSSES = ((0.09, "reducing"), (0.12, "halted"))
_LOOK_US, _ASK_US = 200_000, 1_000_000  # so long since the last turn: surely looked, asked
_AWAY_S, _DRIFT_S = 2.0, 2.0
LIMITS = f"""\
version = "sim"
[limits]
lots = {{lots}}
[breakers]
min_orders = 2
max_send_ms = 60.0
min_answers = 2
max_away_s = {_AWAY_S}
max_drift_s = {_DRIFT_S}
{{others}}
"""
NAMES = ("crash", "rejects", "latency", "disconnected", "drift")
LADDER = "drawdown"


def watched(seed: int) -> str:
    """The breaker that can trip in a seed's world; "" for none."""
    rng = Random(f"breakers {seed}")
    if rng.random() < _SHARE:
        return rng.choice(NAMES)
    return LADDER if Random(f"ladder {seed}").random() < _SHARE / 3 else ""


class Trips:
    """What breakers see, and what they owe."""

    def __init__(self, world: "World", lots: float) -> None:
        self._world, self._rng = world, Random(f"falls {world.seed}")
        self.name = watched(world.seed)
        self._falls_until = self._turned_us = 0
        self._skews = {0}  # offsets of the clock that the process may have looked at last
        self._fallen: dict[str, int] = {}  # by symbol: quotes of the crash that the process saw
        self._wild: set[str] = set()  # symbols that fell before: deviations of a wild one are wide
        self._upright: dict[str, int] = {}  # by symbol: time of the last quote before a crash
        self._silent: tuple[int, int] | None = None  # since when, by which clock
        self._lost: tuple[str, str, int] | None = None  # what it owes, why, looks until then
        self._left = 0.0  # equity after it
        self._owed: dict[str, str] = {}  # what must hold, and since when it does
        self.seen: set[str] = set()  # names of breakers that tripped
        if self.name:
            others = "\n".join(f'{name} = "none"' for name in NAMES if name != self.name)
            (world.home / "limits.toml").write_text(LIMITS.format(lots=lots, others=others))

    def begin(self, parts: Parts) -> Parts:
        """The process's parts with breakers that know the last minutes."""
        if not self.name:
            return parts
        self._silent, self._skews = None, {self._world.skew_us}
        self._fallen.clear()
        self._wild.clear()
        self._owed.pop(_WHILE_AWAY, None)  # it connects, or does not start
        assert parts.limits is not None
        breakers = Breakers(
            parts.limits, parts.trading, parts.clock, parts.ledger.activity, parts.timer
        )
        for (source, symbol), mid in self._world.mids().items():
            quiet = _quiet(mid, self._world.now_us)
            breakers.ticks(source, symbol, quiet)
            self._upright[symbol] = int(quiet["time_msc"][-1])
        return parts._replace(breakers=breakers)

    def step(self) -> None:
        """Now and then what the breaker is there for happens."""
        if self.name and self._rng.random() < 0.06:
            getattr(self, f"_{self.name}")()

    def _crash(self) -> None:
        self._falls_until = self._world.now_us + self._rng.choice((2, 9, 20)) * 1_000_000
        self._world.tell("prices fall by 3 %")

    def _rejects(self) -> None:
        refused = Fault("refuse", mt5.TRADE_RETCODE_REJECT)
        self._world.broker.faults.sends.extend([refused] * 3)

    def _latency(self) -> None:
        """The usual answer takes longer than this world's limit; five of them must come."""

    def _disconnected(self) -> None:
        faults = self._world.broker.faults
        faults.connected = False
        self._world.later(self._rng.choice((1, 7, 15)), lambda: setattr(faults, "connected", True))

    def _drift(self) -> None:
        self._world.skew_us = self._rng.choice((-5_000_000, 0, 5_000_000))
        self._world.tell(f"the clock is off by {self._world.skew_us / 1e6} s")

    def _drawdown(self) -> None:
        """The broker charges a part of the equity that the process knows."""
        parts = self._world.parts
        if parts is None or parts.ledger.activity.equity is None or self._lost:
            return
        share, state = self._rng.choice(_LOSSES)
        charge = -round(parts.ledger.activity.equity.peak * share, 2)
        if self._world.broker.does(operations.money(mt5.DEAL_TYPE_CHARGE, charge, "a loss")):
            self._world.tell(f"{share:.0%} of the equity are gone")
            self._lost = state, f"{share:.0%} were lost", _SEEN_AFTER
            self._left = self._world.broker.equity()

    def _look_at_losses(self) -> None:
        if self._lost is None:
            return
        state, why, looks = self._lost
        self._lost = (state, why, looks - 1) if looks > 1 else None
        if self._world.broker.equity() > self._left:  # somebody paid in, or gave some of it back
            self._lost = None
        elif looks == 1:
            self._owe(state, why)

    def quote(self, source: str, symbol: str, tick: TickArray) -> TickArray:
        """A quote on its way to the process: as it is, or fallen."""
        parts = self._world.parts
        if parts is None or parts.breakers is None:
            return tick
        falls = self._world.now_us < self._falls_until
        if falls:
            tick["bid"], tick["ask"] = tick["bid"] * _FALL, tick["ask"] * _FALL
        if not falls and self._fallen.get(symbol, 0):
            self._wild.add(symbol)
        self._fallen[symbol] = self._fallen.get(symbol, 0) + 1 if falls else 0
        parts.breakers.ticks(source, symbol, tick)
        time_msc = int(tick["time_msc"][-1])
        if not falls:
            self._upright[symbol] = time_msc
        # One odd quote is no crash, nor is what the market did in a silence.
        lately = time_msc - self._upright.get(symbol, 0) <= PAUSE_S * 1000
        first = lately and symbol not in self._wild
        if self._fallen[symbol] == 2 and first and self.name == "crash":
            self._owe("halted", f"prices of {symbol} fell")
        return tick

    def misleads(self, symbol: str) -> bool:
        """Whether the process saw a fallen quote last, where the market is not."""
        return self._fallen.get(symbol, 0) > 0

    def turned(self) -> None:
        """The process has been around once more."""
        world, looked = self._world, self._world.now_us - self._turned_us
        self._turned_us = world.now_us
        if not self.name or not world.alive or looked < _LOOK_US:
            self._skews.add(world.skew_us)  # a jump there and back may be seen in parts, or not
            return
        jump_s = min(abs(world.skew_us - skew_us) for skew_us in self._skews) / 1e6
        self._skews = {world.skew_us}
        if jump_s > _DRIFT_S and self.name == "drift":
            self._owe("reducing", f"the clock jumped by {jump_s} s")
        if looked >= _ASK_US and world.broker.faults.connected:
            self._look_at_losses()
        if self.name == "disconnected":
            self._listen(polled=looked >= _ASK_US)

    def resumed(self) -> None:
        """A person lifts whatever was tripped before."""
        self._owed.clear()
        self._silent = self._lost = None
        self._skews.add(self._world.skew_us)  # a jump before may be among what was tripped

    def check(self) -> str:
        """What is owed and not given; "" for nothing."""
        parts = self._world.parts
        if not self.name or parts is None:
            return ""
        if parts.trading.current.by.startswith("breaker"):
            self.seen.add(parts.trading.current.by.removeprefix("breaker "))
        state = parts.trading.state
        for wanted, why in self._owed.items():
            if state == "active" or (wanted == "halted" and state != "halted"):
                return f"{why}, and trading is {state}"
        return ""

    def _listen(self, *, polled: bool) -> None:
        world = self._world
        if world.broker.faults.connected:
            self._silent = None
            self._owed.pop(_WHILE_AWAY, None)
        elif self._silent is None or self._silent[1] != world.skew_us:
            self._silent = (world.now_us, world.skew_us) if polled else None
        elif world.now_us - self._silent[0] > (_AWAY_S + 0.2) * 1e6:
            self._owe(_WHILE_AWAY, "the terminal is silent")

    def _owe(self, state: str, why: str) -> None:
        self._owed.setdefault(state, why)


def _quiet(mid: float, now_us: int) -> TickArray:
    """The last minutes before a start: a quote a second around a price."""
    ticks = np.zeros(_HISTORY_S, TICK)
    ticks["time_msc"] = now_us // 1000 - 1000 * np.arange(_HISTORY_S, 0, -1)
    ticks["bid"] = ticks["ask"] = mid * (1 + 1e-5 * (np.arange(_HISTORY_S) % 3))
    return ticks
