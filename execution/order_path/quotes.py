"""What the market quotes, and how wide it usually does.

Live quotes are the newest received. In a replay a quote is asked for as of a market time, and
nothing later than that time is looked at. Late ticks and prices that are not positive are left
out; on a crossed quote both sides are the worse one.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.contracts.order import OrderEvent
from core.contracts.tick import OUT_OF_ORDER, TickArray

WINDOW = 256  # quotes in the running median of the spread
_TINY = 1e-9
LEAST = 20  # quotes before that median says anything

Floats = npt.NDArray[np.float64]


class Quote(NamedTuple):
    """One quote. `usual_spread` is the running median, 0 while unknown."""

    time_us: int
    bid: float
    ask: float
    usual_spread: float

    @property
    def mid(self) -> float:
        """Middle of bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> float:
        """Distance of bid and ask, also when crossed."""
        return abs(self.ask - self.bid)

    def side(self, side: str) -> float:
        """What a buyer pays, or a seller gets."""
        return max(self.bid, self.ask) if side == "buy" else min(self.bid, self.ask)


class Quotes(Protocol):
    """Where checks look up prices."""

    def at(self, source: str, symbol: str, now_us: int) -> Quote | None:
        """The newest quote at a time; None when there is none yet."""
        ...


class Tape(NamedTuple):
    """Usable quotes of one feed in time order; each array has shape (n,)."""

    time_us: npt.NDArray[np.int64]
    bid: Floats
    ask: Floats

    def tail(self, count: int) -> "Tape":
        """The newest quotes."""
        return Tape(self.time_us[-count:], self.bid[-count:], self.ask[-count:])


