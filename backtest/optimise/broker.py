"""One feed's signals to trades, without execution: the broker's own rules, one position at a time.

What execution does with a signal is told here again in a few lines (opposite closes, then opens;
a horizon closes; a refused closing is tried again at the next quote), while latency, slippage,
prices, swap nights and money come from the simulated broker's own functions. So its trades are
those of a real backtest as long as nothing but the checks below denies an entry: the limits on
loss, margin, frequency and value are left to the real one, which `optimise` runs for its winner
and compares trade by trade.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.mt5.real.symbols import terminal_names
from adapters.mt5.venue.venue import Specification
from adapters.simulator.broker import matching
from adapters.simulator.broker.conversion import Rates
from adapters.simulator.broker.costs import (
    Draw,
    Frictions,
    draw,
    money,
    next_rollover,
    nights,
    quote_profit,
)
from adapters.simulator.broker.matching import QUIET_MSC, Refused
from adapters.simulator.markets.tape import Quote
from backtest.optimise.shared import SharedFeed, SharedMarket
from core.contracts.signal import Signal
from core.instruments import Instrument, instrument, is_open
from core.settings import Settings
from execution.journal.position import Key, Position
from execution.order_path import quotes, sizing, trailing
from execution.order_path.full_position import Money, full_lots
from execution.risk.limits import Limits
from features.compiled import compiled
from features.jit import types

_RETRY_MSC = 1_000  # execution tries a refused closing again at the next quote after so long


class FastTrade(NamedTuple):
    """One position. Names and units are those of backtest.job.Trade."""

    side: str
    volume: float
    opened_us: int
    price: float
    closed_us: int
    exit_price: float
    cause: str
    profit: float
    commission: float
    swap: float

    @property
    def net(self) -> float:
        """After commission and swap."""
        return round(self.profit + self.commission + self.swap, 8)


class FeedTrade(NamedTuple):
    """A trade and its feed."""

    feed: tuple[str, str]
    trade: FastTrade


class _Checked(NamedTuple):
    """What execution's checks know at a moment: its newest quote, and whether it trades by it."""

    bid: float
    ask: float
    passes: bool


class _Position:
    """The one open position. It is changed in place: a trial opens thousands."""

    __slots__ = ("book", "cause", "commission", "due_msc", "gain", "long", "moves_us", "opened_msc",
                 "price", "rules", "seen_msc", "stop", "swap", "volume", "waits")  # fmt: skip

    def __init__(self, long: bool, volume: float, price: float, opened_msc: int) -> None:
        self.long, self.volume, self.price, self.opened_msc = long, volume, price, opened_msc
        self.seen_msc, self.swap, self.commission = opened_msc, 0.0, 0.0
        self.stop, self.gain = 0.0, 0.0
        # When it is closed and why; `waits`: one was refused, and a quote is awaited first.
        self.due_msc, self.cause, self.waits = 0, "horizon", False
        # What execution knows of one whose stop trails, and not before when it looks again.
        self.book: Position | None = None
        self.rules: Specification | None = None
        self.moves_us = 0


def _cross(
    sell: np.ndarray, buy: np.ndarray, begin: int, end: int, long: bool, stop: float, gain: float
) -> int:
    for n in range(begin, end):
        price = sell[n] if long else buy[n]
        if stop != 0.0 and (price <= stop if long else price >= stop):
            return n
        if gain != 0.0 and (price >= gain if long else price <= gain):
            return n
    return -1


_PRICES = types.Array(types.float64, 1, "C", readonly=True)
_first_cross: Callable[..., int] = compiled(
    types.int64(
        _PRICES, _PRICES, types.int64, types.int64, types.boolean, types.float64, types.float64
    ),
    _cross,
)


def _beyond(prices: np.ndarray, begin: int, level: float, long: bool) -> int:
    for n in range(begin, len(prices)):
        if prices[n] >= level - 1e-9 if long else prices[n] <= level + 1e-9:
            return n
    return -1


_first_beyond: Callable[..., int] = compiled(
    types.int64(_PRICES, types.int64, types.float64, types.boolean), _beyond
)


