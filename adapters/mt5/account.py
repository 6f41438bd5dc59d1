"""The simulated account: a hedging account whose whole state follows from accepted requests.

`base` is the state after the last accepted request, `view` the same moved on to a caller's
market time: swaps charged, stops filled, in time order. A caller that comes back with an
earlier time (a restarted client) gets a new view from `base`, so an answer depends on the
requests and the caller's time, never on who asked what before.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from adapters.mt5 import constants as mt5
from adapters.mt5 import matching
from adapters.mt5.conversion import MAX_AGE_MSC, Rates
from adapters.mt5.costs import Draw, Frictions, draw, money, nights, quote_profit
from adapters.mt5.ledger import Ledger
from adapters.mt5.matching import Exit, Position, Refused
from adapters.mt5.results import OrderSendResult, TradeRequest
from adapters.mt5.symbols import Feed, terminal_names
from adapters.mt5.tape import Quote, TapedMarket
from core.instruments import Instrument, instrument

_NO_TIME_MSC = 4_102_444_800_000  # 2100-01-01


class Totals(NamedTuple):
    """Money of the account at one moment, account currency."""

    balance: float
    profit: float  # floating, with swaps
    margin: float

    @property
    def equity(self) -> float:
        """Balance with the floating profit."""
        return money(self.balance + self.profit)


class Fill(NamedTuple):
    """A request that was accepted."""

    result: OrderSendResult
    time_msc: int
    state: Ledger


class Account:
    """Decides requests. `decide` changes nothing; `accept` makes its outcome the new base."""

    def __init__(
        self, market: TapedMarket, balance: float, currency: str, seed: int, frictions: Frictions
    ) -> None:
        self.feeds: dict[str, Feed] = terminal_names(market.feeds())
        self._market, self._seed, self._frictions = market, seed, frictions
        self._rates = Rates(market, currency)
        self._base = Ledger(balance)
        self._view = self._base.copy()
        self.accepted = 0

    def state(self, at_msc: int) -> Ledger:
        """The state at a market time (milliseconds), not before the last accepted request."""
        at_msc = max(at_msc, self._base.at_msc)
        if at_msc < self._view.at_msc:
            self._view = self._base.copy()
        self._advance(self._view, at_msc)
        return self._view

    def decide(self, request: Mapping[str, Any], at_msc: int) -> Fill | OrderSendResult:
        """What the broker would do with a request sent at a market time."""
        at_msc = max(at_msc, self._base.at_msc)
        form = trade_request(request)
        try:
            feed = self.feeds.get(form.symbol)
            if feed is None:
                raise Refused(mt5.TRADE_RETCODE_INVALID, f"Unknown symbol {form.symbol}")
            state = self.state(at_msc).copy()
            if form.action == mt5.TRADE_ACTION_SLTP:
                return self._modify(form, state, at_msc)
            if form.action == mt5.TRADE_ACTION_DEAL:
                return self._deal(form, state, at_msc, feed)
            raise Refused(mt5.TRADE_RETCODE_INVALID, f"Action {form.action} is not simulated")
        except Refused as refusal:
            return self._result(form, refusal.retcode, comment=refusal.comment)

    def accept(self, fill: Fill) -> None:
        """Make a decided request part of the account."""
        self._base = fill.state
        self._view = self._base.copy()
        self.accepted += 1

    def instrument(self, feed: Feed, at_msc: int) -> Instrument | None:
        """Reference data of a feed's symbol at a time; the newest for a caller without a time."""
        return instrument(feed[1], (at_msc or _NO_TIME_MSC) * 1000)

    def totals(self, state: Ledger, at_msc: int) -> Totals:
        """Balance, floating profit and margin at a market time."""
        held = state.positions.values()
        profit = sum(self.floating(position, at_msc)[1] + position.swap for position in held)
        return Totals(state.balance, money(profit), money(sum(p.margin for p in held)))

    def floating(self, position: Position, at_msc: int) -> tuple[float, float]:
        """Price at which a position would close now, and its profit without swap."""
        at_msc = max(at_msc, position.time_msc)
        quote = self._market.tape(*position.feed).last_until(at_msc)
        if quote is None:
            return position.price, 0.0
        price = quote.sell if position.long else quote.buy
        return price, self._profit(position, position.volume, price, at_msc)

    def margin(self, feed: Feed, volume: float, price: float, at_msc: int) -> float:
        """Margin of an order in account currency: a share of its notional.

        Raises:
            Refused: no reference data (10017) or no conversion rate (10021).
        """
        known = self._known(feed, at_msc)
        notional = volume * known.contract_size * price
        rate = self._rates.rate(known.quote, feed[0], at_msc)
        if rate is None:
            raise Refused(
                mt5.TRADE_RETCODE_PRICE_OFF,
                f"No {known.quote} rate within {MAX_AGE_MSC // 60_000} min",
            )
        return money(notional * known.margin_rate * rate)

    def _deal(self, form: TradeRequest, state: Ledger, at_msc: int, feed: Feed) -> Fill:
        matching.check_form(form)
        known = self._known(feed, at_msc)
        friction = draw(self._frictions, form, at_msc, self._seed)
        if form.position:
            return self._close(form, state, at_msc, known, friction)
        return self._open(form, state, at_msc, known, friction, feed)

    def _open(
        self, form: TradeRequest, state: Ledger, at_msc: int, known: Instrument, friction: Draw,
        feed: Feed,
    ) -> Fill:  # fmt: skip
        matching.check_volume(form, known, None)
        quote = matching.arrival(self._market.tape(*feed), at_msc, friction.latency_ms)
        buy = form.type == mt5.ORDER_TYPE_BUY
        price = matching.fill_price(quote, buy, friction)
        matching.check_deviation(form, price, known.point)
        matching.check_stops(buy, form.sl, form.tp, quote)
        margin = self.margin(feed, form.volume, price, quote.time_msc)
        commission = money(known.commission * form.volume)
        totals = self.totals(state, quote.time_msc)
        free = totals.equity - totals.margin
        if margin + commission > free:
            text = f"No money: needs {margin + commission:.2f}, free {free:.2f}"
            raise Refused(mt5.TRADE_RETCODE_NO_MONEY, text[: matching.COMMENT_MAX * 2])
        state.open(form, feed, price, quote.time_msc, at_msc, margin, -commission)
        return self._filled(form, state, at_msc, quote, price)

    def _close(
        self, form: TradeRequest, state: Ledger, at_msc: int, known: Instrument, friction: Draw
    ) -> Fill:
        position = state.positions.get(form.position)
        if position is None or position.symbol != form.symbol:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, f"No position {form.position}")
        if (form.type == mt5.ORDER_TYPE_BUY) == position.long:
            raise Refused(mt5.TRADE_RETCODE_INVALID, "A position closes by the opposite type")
        matching.check_volume(form, known, position.volume)
        sent = max(at_msc, position.time_msc - friction.latency_ms)  # never before it opened
        tape = self._market.tape(*position.feed)
        quote = matching.arrival(tape, sent, friction.latency_ms)
        position, stopped = self._settle(position, quote.time_msc)
        if stopped:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, "Position closed by its stop")
        price = matching.fill_price(quote, not position.long, friction)
        matching.check_deviation(form, price, known.point)
        profit = self._profit(position, form.volume, price, quote.time_msc)
        commission = -money(known.commission * form.volume)
        state.close(position, form, price, quote.time_msc, at_msc, profit, commission)
        return self._filled(form, state, at_msc, quote, price)

    def _modify(self, form: TradeRequest, state: Ledger, at_msc: int) -> Fill:
        position = state.positions.get(form.position)
        if position is None:
            raise Refused(mt5.TRADE_RETCODE_POSITION_CLOSED, f"No position {form.position}")
        at_msc = max(at_msc, position.time_msc)
        quote = self._market.tape(*position.feed).last_until(at_msc)
        if quote is not None:
            matching.check_stops(position.long, form.sl, form.tp, quote)
        changed = replace(position, sl=form.sl, tp=form.tp, updated_msc=at_msc)
        state.positions[position.ticket] = changed
        return Fill(self._result(form, mt5.TRADE_RETCODE_DONE, comment="Done"), at_msc, state)

    def _advance(self, state: Ledger, until_msc: int) -> None:
        exits: list[tuple[int, int, Position, Exit]] = []
        for ticket, position in state.positions.items():
            settled, reached = self._settle(position, until_msc)
            state.positions[ticket] = settled
            if reached:
                exits.append((reached.quote.time_msc, ticket, settled, reached))
        for time_msc, _, position, reached in sorted(exits, key=lambda item: item[:2]):
            known = self._known(position.feed, time_msc)
            profit = self._profit(position, position.volume, reached.price, time_msc)
            commission = -money(known.commission * position.volume)
            state.stop(position, reached, known.digits, profit, commission)
        state.at_msc = max(state.at_msc, until_msc)

    def _settle(self, position: Position, until_msc: int) -> tuple[Position, Exit | None]:
        """Charge swaps up to a time or to the stop that was reached before it."""
        if until_msc <= position.seen_msc:
            return position, None
        reached = matching.find_exit(position, self._market.tape(*position.feed), until_msc)
        until_msc = reached.quote.time_msc if reached else until_msc
        swap = position.swap
        for time_msc, count in nights(position.seen_msc, until_msc):
            swap = money(swap + self._swap(position, time_msc) * count)
        return replace(position, swap=swap, seen_msc=until_msc), reached

    def _swap(self, position: Position, at_msc: int) -> float:
        known = self._known(position.feed, at_msc)
        points = known.swap_long if position.long else known.swap_short
        amount = points * known.point * known.contract_size * position.volume
        return money(amount * self._rate(known.quote, position.feed[0], at_msc))

    def _profit(self, position: Position, volume: float, price: float, at_msc: int) -> float:
        known = self._known(position.feed, at_msc)
        amount = quote_profit(position.long, volume, known.contract_size, position.price, price)
        return money(amount * self._rate(known.quote, position.feed[0], at_msc))

    def _rate(self, quote: str, source: str, at_msc: int) -> float:
        # What is already open must be valued: the newest rate, however old. One existed at entry.
        return self._rates.rate(quote, source, at_msc, max_age_msc=None) or 0.0

    def _known(self, feed: Feed, at_msc: int) -> Instrument:
        known = self.instrument(feed, at_msc)
        if known is None:
            raise Refused(
                mt5.TRADE_RETCODE_TRADE_DISABLED,
                f"No reference data of {feed[1]}: add it to instruments.toml",
            )
        return known

    def _filled(
        self, form: TradeRequest, state: Ledger, at_msc: int, quote: Quote, price: float
    ) -> Fill:
        state.at_msc = max(state.at_msc, at_msc)
        done = self._result(form, mt5.TRADE_RETCODE_DONE, comment="Request executed")
        result = done._replace(
            deal=state.deals[-1].ticket, order=state.orders[-1].ticket, volume=form.volume,
            price=price, bid=quote.bid, ask=quote.ask,
        )  # fmt: skip
        return Fill(result, quote.time_msc, state)

    def _result(self, form: TradeRequest, retcode: int, comment: str) -> OrderSendResult:
        return OrderSendResult(
            retcode, 0, 0, 0.0, 0.0, 0.0, 0.0, comment, self.accepted + 1, 0, form
        )


def trade_request(request: Mapping[str, Any]) -> TradeRequest:
    """A request's fields with the package's types; unknown names are ignored, as it does."""
    empty = TradeRequest()
    return TradeRequest(
        **{
            name: type(getattr(empty, name))(request[name])
            for name in empty._fields
            if name in request
        }
    )
