"""Orders that wait for their price: in some seeds strategies place them, and take them back.

They come beside targets, from a source of chance of their own, so that a seed without them lives as
before. With them a strategy may hold its full position on either side at once.
"""

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.recognition import magic_of
from adapters.simulator.faults import Fault
from core.contracts.signal import OrderSignal
from core.trading_control import ControlCommand
from execution.journal.working import group_of
from execution.risk import trading_state
from tests.simulation import sharing
from tests.simulation.market import SOURCE, SYMBOLS

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHARE = 0.4
_NAMES = ("dip", "top", "deep")
_SOON_US, _LOOKS = 6_000_000, 3


def are_placed(seed: int) -> bool:
    """Whether orders wait in a seed's world."""
    return Random(f"waiting {seed}").random() < _SHARE


class Waiting:
    """What strategies ask for in a world, and what its broker was sent."""

    def __init__(self, world: "World") -> None:
        self._world, self._rng = world, Random(f"orders {world.seed}")
        self._groups = Random(f"groups {world.seed}")
        self.on = are_placed(world.seed)
        self.placed = self.changed = 0
        self._signals = 0
        self._looks: Counter[str] = Counter()  # at one that should have been taken back
        self._sure: dict[int, OrderSignal] = {}  # by magic number: under which terms it waited last

    def step(self) -> None:
        """Now and then one is placed, or taken back."""
        if not self.on or self._rng.random() > 0.5:
            return
        rng, world = self._rng, self._world
        symbol, name = rng.choice(tuple(SYMBOLS)), rng.choice(_NAMES)
        action, works = "cancel" if rng.random() < 0.25 else "place", self._working()
        if works is not None and rng.random() < 0.5:
            action, symbol, name = "modify", works.symbol, works.name
        copies, delay = rng.choice((1, 1, 1, 2)), rng.choice((0.0, 0.0, 0.3, 2.0))
        signal = self._order(symbol, name, action)
        if works is not None and action == "modify" and rng.random() < 0.9:  # else it may not fit
            signal = self._fitted(signal, works)
        if action == "place" and rng.random() < 0.3 and not world.broker.faults.sends:
            parts = Fault("staggered", delay_ms=rng.choice((200, 4_000)), share=0.5)
            world.broker.faults.sends.append(parts)
        world.publish(signal, copies, delay)

    def _order(self, symbol: str, name: str, action: str) -> OrderSignal:
        rng, world = self._rng, self._world
        quote = world.broker.market.tape(SOURCE, symbol).last_until(world.now_us // 1000)
        assert quote is not None
        buys, entry = rng.random() < 0.5, rng.choice(("limit", "stop"))
        step, digits = SYMBOLS[symbol][1:]
        sign = 1 if buys else -1
        ahead = rng.choice((2, 8, 25)) * step * (1 if entry == "stop" else -1)
        price = round((quote.buy if buys else quote.sell) + sign * ahead, digits)
        away = rng.choice((25, 60, 300)) * step
        now, life = world.now_us, rng.choice((4, 15, 40)) * 1_000_000
        run = world.settings.run
        self._signals += 1
        return OrderSignal(
            signal_id=f"w{self._signals}", run_id=run.run_id, mode=run.mode, account=run.account,
            strategy=rng.choice(world.strategies), source=SOURCE, symbol=symbol, ts_event_us=now,
            ts_init_us=now, time_msc=now // 1000, seq=0,
            target=sign * rng.choice((0.5, 1.0)) if action != "cancel" else 0.0,
            reference_price=(quote.bid + quote.ask) / 2, stop_price=price - sign * away,
            horizon_us=now + life + rng.choice((5, 30)) * 1_000_000, expires_us=now + life,
            confidence=0.6, model="scripted", prediction_id="",
            take_profit=rng.choice((0.0, price + sign * away)), trail=rng.choice((0.0, away)),
            name=name, action=action, entry=entry, entry_price=price,
            filling=rng.choice(("fok", "ioc", "return")),
            expiry=rng.choice(("gtc", "day", "specified", "specified")),
            one_of=self._groups.choice(("", "", "one", "two")),
        )  # fmt: skip

    def _working(self) -> OrderSignal | None:
        """One that waits, as the process knows it."""
        parts = self._world.parts
        waits = [w.signal for w in parts.ledger.book.working.values()] if parts else []
        return self._rng.choice(waits) if waits else None

    def _fitted(self, signal: OrderSignal, works: OrderSignal) -> OrderSignal:
        """Other terms for one that waits: on its side, of its kind."""
        same = (signal.target > 0, signal.entry) == (works.target > 0, works.entry)
        mid, sign = signal.reference_price, 1 if works.target > 0 else -1
        away = abs(signal.entry_price - mid) * sign * (1 if works.entry == "stop" else -1)
        price = signal.entry_price if same else round(mid + away, SYMBOLS[signal.symbol][2])
        gap = abs(signal.entry_price - signal.stop_price)
        return replace(
            signal, strategy=works.strategy, target=works.target, entry=works.entry,
            entry_price=price, stop_price=price - sign * gap,
            take_profit=price + sign * gap if signal.take_profit else 0.0,
        )  # fmt: skip

    def misplaced(self) -> str:
        """An order that waits under other terms than the journal says, where it is sure of them."""
        world = self._world
        if world.parts is None:
            return ""
        book, shown = world.parts.ledger.book, {order.ticket: order for order in self.ours()}
        for name, working in book.working.items():
            there, sure = shown.get(working.ticket), working.modifying is None
            if there is None or not sure or working.cancelling_us or not book.rests(name):
                continue
            price, stop = book.unsettled[name].price, book.unsettled[name].stop_price
            if abs(price - there.price_open) > 1e-6 or abs(stop - there.sl) > 1e-6:
                return f"order {there.ticket} waits at {there.price_open}, the journal says {price}"
        return ""

    def outlives_its_group(self) -> str:
        """An order that waits on, unasked for, although another of its group was filled.

        By the broker's own deals, and only where execution had time to see them and to ask.
        """
        world = self._world
        if world.parts is None:
            return ""
        book = world.parts.ledger.book
        filled = [(self._sure.get(d.magic), d) for d in world.broker.deals() if not d.entry]
        for name, working in book.working.items():
            magic, sure = magic_of(name), working.modifying is None
            if not sure:
                self._sure.pop(magic, None)  # filled now, it may have been in either group
                continue
            signal = self._sure[magic] = working.signal
            beaten = signal.one_of and any(
                deal.magic != magic and deal.time_msc * 1000 >= signal.ts_event_us
                for other, deal in filled
                if other is not None and group_of(other) == group_of(signal)
            )
            left = bool(beaten) and book.rests(name) and not working.cancelling_us
            lasts = sharing.lasts(world, f"group {name}", wrong=left, us=_SOON_US)
            self._looks[name] = self._looks[name] + 1 if left else 0
            if lasts and self._looks[name] > _LOOKS:
                return f"order {working.ticket} waits on, and another of {signal.one_of} was filled"
        return ""

    def rest(self) -> None:
        """What another execution left waiting at the broker a person takes away."""
        others = {magic_of(name) for name in self._world.tenancy.sent_by_the_other}
        for order in self.ours():
            if order.magic in others:
                removal = {"action": mt5.TRADE_ACTION_REMOVE, "order": order.ticket}
                self._world.tell(f"a person takes away {removal['order']}, which is not ours")
                self._world.broker.does(removal)

    def flattens(self) -> bool:
        """Whether a person has everything closed in the end: in some worlds.

        Not where the clock was wrong: an exit that was refused waits for its next quote by it.
        """
        return self.on and self._rng.random() < 0.3

    def flatten(self) -> None:
        """A person has everything closed."""
        self._world.tell("a person halts and flattens")
        command = ControlCommand("halted", "ann", "sim", self._world.now_us, "flatten")
        trading_state.write(self._world.control, command)
        if self._world.parts is not None:
            self._world.parts.trading.poll()

    def ours(self) -> list[Any]:
        """Orders that wait at the broker now, or have waited and are still shown."""
        self._world.broker.package._answers()
        shown = self._world.broker.terminal.orders_get()
        return [order for order in shown if order.type > mt5.ORDER_TYPE_SELL]