_EMPTY = Tape(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def tape(ticks: TickArray) -> Tape:
    """The usable quotes among ticks of dtype TICK, shape (n,)."""
    bid, ask = ticks["bid"], ticks["ask"]
    good = (bid > 0) & (ask > 0) & ((ticks["quality"] & OUT_OF_ORDER) == 0)
    return Tape(ticks["time_msc"][good] * 1000, bid[good], ask[good])


def usual_spread(bid: Floats, ask: Floats) -> float:
    """Median spread of the last WINDOW quotes, 0 when they are fewer than LEAST."""
    count = min(len(bid), WINDOW)
    if count < LEAST:
        return 0.0
    spread = np.abs(ask[-count:] - bid[-count:])
    return float(np.partition(spread, count // 2)[count // 2])


def _join(tapes: Sequence[Tape]) -> Tape:
    times, bids, asks = zip(*tapes, strict=True)
    return Tape(np.concatenate(times), np.concatenate(bids), np.concatenate(asks))


class LiveQuotes:
    """The newest quote of every feed. One thread feeds it, others may read."""

    def __init__(self) -> None:
        self._tails: dict[tuple[str, str], Tape] = {}
        self._newest: dict[tuple[str, str], Quote] = {}

    def feed(self, source: str, symbol: str, ticks: TickArray) -> None:
        """Take ticks that came in, dtype TICK, shape (n,)."""
        fresh = tape(ticks)
        if not len(fresh.time_us):
            return
        feed = source, symbol
        tail = self._tails[feed] = _join([self._tails.get(feed, _EMPTY), fresh]).tail(WINDOW)
        self._newest[feed] = _quote(tail, len(tail.time_us) - 1)

    def at(self, source: str, symbol: str, now_us: int) -> Quote | None:
        """The newest quote received, whatever `now_us`."""
        return self._newest.get((source, symbol))


class ReplayQuotes:
    """The quotes of one slice of market time, with enough of those before it."""

    def __init__(self) -> None:
        self._tapes: dict[tuple[str, str], Tape] = {}

    def load(self, slices: dict[tuple[str, str], list[TickArray]]) -> None:
        """Go on to the next slice: ticks of every feed in it, arrays in order."""
        for feed, held in self._tapes.items():
            self._tapes[feed] = held.tail(WINDOW)
        for feed, arrays in slices.items():
            fresh = [tape(ticks) for ticks in arrays]
            self._tapes[feed] = _join([self._tapes.get(feed, _EMPTY), *fresh])

    def at(self, source: str, symbol: str, now_us: int) -> Quote | None:
        """The newest quote as of a market time."""
        held = self._tapes.get((source, symbol))
        index = int(np.searchsorted(held.time_us, now_us, side="right")) - 1 if held else -1
        return _quote(held, index) if held and index >= 0 else None

    def tape_of(self, source: str, symbol: str) -> Tape:
        """The quotes of a feed at hand."""
        return self._tapes.get((source, symbol), _EMPTY)

    def first_from(self, source: str, symbol: str, time_us: int) -> int | None:
        """Time of the first quote of this slice from a time on; None when it has none."""
        held = self._tapes.get((source, symbol), _EMPTY)
        index = int(np.searchsorted(held.time_us, time_us))
        return int(held.time_us[index]) if index < len(held.time_us) else None

    def first_beyond(
        self, source: str, symbol: str, time_us: int, level: float, *, long: bool
    ) -> int | None:
        """Time of the first quote from a time on at which a position closes at a level or better.

        Looks among the quotes at hand; None when there is none.
        """
        held = self._tapes.get((source, symbol), _EMPTY)
        begin = int(np.searchsorted(held.time_us, time_us))
        bid, ask = held.bid[begin:], held.ask[begin:]
        price = np.minimum(bid, ask) if long else np.maximum(bid, ask)
        beyond = price >= level - _TINY if long else price <= level + _TINY
        return int(held.time_us[begin + int(np.argmax(beyond))]) if beyond.any() else None

    def first_reaching(
        self, source: str, symbol: str, since_us: int, level: float, *, long: bool, falling: bool
    ) -> int | None:
        """Time of the first quote from a time on whose closing price is at a level or beyond.

        `falling`: beyond is below. Looks among the quotes at hand; None when there is none.
        """
        held = self._tapes.get((source, symbol), _EMPTY)
        begin = int(np.searchsorted(held.time_us, since_us))
        bid, ask = held.bid[begin:], held.ask[begin:]
        price = np.minimum(bid, ask) if long else np.maximum(bid, ask)
        there = price <= level + _TINY if falling else price >= level - _TINY
        return int(held.time_us[begin + int(np.argmax(there))]) if there.any() else None

    def first_touch(self, order: OrderEvent, entry: str, since_us: int) -> int | None:
        """Time of the first quote from a time on that reaches the price an order waits for.

        Looks among the quotes at hand; None when none does. It says when to look at the venue,
        and decides nothing.
        """
        held = self._tapes.get((order.source, order.symbol), _EMPTY)
        begin = int(np.searchsorted(held.time_us, since_us))
        bid, ask = held.bid[begin:], held.ask[begin:]
        buys = order.side == "buy"
        price = np.maximum(bid, ask) if buys else np.minimum(bid, ask)
        below = buys == (entry == "limit")
        touches = price <= order.price + _TINY if below else price >= order.price - _TINY
        return int(held.time_us[begin + int(np.argmax(touches))]) if touches.any() else None

    def may_have_crossed(
        self, source: str, symbol: str, until_us: int, stop_price: float,
        take_profit: float = 0.0, *, long: bool,
    ) -> bool:  # fmt: skip
        """Whether stop or take-profit can have been reached by a time, among quotes at hand.

        True more often than the venue would say: it saves asking, and decides nothing.
        """
        held = self._tapes.get((source, symbol), _EMPTY)
        end = int(np.searchsorted(held.time_us, until_us, side="right"))
        bid, ask = held.bid[:end], held.ask[:end]
        if not end:
            return False
        low, high = min(bid.min(), ask.min()), max(bid.max(), ask.max())
        if take_profit and (high >= take_profit if long else low <= take_profit):
            return True
        return bool(low <= stop_price if long else high >= stop_price)


def _quote(held: Tape, index: int) -> Quote:
    begin, end = max(index + 1 - WINDOW, 0), index + 1
    usual = usual_spread(held.bid[begin:end], held.ask[begin:end])
    return Quote(int(held.time_us[index]), float(held.bid[index]), float(held.ask[index]), usual)
