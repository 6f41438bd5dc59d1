"""The life of one world: some sixty steps of trading and trouble, then rest, then the account.

Each seed switches whole kinds of trouble on or off first (swarm testing): bugs that need one
kind alone, or the absence of another, are found as well.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.recognition import magic_of
from adapters.simulator.broker.operations import by_hand, money, stop_out
from adapters.simulator.faults import Fault
from adapters.simulator.faults import Kind as Fate
from core.contracts.signal import Signal
from core.trading_control import State
from execution.broker import manual_resolutions as settlements
from execution.broker.manual_resolutions import ManualResolution
from tests.simulation import promises
from tests.simulation.market import SOURCE, SYMBOLS
from tests.simulation.world import RUN, World

STEPS = 60
KINDS = (
    "sends", "weather", "crashes", "power", "clock", "messages", "halts", "hand", "bus", "money",
)  # fmt: skip
_REFUSALS = (
    mt5.TRADE_RETCODE_REQUOTE, mt5.TRADE_RETCODE_REJECT, mt5.TRADE_RETCODE_MARKET_CLOSED,
    mt5.TRADE_RETCODE_NO_MONEY, mt5.TRADE_RETCODE_PRICE_CHANGED, mt5.TRADE_RETCODE_PRICE_OFF,
    mt5.TRADE_RETCODE_TOO_MANY_REQUESTS, mt5.TRADE_RETCODE_LOCKED, mt5.TRADE_RETCODE_FROZEN,
)  # fmt: skip
_FATES: tuple[Fate, ...] = (
    "refuse", "lost_request", "lost_answer", "late", "partial", "staggered", "slow", "twice",
)  # fmt: skip
_LOST = (0, mt5.TRADE_RETCODE_TIMEOUT, mt5.TRADE_RETCODE_CONNECTION)
_MEMORY = Path("/dev/shm")


def simulate(seed: int, tell: Callable[[str], None] = lambda _: None) -> World:
    """Live through one seed.

    Raises:
        Violation: a promise is broken.
    """
    parent = _MEMORY if _MEMORY.is_dir() else None
    home = Path(tempfile.mkdtemp(prefix="tickhouse-sim-", dir=parent))
    try:
        world = World(seed, home, tell)
        _Life(world).live()
        return world
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Life:
    def __init__(self, world: World) -> None:
        self._world, self._rng = world, world.rng
        self._troubles = {kind for kind in KINDS if self._rng.random() < 0.5}
        self._signals = 0
        self._flattens = False  # a person has everything closed, in the end
        self._whose = Random(f"whose {world.seed}")

    def live(self) -> None:
        world = self._world
        world.tell(f"seed {world.seed}: {', '.join(sorted(self._troubles)) or 'no trouble'}")
        world.broker.faults.filling_modes = self._rng.choice((1, 2, 3))
        world.start()
        seen: promises.Seen = {}
        for _ in range(STEPS):
            self._step()
            seen = promises.after_step(world, seen)
        self._rest()
        promises.at_rest(world)
        book = world.parts.ledger.book if world.parts else None
        if book is None or book.unsettled or book.broker.foreign:
            self._settle()
            self._rest()
            # What the venue did twice, or a person in the position of a netting account, may be a
            # part of what was ours until now.
            mixes = world.broker.faults.done_twice or world.netting
            if mixes and self._close_what_is_not_ours():
                self._rest()
        promises.settled(world)

    def _step(self) -> None:
        if self._rng.random() < 0.35:
            self._signal()
        self._world.trips.step()
        self._world.firm.step()
        self._world.signed.step()
        self._world.tenancy.step()
        self._world.waiting.step()
        for kind in sorted(self._troubles):
            if self._rng.random() < 0.2:
                getattr(self, f"_{kind}")()
        self._world.turn()
        self._world.sleep(self._rng.choice((0.01, 0.05, 0.3, 1.0, 3.0, 8.0)))

    def _rest(self) -> None:
        """Everything works again, and nobody wants anything."""
        world = self._world
        world.tell("rest")
        flattens = "clock" not in self._troubles and world.waiting.flattens()
        self._troubles.clear()
        faults = world.broker.faults
        faults.sends.clear()
        faults.connected = faults.autotrading = world.ticks_flow = True
        faults.comments, faults.history_lag_ms, faults.doubled = "", 0, False
        faults.stops_level = faults.freeze_level = 0
        world.bus.away, world.dies_in, world.dies_at, world.halts_in = False, 0, "", 0
        world.skew_us = max(world.skew_us, 0)
        world.tenancy.rest()
        world.waiting.rest()
        if flattens:
            self._flattens = True
            world.waiting.flatten()
            for _ in range(16):
                world.turn()
                world.sleep(1.5)
            promises.flat(world)
        quiet = 0
        for _ in range(120):
            world.turn()
            world.sleep(1.5)
            ours = any(p.magic for p in world.broker.positions())
            quiet = quiet + 1 if self._quiet() and not (ours and quiet < 4) else 0
            if quiet == 5:
                break
        world.turn()  # what the broker did since the last look, as a stop of what is not ours

    def _settle(self) -> None:
        """A person looks at the terminal, and says that what is unknown is not there."""
        world = self._world
        assert world.parts is not None
        for name in world.parts.ledger.book.unsettled:
            # One that is booked already, as somebody else's, is no longer his to name.
            booked = world.parts.ledger.book.deals
            done = [
                d.ticket
                for d in world.broker.deals()
                if d.magic == magic_of(name) and not d.entry and d.ticket not in booked
            ]
            world.tell(f"a person settles {name[:8]}: {done[:1] or 'absent'}")
            said = ManualResolution(name, "absent", "ann", "not in the history", world.now_us)
            if done:
                said = replace(said, outcome="filled", deals=tuple(done[:1]))
            settlements.write(settlements.directory_of(world.home / "journal"), said)
        world.turn()
        world.sleep(1.0)
        self._close_what_is_not_ours()

    def _close_what_is_not_ours(self) -> bool:
        """A person closes it at the terminal; whether there was any."""
        world = self._world
        ours = {p.ticket for p in world.parts.ledger.book.positions.values()} if world.parts else ()
        foreign = [p.ticket for p in world.broker.positions() if p.identifier not in ours]
        for ticket in foreign:
            world.tell(f"a person closes {ticket}, which is not ours")
            world.broker.close_by_hand(ticket, 1.0)
        return bool(foreign)

    def _quiet(self) -> bool:
        parts = self._world.parts
        if parts is None or parts.ledger.book.positions:
            return False
        book = parts.ledger.book
        return all(book.orders[name].kind.value == "unknown" for name in book.unsettled)

    def _signal(self) -> None:
        world, rng = self._world, self._rng
        symbol = rng.choice(tuple(SYMBOLS))
        quote = world.broker.market.tape(SOURCE, symbol).last_until(world.now_us // 1000)
        assert quote is not None
        target = rng.choice((-1.0, -0.5, 0.0, 0.5, 1.0))
        mid, now = (quote.bid + quote.ask) / 2, world.now_us
        step = SYMBOLS[symbol][1]
        stop = mid - (target > 0 or -1) * rng.choice((25, 60, 300)) * step if target else 0.0
        self._signals += 1
        signal = Signal(
            signal_id=f"s{self._signals}", run_id=RUN.run_id, mode=RUN.mode, account=RUN.account,
            strategy=self._whose.choice(world.strategies), source=SOURCE, symbol=symbol,
            ts_event_us=now, ts_init_us=now,
            time_msc=now // 1000, seq=0, target=target, reference_price=mid, stop_price=stop,
            horizon_us=now + rng.randint(2, 60) * 1_000_000, expires_us=now + 2_000_000,
            confidence=0.6, model="scripted", prediction_id="",
            take_profit=(
                mid + (mid - stop) * rng.choice((0.5, 2.0))
                if target and rng.random() < 0.3
                else 0.0
            ),
            trail=(
                abs(mid - stop) * rng.choice((0.3, 1.0)) if target and rng.random() < 0.4 else 0.0
            ),
        )  # fmt: skip
        copies, delay = 1, 0.0
        if "messages" in self._troubles:
            copies = rng.choice((0, 1, 1, 1, 2, 3))
            delay = rng.choice((0.0, 0.0, 0.2, 1.5, 4.0))
        world.publish(signal, copies, delay)

    # One kind of trouble each.

    def _sends(self) -> None:
        rng = self._rng
        if rng.random() < 0.2:  # the order is on its way when the process dies
            self._world.dies_at = "terminal order_send answered"
            self._world.broker.faults.sends.appendleft(Fault("late", 0, rng.randint(100, 7000)))
            return
        kind = rng.choice(_FATES)
        code = rng.choice(_REFUSALS if kind == "refuse" else _LOST)
        delay = rng.choice((100, 900, 2500, 6000))
        self._world.broker.faults.sends.extend(
            (*[None] * rng.randrange(2), Fault(kind, code, delay, rng.choice((0.2, 0.5, 0.8))))
        )

    def _weather(self) -> None:
        faults, rng, world = self._world.broker.faults, self._rng, self._world
        what = rng.randrange(7)
        if what == 0:
            faults.connected = False
            world.later(rng.choice((0.5, 3, 9)), lambda: setattr(faults, "connected", True))
        elif what == 1:
            faults.autotrading = False
            world.later(rng.choice((1, 9)), lambda: setattr(faults, "autotrading", True))
        elif what == 2:
            faults.comments = rng.choice(("", "cut", "empty", "broker"))
        elif what == 3:
            faults.history_lag_ms = rng.choice((0, 300, 2000))
        elif what == 4:
            faults.doubled = not faults.doubled
        elif what == 5:
            faults.stops_level, faults.freeze_level = rng.choice(((0, 0), (20, 0), (10, 10)))
        else:
            world.ticks_flow = not world.ticks_flow

    def _crashes(self) -> None:
        self._world.dies_in = self._rng.choice((1, 2, 4, 8, 16, 30, 60))

    def _power(self) -> None:
        if self._rng.random() < 0.5:
            self._world.lose_power()
        else:
            self._world.dies_in = self._rng.randint(1, 40)
            self._world.turn()
            if not self._world.alive:
                self._world.lose_power()

    def _clock(self) -> None:
        self._world.skew_us = self._rng.choice((0, -3_000_000, 3_000_000, 90_000_000, -90_000_000))
        self._world.tell(f"the clock is off by {self._world.skew_us / 1e6} s")

    def _messages(self) -> None:
        """Signals are lost, doubled and late where they are made."""

    def _halts(self) -> None:
        if self._rng.random() < 0.4:
            self._world.halts_in = self._rng.randint(1, 40)
        else:
            states: tuple[State, ...] = ("halted", "reducing", "active", "active")
            state, delay = self._rng.choice(states), self._rng.choice((0.0, 0.03, 0.5))
            self._world.later(delay, lambda: self._order(state))

    def _order(self, state: State) -> None:
        """A person says so, unless another has everything closed by now."""
        if not self._flattens:
            self._world.halt(state)

    def _hand(self) -> None:
        """People at the terminal, and a broker that wants its margin."""
        broker, rng = self._world.broker, self._rng
        held, what = broker.positions(), rng.random()
        if held and what < 0.5:
            chosen = rng.choice(held)
            done = broker.close_by_hand(chosen.ticket, rng.choice((0.5, 1.0)))
            self._world.tell(f"a person closes {chosen.ticket}: {done}")
        elif held and what < 0.65:
            chosen = rng.choice(held)
            self._world.tell(f"stop-out of {chosen.ticket}: {broker.does(stop_out(chosen))}")
        elif what > 0.8:
            symbol, lots = rng.choice(tuple(SYMBOLS)), rng.choice((0.01, 0.05, 0.2))
            side = rng.choice((0, 1))
            self._world.others[symbol] += lots
            done = broker.does(by_hand(symbol, side, lots))
            self._world.tell(f"a person trades {symbol} {side} {lots}: {done}")

    def _money(self) -> None:
        kinds = (
            mt5.DEAL_TYPE_BALANCE, mt5.DEAL_TYPE_CREDIT, mt5.DEAL_TYPE_CORRECTION,
            mt5.DEAL_TYPE_COMMISSION, mt5.DEAL_TYPE_CHARGE, mt5.DEAL_TYPE_INTEREST,
        )  # fmt: skip
        kind, amount = self._rng.choice(kinds), round(self._rng.uniform(-500, 900), 2)
        self._world.tell(f"money {kind} {amount}")
        self._world.broker.does(money(kind, amount, "by the broker"))

    def _bus(self) -> None:
        bus = self._world.bus
        bus.away = not bus.away
        self._world.later(self._rng.choice((0.5, 5.0)), lambda: setattr(bus, "away", False))
