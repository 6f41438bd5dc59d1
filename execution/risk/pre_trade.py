"""Whether an order of a signal may go, under the signal's context.

What only a set limit needs (values in account currency, counts, losses) is looked up only when that
limit is set. The checks themselves are pure.
"""

import math

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import VenueOrder
from core.contracts.order import DenialReason, OrderEvent
from core.desk import Desk
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.journal.working import Working
from execution.risk import checks as risk
from execution.risk import portfolio_risk, strategy_limits
from execution.risk.checks import Denial, RiskContext
from execution.risk.context import NO_DESK, Contexts
from execution.risk.exposure import Exposure
from execution.risk.firm_entry import Stake, check_firm
from execution.risk.limits import Limits
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import Funds, Margin
from execution.risk.portfolio_entry import PortfolioEntry
from execution.risk.strategy_limits import StrategyFacts
from execution.risk.trading_state import TradingState


class PreTradeRisk:
    """Says whether an order may go, and whether one that waits may wait on."""

    def __init__(
        self,
        contexts: Contexts,
        limits: LimitsFile,
        ledger: Ledger,
        venue: Venue,
        trading: TradingState,
        funds: Funds,
        exposure: Exposure,
        *,
        market: portfolio_risk.MarketFigures | None = None,
        desk: Desk = NO_DESK,
    ) -> None:
        self._contexts, self._limits, self._ledger, self._venue = contexts, limits, ledger, venue
        self._trading, self._funds, self._exposure, self._desk = trading, funds, exposure, desk
        self._portfolio = PortfolioEntry(ledger, funds, market)

    def entry(self, context: RiskContext, order: OrderEvent, *, sends: bool) -> Denial | None:
        """Why an order that adds risk may not go, or None. The venue is asked for margin last."""
        context = self._with_order(context, order)
        denial = risk.check_entry(self._with_values(context)) or self._shared(order)
        denial = denial or self._of_strategy(context) or self._portfolio.check(context, order)
        if denial is not None or not sends:
            return denial
        return (
            self._losses(context)
            or self._firm(context, order)
            or risk.check_margin(*self._margin(events.venue_order(order, context.collar)))
        )

    def _margin(self, order: VenueOrder) -> Margin:
        """What it needs and what is free, with what waits counted as if it were filled."""
        working = self._ledger.book.working
        waits = [self._ledger.book.unsettled[name] for name in working if name != order.order_id]
        needed, free = self._funds.margin(order)
        for event in waits:
            taken = self._funds.needs(events.venue_order(event, self._contexts.collar))
            if taken is None:
                return Margin(None, free)
            free -= taken
        return Margin(needed, free)

    def withdrawal(self, name: str, working: Working) -> str:
        """Why an order that waits is to be taken back now; "" while it may wait.

        What is lost, and risked, meanwhile counts: with the limits on losses, the firm's, and those
        on the portfolio's risk, as for an entry.
        """
        signal, state = working.signal, self._trading.state
        if working.cancelling_us:
            return "asked for before"
        if state != "active":
            return f"trading is {state}"
        context = self._contexts.of(signal)
        if context.now_us >= signal.expires_us:
            return "its time is over"
        if self._ledger.book.is_beaten(name):
            return f"another of {signal.one_of} was filled"
        denial = risk.restricted(context) or risk.client_file(context) or risk.near_news(context)
        order = self._ledger.book.unsettled[name]
        denial = denial or self._losses(context) or self._firm(context, order)
        denial = denial or self._portfolio.check_while_waiting(context, order)
        return denial.reason.value if denial else ""

    def _of_strategy(self, context: RiskContext) -> Denial | None:
        """By the strategy's own limits, which few have."""
        signal, now = context.signal, context.now_us
        limits = self._contexts.own_limits.get(signal.strategy)
        if limits is None:
            return None
        share, regime = self._contexts.in_regime(signal, context.limits, now)
        if share <= 0.0:
            return strategy_limits.outside_regime(limits, regime)
        key = Key(signal.strategy, signal.source, signal.symbol)
        activity, book = self._ledger.activity, self._ledger.book
        share = self._desk.share(signal.strategy)
        positions = [p for p in book.positions.values() if p.key.strategy == signal.strategy]
        floating = [self._exposure.floating(position, now) for position in positions]
        result = activity.profit_of_day(signal.strategy, now)
        facts = StrategyFacts(
            side=context.side, volume=context.volume, net=self._exposure.net_of(key, context.side),
            entries=activity.repeats(key, now - 60_000_000),
            value=self._exposure.order_value(context),
            gross=self._exposure.gross(context, signal.strategy),
            capital=share * self._funds.account().equity,
            opening_capital=share * activity.opening(now),
            result=None if None in floating else result + sum(f for f in floating if f),
        )  # fmt: skip
        return strategy_limits.check(facts, limits)

    def held(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """Why a signal for what is held may not prolong it, or None."""
        return risk.check_held(self._with_order(context, order))

    def prepare(self) -> None:
        """Value what is held once it has changed, before the next order asks: for who has time."""
        self._portfolio.prepare()

    def _with_order(self, context: RiskContext, order: OrderEvent) -> RiskContext:
        return replace(
            context,
            state=self._trading.state,
            blocked=self._blocked(order.source, order.symbol),
            side=order.side,
            volume=order.volume,
            entries=self._ledger.book.entries_within_minute(
                order.source, order.symbol, context.now_us
            ),
        )

    def _blocked(self, *feed: str) -> bool:
        book = self._ledger.book
        if book.is_blocked(*feed) or book.broker.is_suspended(*feed):
            return True
        # What opens there sets the position's stop, and a stop that is on its way could undo that.
        moving = any(p.moving and p.key[1:] == feed for p in book.positions.values())
        return moving and self._venue.netting

    def _shared(self, order: OrderEvent) -> Denial | None:
        """A netting account has one position per symbol. Strategies may share it, where the venue
        keeps theirs apart, but not with an order that waits: its fill sets the position's stop.
        """
        feed, positions = (order.source, order.symbol), self._ledger.book.positions.values()
        others = [
            abs(p.volume)
            for p in positions
            if p.key[1:] == feed and p.key.strategy != order.strategy and not self._venue.shared
        ]
        if self._ledger.book.working:
            waiting = self._ledger.book.waiting(*feed)
            others += [e.volume for e in waiting if e.strategy != order.strategy]
        if not others or not self._venue.netting:
            return None
        return Denial(DenialReason.SYMBOL_TAKEN, 0.0, sum(others))

    def _with_values(self, context: RiskContext) -> RiskContext:
        """With what the limits that are set need."""
        limits, signal, activity = context.limits, context.signal, self._ledger.activity
        if limits.max_messages_per_second != math.inf:
            context = replace(context, messages=activity.messages(context.now_us))
        if not limits.max_position_lots == limits.max_position_equity == math.inf:
            net = self._exposure.net((signal.source, signal.symbol), context.side)
            context = replace(context, net=net)
        if _in_money(limits):
            context = replace(
                context, value=self._exposure.order_value(context),
                gross=self._exposure.gross(context), equity=self._funds.account().equity,
            )  # fmt: skip
        if limits.max_repeats != math.inf:
            context = self._with_repeats(context)
        return context

    def _with_repeats(self, context: RiskContext) -> RiskContext:
        signal, activity = context.signal, self._ledger.activity
        key = signal.strategy, signal.source, signal.symbol
        window_us = round(context.limits.repeat_window_s * 1e6)
        released = self._limits.rules.released_us(signal.strategy, signal.symbol)
        since = max(context.now_us - window_us, released)
        closed = activity.throttled_us(key)
        return replace(context, repeats=activity.repeats(key, since), throttled=closed > released)

    def _losses(self, context: RiskContext) -> Denial | None:
        limits = context.limits
        unlimited = limits.max_daily_loss == limits.max_daily_loss_share == math.inf
        if unlimited and limits.max_drawdown == math.inf:
            return None
        equity, activity = self._funds.account().equity, self._ledger.activity
        daily = activity.daily_loss(equity, context.now_us)
        opening = activity.opening(context.now_us)
        return risk.check_losses(daily, activity.drawdown(equity), limits, opening)

    def _firm(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """By the rules of the account's firm, if it is under any."""
        if self._limits.rules.firm is None:
            return None
        activity, book, account = self._ledger.activity, self._ledger.book, self._funds.account()
        open_ = [Stake.of_position(p) for p in book.positions.values()]
        open_ += [
            Stake.of_order(e)
            for name, e in book.unsettled.items()
            if e.purpose == "entry" and name != order.order_id
        ]
        at_risk = sum(
            self._exposure.at_risk(s, context.now_us) for s in (*open_, Stake.of_order(order))
        )
        name, rules = self._limits.rules.firm
        return check_firm(
            rules, activity.firm if activity.firm and activity.firm.firm == name else None,
            (account.balance, account.equity - account.credit), order.volume,
            # A firm counts what lies in its account, whoever put it there.
            round(sum(abs(stake.volume) for stake in open_) + book.broker.lots_of_others(), 8),
            at_risk,
            self._exposure.retail_margin(rules, (*open_, Stake.of_order(order)), context.now_us),
        )  # fmt: skip


def _in_money(limits: Limits) -> bool:
    """Whether any limit needs to know what lots are worth."""
    return not (
        limits.max_order_value == limits.max_order_equity == math.inf
        and limits.max_gross_exposure == limits.max_gross_equity == math.inf
        and limits.max_position_equity == math.inf
    )
