"""An order that waits at the venue for its price, and which orders one fill takes back."""

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from core.contracts.signal import OrderSignal, Signal
from execution.journal.position import Key


class FirstFilled(NamedTuple):
    """The newest fill in a group of orders of which one is filled."""

    ts_us: int  # of the market
    order_id: str


class Working(msgspec.Struct):
    """An order of ours that waits at the venue for its price, or is on its way there."""

    signal: OrderSignal
    ticket: int = 0  # the venue's; 0 until it was accepted
    cancelling_us: int = 0  # when its end was last asked for; 0: never
    cancels: int = 0  # how often it was
    modifying: OrderSignal | None = None  # the terms that were asked for and not answered yet
    modified_us: int = 0  # when such were last asked for
    closed: int = 0  # exits of what it had opened by then; a part that fills later begins there

    def under(self, terms: OrderSignal) -> OrderSignal:
        """What asked for it, under other terms: price, exits and end."""
        return replace(
            self.signal, entry_price=terms.entry_price, stop_price=terms.stop_price,
            take_profit=terms.take_profit, trail=terms.trail, horizon_us=terms.horizon_us,
            expires_us=terms.expires_us, expiry=terms.expiry,
        )  # fmt: skip


def subject(signal: Signal) -> Key:
    """What a newer signal replaces: the target of a strategy in a feed, or its order of a name."""
    whose = f"{signal.strategy}/{signal.name}" if isinstance(signal, OrderSignal) else ""
    return Key(whose or signal.strategy, signal.source, signal.symbol)


def group_of(signal: OrderSignal) -> Key:
    """Whose orders one fill takes back: a strategy's of one group in one feed."""
    return Key(f"{signal.strategy}/{signal.one_of}", signal.source, signal.symbol)
