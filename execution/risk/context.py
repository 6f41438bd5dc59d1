"""What one signal is decided by, taken once, and the answer whether an order of it may go.

Time, quote, specification, instrument and limits are looked up once per signal, so that an
override that begins meanwhile cannot size an order by one version of the limits, check it by a
second and record a third. What only a set limit needs (values in account currency, counts,
losses) is looked up only when that limit is set. The checks themselves are pure.
"""

import math
from collections.abc import Iterable

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import VenueOrder
from core.clock import Clock
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.signal import OrderSignal, Signal
from core.desk import Desk
from core.instruments import Instrument, instrument
from execution.journal import events
from execution.journal.ledger import Ledger
from execution.journal.position import Key, Position
from execution.journal.working import Working
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.valuation import notional, rate
from execution.risk import checks as risk
from execution.risk import portfolio_risk, strategy_limits
from execution.risk.checks import Denial, RiskContext
from execution.risk.client_file import ClientRule
from execution.risk.drawdown import size_factor
from execution.risk.firm_entry import Stake, check_firm
from execution.risk.firm_rules import FirmRules
from execution.risk.limits import Limits
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import Funds, Margin
from execution.risk.news import News
from execution.risk.retail import initial_margin_share
from execution.risk.strategy_limits import StrategyFacts
from execution.risk.trading_state import TradingState

NO_DESK = Desk(())


