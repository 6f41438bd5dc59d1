"""Positions as a fold over order events, with what each was worth at every tick it was open.

A position may be reduced in parts; each part becomes a trade with its share of the entry's
commission. Floating profit is valued at the side that would close it, converted at the rate of
the slice's end.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from backtest.job import Trade
from core.contracts.order import OrderEvent
from execution.journal.position import Key
from execution.order_path.quotes import Tape

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass
class OpenPosition:
    """One position. Volumes in lots; `steps` are (time, volume still open after it)."""

    key: Key
    entry: OrderEvent
    contract: float
    steps: list[tuple[int, float]]
    closings: list[OrderEvent] = field(default_factory=list)
    mfe: float = 0.0
    mae: float = 0.0
    rate: float = 0.0  # account currency for one of the quote currency
    swap: float = 0.0  # charged, not booked yet

    @property
    def long(self) -> bool:
        """Whether it gains when the price rises."""
        return self.entry.side == "buy"

    @property
    def open_lots(self) -> float:
        """Lots that are open after all events so far."""
        return self.steps[-1][1]

    def close(self, event: OrderEvent) -> None:
        """Take a fill that reduces it."""
        self.closings.append(event)
        self._step(event.ts_event_us, -event.volume)

    def add(self, event: OrderEvent) -> None:
        """Take a fill that enlarges it: of a netting account, at the average price."""
        entry, held = self.entry, self.open_lots
        total = held + event.volume
        self.entry = replace(
            entry, volume=round(entry.volume + event.volume, 8),
            price=(entry.price * held + event.price * event.volume) / total,
            commission=round(entry.commission + event.commission, 8),
        )  # fmt: skip
        self._step(event.ts_event_us, event.volume)

    def correct(self, amount: float) -> None:
        """Of the newest closing, what its strategy's own average says otherwise of profit."""
        newest = self.closings[-1]
        self.closings[-1] = replace(newest, profit=round(newest.profit + amount, 2))

    def _step(self, time_us: int, lots: float) -> None:
        """What the broker closed while an order was on its way is told after that order's fill."""
        later = [(at, round(left + lots, 8)) for at, left in self.steps if at > time_us]
        before = [step for step in self.steps if step[0] <= time_us]
        self.steps = [*before, (time_us, round(before[-1][1] + lots, 8)), *later]

    def add_floating(self, tape: Tape, total: Floats) -> None:
        """Add its floating profit, account currency, to that of each quote while it is open."""
        edges = [time_us for time_us, _ in self.steps]
        edges += [] if self.open_lots == 0 else [int(tape.time_us[-1]) + 1]
        cuts = np.searchsorted(tape.time_us, edges).tolist()
        for (_, lots), begin, end in zip(self.steps, cuts, cuts[1:], strict=False):
            if begin == end:
                continue
            bid, ask = tape.bid[begin:end], tape.ask[begin:end]
            move = np.minimum(bid, ask) if self.long else -np.maximum(bid, ask)
            opened = self.entry.price if self.long else -self.entry.price
            worth = (move - opened) * (lots * self.contract * self.rate) + self.swap
            self.mfe = max(self.mfe, float(worth.max()))
            self.mae = min(self.mae, float(worth.min()))
            total[begin:end] += worth

    def trades(self) -> list[Trade]:
        """What its closings made of it."""
        return [self._trade(closing, cause_of(closing)) for closing in self.closings]

    def at_end(self, time_us: int, price: float) -> Trade:
        """What is still open, valued at the last quote. Nothing closed it: no commission is due,
        and all trades together are what the account's equity says.
        """
        lots = self.open_lots
        gained = price - self.entry.price if self.long else self.entry.price - price
        event = OrderEvent(
            seq=0, event_id="", kind=self.entry.kind, run_id="", mode="", account="", strategy="",
            order_id="", signal_id="", source="", symbol="", ts_event_us=time_us,
            ts_init_us=time_us, volume=lots, price=price, arrival_mid=price,
            swap=self.swap,
            profit=round(gained * lots * self.contract * self.rate, 2),
        )  # fmt: skip
        return self._trade(event, "end")

    def _trade(self, closing: OrderEvent, cause: str) -> Trade:
        entry, share = self.entry, closing.volume / self.entry.volume
        size = closing.volume * self.contract * self.rate
        slipped = _slip(entry, self.long) + _slip(closing, not self.long)
        return Trade(
            source=self.key.source, symbol=self.key.symbol, side=entry.side,
            volume=closing.volume, opened_us=entry.ts_event_us, price=entry.price,
            closed_us=closing.ts_event_us, exit_price=closing.price, cause=cause,
            profit=closing.profit, swap=closing.swap, cost=size * slipped,
            commission=round(entry.commission * share, 8) + closing.commission,
            mfe=self.mfe, mae=self.mae, notional=size * entry.price,
            signal_id=entry.signal_id, order_id=entry.order_id, strategy=self.key.strategy,
        )  # fmt: skip


def cause_of(closing: OrderEvent) -> str:
    """Why a fill closed a position: the broker says it as the reason, we as the purpose."""
    return closing.purpose or closing.reason


def _slip(event: OrderEvent, buys: bool) -> float:
    """How much worse than the mid at the decision a fill was, in price."""
    if not event.arrival_mid:
        return 0.0
    worse = event.price - event.arrival_mid
    return worse if buys else -worse