class FastBroker:
    """One feed of a shared market, for any number of trials; it remembers what they share."""

    def __init__(
        self, market: SharedMarket, feed: SharedFeed, settings: Settings, limits: Limits,
        frictions: Frictions | None,
    ) -> None:  # fmt: skip
        self._feed, self._tape_checked, self._limits = feed.feed, feed.checked, limits
        self._frictions, self._seed = frictions or Frictions(), settings.terminal.seed
        self._currency, self._exits = settings.terminal.currency, settings.exits
        self._deposit = self._balance = settings.terminal.balance
        self._rates = Rates(market, self._currency)
        self._tape = market.tape(*feed.feed)
        whole = self._tape.whole
        self._times, self._bid, self._ask = whole.time, whole.bid, whole.ask
        self._sell, self._buy = np.minimum(whole.bid, whole.ask), np.maximum(whole.bid, whole.ask)
        checked = feed.checked
        self._closes_long = np.minimum(checked.bid, checked.ask)
        self._closes_short = np.maximum(checked.bid, checked.ask)
        self._end_msc = int(whole.reached[-1]) if len(whole.reached) else 0
        names = {known: name for name, known in terminal_names(market.feeds()).items()}
        self._name = names[feed.feed]
        self._draws: dict[tuple[int, bool, bool], Draw] = {}
        self._checks: dict[int, _Checked] = {}

    def trades(self, signals: Sequence[Signal]) -> list[FastTrade]:
        """What becomes of signals in time order; the last position ends with the data."""
        done: list[FastTrade] = []
        held: _Position | None = None
        self._balance = self._deposit
        for signal in signals:
            if held is not None:
                held = self._until(held, signal.time_msc, done)
            if held is not None and held.long == (signal.target > 0):
                continue  # what is held is asked for
            lots = self._full_lots(signal, held)
            if held is not None:
                held = self._close(held, signal.time_msc, "opposite", done)
            if held is None:
                held = self._open(signal, lots)
        if held is not None:
            held = self._until(held, self._end_msc, done)
        return [*done, self._ended(held)] if held else done

    def _until(self, held: _Position, now_msc: int, done: list[FastTrade]) -> _Position | None:
        """Closings by horizon or stop up to a time; what is open after them."""
        still: _Position | None = held
        while still is not None:
            due, moves = self._due(still), self._moves_msc(still)
            if moves is not None and moves <= now_msc and (due is None or moves < due):
                still = self._settled(still, moves, done)
                if still is not None:
                    self._move(still, moves)
                continue
            if due is None or due > now_msc:
                return self._settled(still, now_msc, done)
            still = self._settled(still, due, done)
            if still is not None:
                still = self._close(still, due, still.cause, done)
        return None

    def _moves_msc(self, held: _Position) -> int | None:
        """When the next quote may move a trailing stop; see execution.replay."""
        if held.book is None or held.rules is None:
            return None
        prices = self._closes_long if held.long else self._closes_short
        times = self._tape_checked.time_us
        level = trailing.reach(held.book, held.rules, self._exits.trail_step)
        begin = int(times.searchsorted(held.moves_us))
        index = _first_beyond(prices, begin, level, held.long)
        return int(times[index]) // 1000 if index >= 0 else None

    def _move(self, held: _Position, now_msc: int) -> None:
        """Let the stop follow the newest quote; see execution.order_path.stops."""
        assert held.book is not None
        assert held.rules is not None
        checked = self._checked(now_msc)
        quote = quotes.Quote(now_msc * 1000, checked.bid, checked.ask, 0.0)
        stop = trailing.wanted(held.book, quote, held.rules, self._exits.trail_step)
        if stop is None:
            held.moves_us = now_msc * 1000 + 1
            return
        held.moves_us = now_msc * 1000 + round(self._exits.trail_interval_s * 1e6)
        index = int(self._times.searchsorted(now_msc, "right")) - 1
        market = Quote(now_msc, float(self._bid[index]), float(self._ask[index]))
        try:
            matching.check_stops(held.long, stop, held.gain, market)
        except Refused:
            return
        held.stop = held.book.stop_price = stop

    def _due(self, held: _Position) -> int | None:
        if not held.waits:
            return held.due_msc
        times = self._tape_checked.time_us
        index = int(times.searchsorted(held.due_msc * 1000))
        return int(times[index]) // 1000 if index < len(times) else None

    def _settled(self, held: _Position, until_msc: int, done: list[FastTrade]) -> _Position | None:
        """With swaps charged; None when the broker's stop or take-profit closed it before."""
        if until_msc <= held.seen_msc:
            return held
        index = self._crossing(held, until_msc)
        if index < 0:
            self._charge(held, until_msc)
            return held
        time = int(self._times[index])
        price = float((self._sell if held.long else self._buy)[index])
        stopped = held.stop and (price <= held.stop if held.long else price >= held.stop)
        self._charge(held, time)
        self._add(
            self._trade(held, time, price, "stop")
            if stopped
            else self._trade(held, time, held.gain, "take_profit"),
            held, done,
        )  # fmt: skip
        return None

    def _crossing(self, held: _Position, until_msc: int) -> int:
        begin, end = self._times.searchsorted((held.seen_msc, until_msc), "right")
        return _first_cross(self._sell, self._buy, begin, end, held.long, held.stop, held.gain)

    def _charge(self, held: _Position, until_msc: int) -> None:
        """Swaps of the nights up to a time."""
        if next_rollover(held.seen_msc) <= until_msc:
            for time_msc, count in nights(held.seen_msc, until_msc):
                known = self._known(time_msc)
                points = known.swap_long if held.long else known.swap_short
                amount = points * known.point * known.contract_size * held.volume
                night = money(amount * self._rate(known, time_msc))
                held.swap = money(held.swap + night * count)
        held.seen_msc = until_msc

    def _full_lots(self, signal: Signal, held: _Position | None) -> float:
        """Of a full position, before anything is closed; 0 without a rate."""
        if self._limits.sizing == "fixed":
            return self._limits.lots
        time, known = signal.time_msc, self._known(signal.time_msc)
        checked = self._checked(time)
        worth = Money(
            self._equity(held, time), known.contract_size,
            self._rates.rate(known.quote, self._feed[0], time),
        )  # fmt: skip
        distance = abs((checked.bid + checked.ask) / 2 - signal.stop_price)
        return full_lots(self._limits, signal.confidence, distance, worth) or 0.0

    def _equity(self, held: _Position | None, now_msc: int) -> float:
        """As the broker's account says it."""
        if held is None:
            return self._balance
        at_msc = max(now_msc, held.opened_msc)
        index = int(self._times.searchsorted(at_msc, "right")) - 1
        price = float((self._sell if held.long else self._buy)[index])
        known = self._known(at_msc)
        gained = quote_profit(held.long, held.volume, known.contract_size, held.price, price)
        floating = money(gained * self._rate(known, at_msc)) + held.swap
        return money(self._balance + money(floating))

    def _open(self, signal: Signal, lots: float) -> _Position | None:
        """None: a check denied it, or the broker refused it."""
        time, buys, known = signal.time_msc, signal.target > 0, self._known(signal.time_msc)
        volume = abs(sizing.wanted_volume(signal.target, lots, known.volume_step))
        if volume + 1e-9 < known.volume_min or self._denies(signal, known):
            return None
        friction = self._drawn(time, buys, False)
        try:
            quote = self._arrival(time, friction.latency_ms, known)
            stop = round(signal.stop_price, known.digits)
            gain = round(signal.take_profit, known.digits)
            matching.check_stops(buys, stop, gain, quote)
        except Refused:
            return None
        position = _Position(
            buys, volume, matching.fill_price(quote, buys, friction), quote.time_msc
        )
        position.stop, position.gain, position.due_msc = stop, gain, signal.horizon_us // 1000
        position.commission = -money(known.commission * volume)
        self._balance = money(self._balance + position.commission)
        if signal.trail:
            self._let_trail(position, signal, known)
        return position

    def _let_trail(self, position: _Position, signal: Signal, known: Instrument) -> None:
        opened_us = position.opened_msc * 1000
        position.rules = Specification(
            known.digits, known.point, known.volume_min, known.volume_max, known.volume_step
        )
        position.moves_us = opened_us
        position.book = Position(
            ticket=1, key=Key(signal.strategy, *self._feed),
            volume=position.volume if position.long else -position.volume, price=position.price,
            stop_price=signal.stop_price, opened_us=opened_us, order_id="", signal_id="",
            horizon_us=signal.horizon_us, take_profit=signal.take_profit, trail=signal.trail,
        )  # fmt: skip

    def _denies(self, signal: Signal, known: Instrument) -> bool:
        """The checks of an entry that prices alone decide (execution.risk.checks)."""
        checked = self._checked(signal.time_msc)
        if not checked.passes:
            return True
        if signal.target > 0:
            return not 0 < signal.stop_price < min(checked.bid, checked.ask)
        return not max(checked.bid, checked.ask) < signal.stop_price

    def _checked(self, time_msc: int) -> _Checked:
        return self._checks.get(time_msc) or self._check(time_msc, self._known(time_msc))

    def _check(self, time_msc: int, known: Instrument) -> _Checked:
        tape = self._tape_checked
        index = int(tape.time_us.searchsorted(time_msc * 1000, "right")) - 1
        bid, ask = float(tape.bid[index]), float(tape.ask[index])
        window = slice(max(index + 1 - quotes.WINDOW, 0), index + 1)
        usual = quotes.usual_spread(tape.bid[window], tape.ask[window])
        wide = usual > 0 and abs(ask - bid) / usual > self._limits.max_spread_ratio
        converts = self._rates.rate(known.quote, self._feed[0], time_msc) is not None
        passes = converts and not wide and is_open(known.session, time_msc * 1000)
        self._checks[time_msc] = checked = _Checked(bid, ask, passes)
        return checked

    def _close(
        self, held: _Position, at_msc: int, cause: str, done: list[FastTrade]
    ) -> _Position | None:
        """None once it is closed; else the same, to be tried again."""
        friction = self._drawn(at_msc, not held.long, True)
        sent = max(at_msc, held.opened_msc - friction.latency_ms)
        try:
            quote = self._arrival(sent, friction.latency_ms, self._known(at_msc))
            if self._crossing(held, quote.time_msc) >= 0:
                raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "closed by its stop")
        except Refused:
            held.due_msc, held.cause, held.waits = at_msc + _RETRY_MSC, cause, True
            return held
        self._charge(held, max(quote.time_msc, held.seen_msc))
        price = matching.fill_price(quote, not held.long, friction)
        self._add(self._trade(held, quote.time_msc, price, cause), held, done)
        return None

    def _add(self, trade: FastTrade, held: _Position, done: list[FastTrade]) -> None:
        done.append(trade)
        commission = trade.commission - held.commission  # of the closing
        self._balance = money(self._balance + commission + trade.swap + trade.profit)

    def _arrival(self, at_msc: int, latency_ms: int, known: Instrument) -> Quote:
        """As matching.arrival, which is asked only where no quote comes in time."""
        arrives = at_msc + latency_ms
        index = int(self._times.searchsorted(arrives))
        if index < len(self._times) and self._times[index] <= arrives + QUIET_MSC:
            bid, ask = float(self._bid[index]), float(self._ask[index])
            return Quote(int(self._times[index]), bid, ask)
        return matching.arrival(self._tape, at_msc, latency_ms, known)

    def _trade(self, held: _Position, time_msc: int, price: float, cause: str) -> FastTrade:
        known, volume = self._known(time_msc), held.volume
        commission = round(held.commission, 8) - money(known.commission * volume)
        return self._fast(held, time_msc * 1000, price, cause, commission)

    def _fast(
        self, held: _Position, closed_us: int, price: float, cause: str, commission: float
    ) -> FastTrade:
        time_msc = closed_us // 1000
        known = self._known(time_msc)
        gained = quote_profit(held.long, held.volume, known.contract_size, held.price, price)
        return FastTrade(
            side="buy" if held.long else "sell", volume=held.volume,
            opened_us=held.opened_msc * 1000, price=held.price, closed_us=closed_us,
            exit_price=price, cause=cause, profit=money(gained * self._rate(known, time_msc)),
            commission=commission, swap=held.swap,
        )  # fmt: skip

    def _ended(self, held: _Position) -> FastTrade:
        """What is open at the end, at its last quote, as the figures of a backtest have it."""
        bid, ask = float(self._tape_checked.bid[-1]), float(self._tape_checked.ask[-1])
        price = min(bid, ask) if held.long else max(bid, ask)
        return self._fast(
            held, int(self._tape_checked.time_us[-1]), price, "end", round(held.commission, 8)
        )

    def _known(self, time_msc: int) -> Instrument:
        known = instrument(self._feed[1], time_msc * 1000)
        if known is None:
            raise Refused(mt5.TRADE_RETCODE_TRADE_DISABLED, f"no reference data of {self._feed[1]}")
        return known

    def _rate(self, known: Instrument, time_msc: int) -> float:
        """What is open is valued by the newest rate, however old."""
        if known.quote == self._currency:
            return 1.0
        return self._rates.rate(known.quote, self._feed[0], time_msc, max_age_msc=None) or 0.0

    def _drawn(self, at_msc: int, buys: bool, leaves: bool) -> Draw:
        key = at_msc, buys, leaves
        friction = self._draws.get(key)
        if friction is None:
            form = TradeRequest(
                action=mt5.TRADE_ACTION_DEAL, symbol=self._name, position=int(leaves),
                type=mt5.ORDER_TYPE_BUY if buys else mt5.ORDER_TYPE_SELL,
            )  # fmt: skip
            friction = draw(self._frictions, form, self._feed[0], at_msc, self._seed)
            self._draws[key] = friction
        return friction
