"""What the checks look at, gathered for one order; the checks themselves are pure.

Everything that only a set limit needs (values in account currency, counts, losses) is looked up
only when that limit is set, so that limits nobody asked for cost nothing on the order path.
"""

import math

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from core.clock import Clock
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.signal import Signal
from core.instruments import Instrument, instrument
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.valuation import notional, rate
from execution.risk import checks as risk
from execution.risk.checks import Denial, RiskContext
from execution.risk.limits import Limits
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import Funds
from execution.risk.trading_state import TradingState


class PreTradeRisk:
    """Answers whether one order may go, under the rules in force at that moment."""

    def __init__(
        self,
        limits: LimitsFile,
        clock: Clock,
        ledger: Ledger,
        venue: Venue,
        quotes: Quotes,
        trading: TradingState,
        funds: Funds,
    ) -> None:
        self._limits, self._clock, self._ledger, self._venue = limits, clock, ledger, venue
        self._quotes, self._trading, self._funds = quotes, trading, funds

    def limits(self, symbol: str) -> tuple[Limits, str]:
        """The limits of a symbol now, and their version."""
        return self._limits.rules.at(symbol, self._clock.now_us())

    @property
    def collar(self) -> float:
        """How far from its price an order may fill: the account's, whatever the symbol."""
        return self._limits.rules.own.collar

    def entry(
        self, asked: OrderEvent, signal: Signal, quote: Quote | None, *, sends: bool
    ) -> Denial | None:
        """Why an order that adds risk may not go, or None. Money is asked for last."""
        limits = self.limits(signal.symbol)[0]
        context = self._facts(asked, signal, quote, limits)
        denial = risk.check_entry(self._with_values(context, asked)) or self._shared(asked)
        if denial is not None or not sends:
            return denial
        return self._losses(limits) or risk.check_margin(
            *self._funds.look(events.venue_order(asked, self.collar))
        )

    def held(self, asked: OrderEvent, signal: Signal, quote: Quote | None) -> Denial | None:
        """Why a signal for what is held may not prolong it, or None."""
        limits = self.limits(signal.symbol)[0]
        return risk.check_held(self._facts(asked, signal, quote, limits))

    def _facts(
        self, asked: OrderEvent, signal: Signal, quote: Quote | None, limits: Limits
    ) -> RiskContext:
        now, book = self._clock.now_us(), self._ledger.book
        return RiskContext(
            self._trading.state, self._blocked(signal), now, signal,
            asked.side, asked.volume, instrument(signal.symbol, now),
            self._venue.specification(signal.source, signal.symbol), quote,
            book.entries_within_minute(signal.source, signal.symbol, now), limits,
        )  # fmt: skip

    def _blocked(self, signal: Signal) -> bool:
        feed, book = (signal.source, signal.symbol), self._ledger.book
        if book.is_blocked(*feed) or book.broker.is_suspended(*feed):
            return True
        # What opens there sets the position's stop, and a stop that is on its way could undo that.
        moving = any(p.moving and p.key[1:] == feed for p in book.positions.values())
        return moving and self._venue.netting

    def _shared(self, asked: OrderEvent) -> Denial | None:
        """A netting account has one position per symbol, so one strategy at a time owns it."""
        feed, held = (asked.source, asked.symbol), self._ledger.book.positions.values()
        others = [p for p in held if p.key[1:] == feed and p.key.strategy != asked.strategy]
        if not others or not self._venue.netting:
            return None
        return Denial(DenialReason.POSITION_LIMIT, 0.0, sum(abs(p.volume) for p in others))

    def _with_values(self, context: RiskContext, asked: OrderEvent) -> RiskContext:
        """Facts with what the limits that are set need."""
        limits, now, activity = context.limits, context.now_us, self._ledger.activity
        if limits.max_messages_per_second != math.inf:
            context = replace(context, messages=activity.messages(now))
        if limits.max_position_lots != math.inf:
            context = replace(context, net=self._net(asked.source, asked.symbol))
        if limits.max_order_value != math.inf or limits.max_gross_exposure != math.inf:
            value = self._value(asked.source, context.instrument, asked.volume, context.quote)
            context = replace(context, value=value, gross=self._gross())
        if limits.max_repeats != math.inf:
            context = self._with_repeats(context, (asked.strategy, asked.source, asked.symbol))
        return context

    def _with_repeats(self, context: RiskContext, key: tuple[str, str, str]) -> RiskContext:
        activity, window_us = self._ledger.activity, round(context.limits.repeat_window_s * 1e6)
        released = self._limits.rules.released_us(key[0], key[2])
        since = max(context.now_us - window_us, released)
        closed = activity.throttled_us(key)
        return replace(
            context, repeats=activity.repeats(key, since), throttled=closed > released
        )  # fmt: skip

    def _losses(self, limits: Limits) -> Denial | None:
        if limits.max_daily_loss == limits.max_drawdown == math.inf:
            return None
        equity, activity = self._funds.account().equity, self._ledger.activity
        daily = activity.daily_loss(equity, self._clock.now_us())
        return risk.check_losses(daily, activity.drawdown(equity), limits)

    def _net(self, source: str, symbol: str) -> float:
        held = self._ledger.book.positions.values()
        return round(sum(p.volume for p in held if p.key[1:] == (source, symbol)), 8)

    def _gross(self) -> float | None:
        """Of all positions and of entries whose outcome is not known yet."""
        book, now = self._ledger.book, self._clock.now_us()
        open_ = [(p.key.source, p.key.symbol, p.volume) for p in book.positions.values()]
        open_ += [
            (e.source, e.symbol, e.volume) for e in book.unsettled.values() if e.purpose == "entry"
        ]
        total = 0.0
        for source, symbol, volume in open_:
            quote = self._quotes.at(source, symbol, now)
            value = self._value(source, instrument(symbol, now), volume, quote)
            if value is None:
                return None
            total += value
        return total

    def _value(
        self, source: str, traded: Instrument | None, volume: float, quote: Quote | None
    ) -> float | None:
        if traded is None or quote is None:
            return None
        found = self.rate(source, traded)
        return notional(volume, traded.contract_size, quote.mid, found)

    def rate(self, source: str, traded: Instrument) -> float | None:
        """Account currency for one unit of an instrument's quote currency."""
        currency = self._funds.account().currency
        return rate(self._quotes, source, traded.quote, currency, self._clock.now_us())
