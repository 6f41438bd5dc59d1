"""Equity and balance at every tick, while a position is open, slice by slice.

Drawdowns are taken over every tick; the curve that is kept has one point per bucket, so that
memory does not grow with the ticks.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from backtest.job import Curve, Drawdown, Trade
from backtest.positions import OpenPosition
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.instruments import instrument
from execution.journal.position import Key
from execution.journal.virtual import is_of_strategies
from execution.order_path.quotes import Tape, tape
from execution.replay_slices import Feed, Slice

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

_FILLS = (Kind.FILLED, Kind.PARTIALLY_FILLED, Kind.CLOSED)
_NO_TAPE = Tape(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))

#: Account currency for one of a quote currency, by source, currency and time.
Rate = Callable[[str, str, int], float | None]
#: Swap charged so far to each open position, by ticket.
Swaps = Callable[[], dict[int, float]]


class Drawdowns:
    """The greatest falls from a running peak of a series that comes in pieces."""

    def __init__(self, deposit: float) -> None:
        self._deposit = self._peak = self._low = deposit
        self._maximal = self._relative = (0.0, 0.0)

    def add(self, values: Floats) -> None:
        """Take the next values in order."""
        if not len(values):
            return
        peak = np.maximum(np.maximum.accumulate(values), self._peak)
        drop = peak - values
        share = drop / np.maximum(peak, 1e-9)
        worst, steepest = int(drop.argmax()), int(share.argmax())
        self._maximal = max(self._maximal, (float(drop[worst]), float(share[worst])))
        self._relative = max(self._relative, (float(share[steepest]), float(drop[steepest])))
        self._peak, self._low = float(peak[-1]), min(self._low, float(values.min()))

    @property
    def drawdown(self) -> Drawdown:
        """What was seen so far."""
        lowest = max(self._deposit - self._low, 0.0)
        return Drawdown(lowest, *self._maximal, *self._relative)


class EquityCurve:
    """Follows one account."""

    def __init__(self, deposit: float, bucket_us: int, rate: Rate, swaps: Swaps) -> None:
        self._balance, self._bucket_us, self._rate, self._swaps = deposit, bucket_us, rate, swaps
        self._open: dict[int, OpenPosition] = {}
        self._booked: list[tuple[int, float]] = []
        self._tapes: dict[Feed, Tape] = {}
        self._points: list[Curve] = []
        self._event_count = 0
        self.equity, self.settled = Drawdowns(deposit), Drawdowns(deposit)
        self.trades: list[Trade] = []

    def add(self, part: Slice, events: Sequence[OrderEvent]) -> None:
        """Take a slice that execution has handled, and all events so far."""
        for feed, arrays in part.ticks.items():
            before = self._tapes.get(feed, _NO_TAPE).tail(1)
            self._tapes[feed] = _joined([before, *(tape(ticks) for ticks in arrays)])
        for number in range(self._event_count, len(events)):
            event = events[number]
            if event.kind in _FILLS:
                self._fill(event)
            elif is_of_strategies(event):
                self._correct(events[number - 1], event.profit)
        self._event_count = len(events)
        if self._open or self._booked:
            self._value(part.end_us)

    def finish(self) -> Curve:
        """Close what is open at its last quote, for the figures alone, and give the curve."""
        for held in self._open.values():
            if held.open_lots:
                self._end(held)
        empty = np.zeros(0)
        points = self._points or [Curve(np.zeros(0, np.int64), empty, empty)]
        curve = Curve(*(np.concatenate(column) for column in zip(*points, strict=True)))
        return _thinned(curve, self._bucket_us)

    def _fill(self, event: OrderEvent) -> None:
        self._booked.append((event.ts_event_us, event.profit + event.commission + event.swap))
        held = self._open.get(event.venue_position)
        if held is not None and (event.purpose != "entry" or event.kind is Kind.CLOSED):
            held.close(event)
        elif held is not None:
            held.add(event)
        else:
            traded = instrument(event.symbol, event.ts_event_us)
            assert traded is not None  # execution denies symbols it does not know
            key = Key(event.strategy, event.source, event.symbol)
            steps = [(event.ts_event_us, event.volume)]
            held = OpenPosition(key, event, traded.contract_size, steps)
            held.rate = self._rate(event.source, traded.quote, event.ts_event_us) or 0.0
            self._open[event.venue_position] = held

    def _correct(self, fill: OrderEvent, amount: float) -> None:
        self._booked.append((fill.ts_event_us, amount))
        held = self._open.get(fill.venue_position)
        if held is not None and held.closings and held.closings[-1] is fill:
            held.correct(amount)

    def _value(self, end_us: int) -> None:
        swaps = {}
        if any(held.open_lots for held in self._open.values()):
            swaps = self._swaps()
        feeds = {held.key[1:] for held in self._open.values()} or {*self._tapes}
        worth = {feed: np.zeros(len(self._tapes[feed].time_us)) for feed in feeds}
        for ticket, held in self._open.items():
            held.swap = swaps.get(ticket, 0.0)
            self._rerate(held, end_us)
            if len(worth[held.key[1:]]):
                held.add_floating(self._tapes[held.key[1:]], worth[held.key[1:]])
        times, floating = self._together(worth)
        self._point(times, floating, end_us)
        self._retire(end_us)

    def _together(self, worth: dict[Feed, Floats]) -> tuple[Times, Floats]:
        """Every quote's time and the floating profit of all feeds then; one feed's own quotes."""
        if len(worth) == 1:
            ((feed, floating),) = worth.items()
            return self._tapes[feed].time_us, floating
        times = np.unique(np.concatenate([self._tapes[feed].time_us for feed in worth]))
        total = np.zeros(len(times))
        for feed, floating in worth.items():
            position = np.searchsorted(self._tapes[feed].time_us, times, side="right")
            total += np.concatenate([[0.0], floating])[position]
        return times, total

    def _rerate(self, held: OpenPosition, at_us: int) -> None:
        traded = instrument(held.key.symbol, at_us)
        rate = self._rate(held.key.source, traded.quote, at_us) if traded else None
        held.rate = rate or held.rate

    def _point(self, times: Times, floating: Floats, end_us: int) -> None:
        due = sorted(booked for booked in self._booked if booked[0] <= end_us)
        self._booked = [booked for booked in self._booked if booked[0] > end_us]
        settled = self._balance + np.cumsum([0.0, *(amount for _, amount in due)])
        booked_us = np.array([time_us for time_us, _ in due], np.int64)
        balance = settled[np.searchsorted(booked_us, times, side="right")]
        self._balance = float(settled[-1])
        self.settled.add(settled)
        equity = balance + floating
        self.equity.add(equity)
        self._points.append(_thinned(Curve(times, equity, balance), self._bucket_us))

    def _retire(self, end_us: int) -> None:
        for ticket, held in list(self._open.items()):
            last_us = held.steps[-1][0]
            if not held.open_lots and last_us <= end_us:
                self.trades += held.trades()
                del self._open[ticket]

    def _end(self, held: OpenPosition) -> None:
        quotes = self._tapes[held.key[1:]]
        time_us = int(quotes.time_us[-1])
        sides = float(quotes.bid[-1]), float(quotes.ask[-1])
        price = min(sides) if held.long else max(sides)
        self.trades += [*held.trades(), held.at_end(time_us, price)]


def _joined(tapes: Sequence[Tape]) -> Tape:
    times, bids, offers = zip(*tapes, strict=True)
    return Tape(np.concatenate(times), np.concatenate(bids), np.concatenate(offers))


def _thinned(curve: Curve, bucket_us: int) -> Curve:
    """The last point of every bucket."""
    if not len(curve.time_us):
        return curve
    bucket = curve.time_us // bucket_us
    last = np.flatnonzero(np.r_[bucket[1:] != bucket[:-1], True])
    return Curve(curve.time_us[last], curve.equity[last], curve.balance[last])