class PreTradeRisk:
    """Takes the context of a signal, and says whether an order may go under it."""

    def __init__(
        self,
        limits: LimitsFile,
        clock: Clock,
        ledger: Ledger,
        venue: Venue,
        quotes: Quotes,
        trading: TradingState,
        funds: Funds,
        market: portfolio_risk.MarketFigures | None = None,
        desk: Desk = NO_DESK,
        news: News | None = None,
        clients: ClientRule | None = None,
    ) -> None:
        self._market = market
        self._prepared: OrderEvent | None = None  # the newest one that the figures know of
        self._limits, self._clock, self._ledger, self._venue = limits, clock, ledger, venue
        self._quotes, self._trading, self._funds = quotes, trading, funds
        self._desk = desk
        self._own_limits = {one.name: one.own_limits for one in desk.strategies if one.limits}
        self.news, self.clients = news or News(None), clients or ClientRule(None)

    def context(self, signal: Signal) -> RiskContext:
        """Everything a signal is decided by, as of now.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        now, rules = self._clock.now_us(), self._limits.rules
        limits, version = rules.at(signal.symbol, now)
        version = self._desk_version(signal.strategy) + version
        traded = instrument(signal.symbol, now)
        windows = self.news.at(rules.news, signal.symbol, traded, now)
        keep = min((w.keep_share for w in windows if w.action == "reduce"), default=1.0)
        quote = self._quotes.at(signal.source, signal.symbol, now)
        if isinstance(signal, OrderSignal):
            quote = _at_price(signal, quote)
        return RiskContext(
            signal=signal,
            now_us=now,
            quote=quote,
            specification=self._venue.specification(signal.source, signal.symbol),
            instrument=traded,
            limits=limits,
            limits_version=version,
            collar=rules.own.collar,
            size_factor=keep
            * size_factor(self._ledger.activity.drawdown_share(), rules.book.breakers)
            * (self._in_regime(signal, limits, now)[0] or 1.0),  # 0: denied, see `_of_strategy`
            news=windows,
            news_unknown=self.news.is_silent(rules.news, now),
            client=self.clients.denial(rules.client, now),
        )

    def renewed(self, context: RiskContext) -> RiskContext:
        """The context of a later leg: the answer to the one before may have taken seconds.

        The quote stays the one that the legs were planned by, and ages.
        """
        now, rules, symbol = self._clock.now_us(), self._limits.rules, context.signal.symbol
        limits, version = rules.at(symbol, now)
        version = self._desk_version(context.signal.strategy) + version
        return replace(
            context,
            now_us=now,
            instrument=instrument(symbol, now),
            limits=limits,
            limits_version=version,
            collar=rules.own.collar,
            client=self.clients.denial(rules.client, now),
        )

    def _in_regime(self, signal: Signal, limits: Limits, now: int) -> tuple[float, str]:
        """Of a full position, what a strategy may hold in the regime of the feed; and which."""
        own = self._own_limits.get(signal.strategy)
        if own is None or not own.uses_regimes or self._market is None:
            return 1.0, ""
        oldest = now - int(limits.max_risk_age_s * 1e6)
        regime = self._market.regime((signal.source, signal.symbol), oldest)
        return own.regime_share(regime), regime

    def _desk_version(self, strategy: str) -> str:
        """What names the strategy's own limits, before those of the account."""
        one = self._desk.named(strategy) if strategy in self._own_limits else None
        return f"desk {one.version} under " if one else ""

    @property
    def collar(self) -> float:
        """How far from its price an order without a signal may fill."""
        return self._limits.rules.own.collar

    def flattens(self, symbol: str) -> bool:
        """Whether an event of the calendar closes positions of a symbol now."""
        now, rules = self._clock.now_us(), self._limits.rules.news
        return self.news.flattens(rules, symbol, instrument(symbol, now), now)

    def next_flatten_us(self, symbol: str, end_us: int) -> int | None:
        """When one will next, up to a time; None when none does before it."""
        now, rules = self._clock.now_us(), self._limits.rules.news
        return self.news.next_flatten_us(rules, symbol, instrument(symbol, now), now, end_us)

    def version(self, symbol: str) -> str:
        """Version of a symbol's limits now, for what is denied without a look at them."""
        return self._limits.rules.at(symbol, self._clock.now_us())[1]

    def entry(self, context: RiskContext, order: OrderEvent, *, sends: bool) -> Denial | None:
        """Why an order that adds risk may not go, or None. The venue is asked for margin last."""
        context = self._with_order(context, order)
        denial = risk.check_entry(self._with_values(context)) or self._shared(order)
        denial = denial or self._of_strategy(context) or self._portfolio(context, order)
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
            taken = self._funds.needs(events.venue_order(event, self.collar))
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
        context = self.context(signal)
        if context.now_us >= signal.expires_us:
            return "its time is over"
        if self._ledger.book.is_beaten(name):
            return f"another of {signal.one_of} was filled"
        denial = risk.restricted(context) or risk.client_file(context) or risk.near_news(context)
        order = self._ledger.book.unsettled[name]
        denial = denial or self._losses(context) or self._firm(context, order)
        denial = denial or self._portfolio_while_waiting(context, order)
        return denial.reason.value if denial else ""

    def next_denied_us(self, symbol: str, end_us: int) -> int | None:
        """When calendar or client's file next let nothing open, up to a time; None: not before."""
        now, rules = self._clock.now_us(), self._limits.rules
        traded = instrument(symbol, now)
        moments = (
            self.news.next_denied_us(rules.news, symbol, traded, now, end_us),
            self.clients.next_denied_us(rules.client, now, end_us),
        )
        return min((at for at in moments if at is not None), default=None)

    def _of_strategy(self, context: RiskContext) -> Denial | None:
        """By the strategy's own limits, which few have."""
        signal, now = context.signal, context.now_us
        limits = self._own_limits.get(signal.strategy)
        if limits is None:
            return None
        share, regime = self._in_regime(signal, context.limits, now)
        if share <= 0.0:
            return strategy_limits.outside_regime(limits, regime)
        key = Key(signal.strategy, signal.source, signal.symbol)
        activity, book = self._ledger.activity, self._ledger.book
        share = self._desk.share(signal.strategy)
        positions = [p for p in book.positions.values() if p.key.strategy == signal.strategy]
        floating = [self._floating(position, now) for position in positions]
        result = activity.profit_of_day(signal.strategy, now)
        facts = StrategyFacts(
            side=context.side, volume=context.volume, net=self._net_of(key, context.side),
            entries=activity.repeats(key, now - 60_000_000),
            value=self._order_value(context), gross=self._gross(context, signal.strategy),
            capital=share * self._funds.account().equity,
            opening_capital=share * activity.opening(now),
            result=None if None in floating else result + sum(f for f in floating if f),
        )  # fmt: skip
        return strategy_limits.check(facts, limits)

    def _net_of(self, key: Key, side: str) -> float:
        """Lots that a strategy holds, and that wait for it on a side."""
        waits = [e for e in self._ledger.book.waiting(*key[1:]) if e.strategy == key.strategy]
        waits = [e for e in waits if e.side == side]
        return self._ledger.book.net(key) + sum(map(_signed, waits))

    def _floating(self, position: Position, now: int) -> float | None:
        """What a position would win or lose if it closed now; None without a price for it."""
        source, symbol, traded = *position.key[1:], instrument(position.key.symbol, now)
        quote = self._quotes.at(source, symbol, now)
        if quote is None or traded is None:
            return None
        rate_ = self.rate(source, traded, now)
        price = quote.side("sell" if position.volume > 0 else "buy")
        moved = (price - position.price) * position.volume * traded.contract_size
        return None if rate_ is None else moved * rate_

    def held(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """Why a signal for what is held may not prolong it, or None."""
        return risk.check_held(self._with_order(context, order))

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

    def _portfolio(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """What all positions and this order would risk together."""
        if not portfolio_risk.is_limited(context.limits):
            return None
        account = self._funds.account()
        figures = self._market.at(account.currency) if self._market else None
        return portfolio_risk.check(
            context.limits, figures, self._held_with(order), _on_its_way(order), account.equity,
            context.now_us,
        )  # fmt: skip

    def _portfolio_while_waiting(self, context: RiskContext, order: OrderEvent) -> Denial | None:
        """The same for one that waits, in a book without it."""
        if not portfolio_risk.is_limited(context.limits):
            return None
        self._prepared = None  # the figures then stand for that book
        with self._ledger.book.without(order.order_id):
            return self._portfolio(context, order)

    def _held_with(self, order: OrderEvent | None) -> list[portfolio_risk.Held]:
        """Positions, and entries whose outcome is not known yet; an order has those beside it."""
        book = self._ledger.book
        held = [portfolio_risk.Held(p.key[1:], p.volume, p.price) for p in book.positions.values()]
        return held + [
            _on_its_way(e)
            for e in book.unsettled.values()
            if e.purpose == "entry" and not (order and self._may_lack(e, order))
        ]

    def prepare(self) -> None:
        """Value what is held once it has changed, before the next order asks: for who has time."""
        newest = self._ledger.book.last
        if self._market is not None and newest is not self._prepared:
            self._prepared = newest
            self._market.prepare(self._held_with(None))

    def _with_values(self, context: RiskContext) -> RiskContext:
        """With what the limits that are set need."""
        limits, signal, activity = context.limits, context.signal, self._ledger.activity
        if limits.max_messages_per_second != math.inf:
            context = replace(context, messages=activity.messages(context.now_us))
        if not limits.max_position_lots == limits.max_position_equity == math.inf:
            net = self._net((signal.source, signal.symbol), context.side)
            context = replace(context, net=net)
        if _in_money(limits):
            context = replace(
                context, value=self._order_value(context), gross=self._gross(context),
                equity=self._funds.account().equity,
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
        at_risk = sum(self._at_risk(s, context.now_us) for s in (*open_, Stake.of_order(order)))
        name, rules = self._limits.rules.firm
        return check_firm(
            rules, activity.firm if activity.firm and activity.firm.firm == name else None,
            (account.balance, account.equity - account.credit), order.volume,
            round(sum(abs(stake.volume) for stake in open_), 8), at_risk,
            self._retail_margin(rules, (*open_, Stake.of_order(order)), context.now_us),
        )  # fmt: skip

    def _at_risk(self, stake: Stake, now: int) -> float:
        """What it loses from now to its stop, account currency; infinite while nobody knows."""
        quote, traded = self._quotes.at(*stake.feed, now), instrument(stake.feed[1], now)
        value = self._value(*stake.feed, traded, stake.volume, quote, now)
        return stake.loss(quote.mid, value) if quote and value is not None else math.inf

    def _retail_margin(self, rules: FirmRules, stakes: Iterable[Stake], now: int) -> float:
        """Initial margin of what is open, on its way and asked for; infinite without a rate."""
        if not rules.retail:
            return 0.0
        total = 0.0
        for stake in stakes:
            quote, traded = self._quotes.at(*stake.feed, now), instrument(stake.feed[1], now)
            value = self._value(*stake.feed, traded, stake.volume, quote, now)
            if value is None or traded is None:
                return math.inf
            total += value * initial_margin_share(traded, rules.retail_margins)
        return total

    def _net(self, feed: tuple[str, str], side: str) -> float:
        """Held, and what waits on a side: what waits on the other may never fill."""
        book = self._ledger.book
        held = sum(p.volume for p in book.positions.values() if p.key[1:] == feed)
        waits = [e for e in book.waiting(*feed) if e.side == side]
        return round(held + sum(map(_signed, waits)), 8)

    def _may_lack(self, waits: OrderEvent, order: OrderEvent) -> bool:
        """Whether one that waits would take from an order's risk, which it may never do."""
        same_feed = (waits.source, waits.symbol) == (order.source, order.symbol)
        return (
            waits.order_id in self._ledger.book.working and same_feed and waits.side != order.side
        )

    def _gross(self, context: RiskContext, strategy: str = "") -> float | None:
        """Of all positions, or a strategy's, and of entries whose outcome is not known yet."""
        book, now = self._ledger.book, context.now_us
        open_ = [
            (p.key.source, p.key.symbol, p.volume)
            for p in book.positions.values()
            if strategy in ("", p.key.strategy)
        ]
        open_ += [
            (e.source, e.symbol, e.volume)
            for e in book.unsettled.values()
            if e.purpose == "entry" and strategy in ("", e.strategy)
        ]
        total = 0.0
        for source, symbol, volume in open_:
            quote = self._quotes.at(source, symbol, now)
            value = self._value(source, symbol, instrument(symbol, now), volume, quote, now)
            if value is None:
                return None
            total += value
        return total

    def _order_value(self, context: RiskContext) -> float | None:
        signal, volume = context.signal, context.volume
        return self._value(
            signal.source, signal.symbol, context.instrument, volume, context.quote, context.now_us
        )

    def _value(
        self, source: str, symbol: str, traded: Instrument | None, volume: float,
        quote: Quote | None, now: int,
    ) -> float | None:  # fmt: skip
        """By our own quotes; where those hold no rate, by what the terminal said of a lot."""
        if traded is None or quote is None:
            return None
        value = notional(volume, traded.contract_size, quote.mid, self.rate(source, traded, now))
        if value is not None:
            return value
        specification = self._venue.specification(source, symbol)
        per_lot = specification.lot_value if specification else 0.0
        return abs(volume) * quote.mid * per_lot if per_lot > 0 else None

    def rate(self, source: str, traded: Instrument, now_us: int) -> float | None:
        """Account currency for one unit of an instrument's quote currency."""
        currency = self._funds.account().currency
        return rate(self._quotes, source, traded.quote, currency, now_us)


def _at_price(signal: OrderSignal, quote: Quote | None) -> Quote | None:
    """The market's quote moved to where an order that waits would fill."""
    if quote is None:
        return None
    away = signal.entry_price - quote.side("buy" if signal.target > 0 else "sell")
    return quote._replace(bid=quote.bid + away, ask=quote.ask + away)


def _on_its_way(order: OrderEvent) -> portfolio_risk.Held:
    return portfolio_risk.Held((order.source, order.symbol), _signed(order))


def _signed(order: OrderEvent) -> float:
    return order.volume if order.side == "buy" else -order.volume


def _in_money(limits: Limits) -> bool:
    """Whether any limit needs to know what lots are worth."""
    return not (
        limits.max_order_value == limits.max_order_equity == math.inf
        and limits.max_gross_exposure == limits.max_gross_equity == math.inf
        and limits.max_position_equity == math.inf
    )
