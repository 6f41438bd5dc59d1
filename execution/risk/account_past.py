"""What an account held and booked since its firm's rules were last looked at: a fold of a journal.

A replay values it at every tick (`firm_replay.py`); a restart folds the same records and knows
the same past.
"""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.contracts.firm import FirmRecord
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from execution.journal.records import Record
from execution.journal.virtual import is_of_strategies

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
_FILLS = (Kind.FILLED, Kind.PARTIALLY_FILLED, Kind.CLOSED)


class Held(msgspec.Struct):
    """A position as its fills tell it; `steps` are (time, signed lots open after it)."""

    feed: tuple[str, str]
    price: float
    steps: list[tuple[int, float]]

    @property
    def lots(self) -> float:
        """Signed lots that are open after all fills."""
        return self.steps[-1][1]

    def lots_at(self, times: Times) -> Floats:
        """Signed lots that are open at each time."""
        edges = np.array([at for at, _ in self.steps], np.int64)
        lots = np.array([0.0, *(after for _, after in self.steps)])
        return lots[np.searchsorted(edges, times, side="right")]


class Cash(NamedTuple):
    """What changed the balance, and when."""

    time_us: int
    amount: float


class AccountPast:
    """Positions and balance since the newest record of the firm's state: a fold of the journal."""

    def __init__(self) -> None:
        self.held: dict[int, Held] = {}
        self.cash: list[Cash] = []
        self.entries: list[int] = []
        self.symbols: dict[int, str] = {}  # of those, by time
        self.version = 0  # changes with every fill

    def fold(self, record: Record) -> None:
        """Fold one journalled record in."""
        if isinstance(record, FirmRecord):
            self._prune(record.state.ts_us)
        elif isinstance(record, OrderEvent) and is_of_strategies(record):
            self.version += 1
            self.cash.append(Cash(record.ts_event_us, record.profit))
        elif isinstance(record, OrderEvent) and record.kind in _FILLS:
            self.version += 1
            amount = record.profit + record.commission + record.swap
            self.cash.append(Cash(record.ts_event_us, amount))
            self._fill(record)

    @property
    def is_open(self) -> bool:
        """Whether any position is."""
        return any(held.lots for held in self.held.values())

    def lots_at(self, times: Times) -> Floats:
        """Lots of all positions at each time, long and short alike."""
        held = (np.abs(each.lots_at(times)) for each in self.held.values())
        return np.round(sum(held, np.zeros(len(times))), 8)

    def cash_at(self, times: Times) -> Floats:
        """What the balance has changed by at each time."""
        total = np.zeros(len(times))
        for cash in self.cash:
            total[times >= cash.time_us] += cash.amount
        return total

    def balance_until(self, time_us: int) -> None:
        """A balance is known that has all changes up to a time."""
        self.cash = [cash for cash in self.cash if cash.time_us > time_us]

    def _fill(self, event: OrderEvent) -> None:
        signed = event.volume if event.side == "buy" else -event.volume
        held = self.held.get(event.venue_position)
        if event.purpose == "entry" and event.kind is not Kind.CLOSED:
            self.entries.append(event.ts_event_us)
            self.symbols[event.ts_event_us] = event.symbol
        if held is None:
            feed = event.source, event.symbol
            self.held[event.venue_position] = Held(feed, event.price, [(event.ts_event_us, signed)])
            return
        after = round(held.lots + signed, 8)
        if abs(after) > abs(held.lots):
            held.price = (held.price * held.lots + event.price * signed) / after
        held.steps.append((event.ts_event_us, after))

    def _prune(self, until_us: int) -> None:
        self.balance_until(until_us)
        self.entries = [at for at in self.entries if at > until_us]
        self.symbols = {at: self.symbols[at] for at in self.entries}
        over = [t for t, h in self.held.items() if not h.lots and h.steps[-1][0] <= until_us]
        for ticket in over:
            del self.held[ticket]
