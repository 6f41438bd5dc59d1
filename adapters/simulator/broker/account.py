"""The simulated account, whose whole state follows from accepted requests.

`base` is the state after the last accepted request, `view` the same moved on to a caller's
market time: swaps charged, stops filled, in time order. A caller that comes back with an
earlier time (a restarted client) gets a new view from `base`, so an answer depends on the
requests and the caller's time, never on who asked what before.

A hedging account keeps positions apart; a netting one has one per symbol, which opposite deals
reduce, close or reverse.
"""

from collections.abc import Mapping
from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult, TradeRequest
from adapters.mt5.real.symbols import Feed, terminal_names
from adapters.simulator.broker import operations
from adapters.simulator.broker.answers import AcceptedFill, Answers
from adapters.simulator.broker.books import AccountBooks
from adapters.simulator.broker.costs import Draw, Frictions, draw, draw_until_0_2
from adapters.simulator.broker.entries import Entries
from adapters.simulator.broker.market_orders import MarketOrders
from adapters.simulator.broker.matching import Refused
from adapters.simulator.broker.passing_time import PassingTime
from adapters.simulator.broker.pricing import Pricing
from adapters.simulator.broker.totals import Totals, totals
from adapters.simulator.broker.waiting_orders import WaitingOrders
from adapters.simulator.markets.tape import TapedMarket


class SimulatedAccount:
    """Decides requests. `decide` changes nothing; `accept` makes its outcome the new base."""

    def __init__(
        self, market: TapedMarket, balance: float, currency: str, seed: int, frictions: Frictions,
        *, netting: bool = False, opened_msc: int = 0,
    ) -> None:  # fmt: skip
        self.feeds: dict[str, Feed] = terminal_names(market.feeds())
        self.pricing, self.netting = Pricing(market, currency), netting
        self._seed, self._frictions = seed, frictions
        self._draw = draw
        self._answers = Answers()
        entries = Entries(self.pricing, netting=netting)
        self._at_market = MarketOrders(market, self.pricing, entries, self._answers, self._friction)
        self._waiting = WaitingOrders(market, self.pricing, self._answers, self._friction)
        self._time = PassingTime(market, self.pricing, entries)
        self._base = AccountBooks(balance, opened_msc)
        self._view = self._base.copy()

    def state(self, at_msc: int) -> AccountBooks:
        """The state at a market time (milliseconds), not before the last accepted request."""
        at_msc = max(at_msc, self._base.at_msc)
        if at_msc < self._view.at_msc:
            self._view = self._base.copy()
        self._time.advance(self._view, at_msc)
        return self._view

    def decide(self, request: Mapping[str, Any], at_msc: int) -> AcceptedFill | OrderSendResult:
        """What the broker would do with a request, or what it does by itself, at a market time."""
        at_msc = max(at_msc, self._base.at_msc)
        form = trade_request(request)
        try:
            state = self.state(at_msc).copy()
            if form.action == operations.MONEY:
                state.operate(form, at_msc)
                return self._answers.booked(form, state, at_msc, at_msc)
            if form.action == mt5.TRADE_ACTION_REMOVE:
                return self._waiting.remove(form, state, at_msc)
            if form.action == mt5.TRADE_ACTION_MODIFY:
                return self._waiting.change(form, state, at_msc)
            feed = self.feeds.get(form.symbol)
            if feed is None:
                raise Refused(mt5.TRADE_RETCODE_INVALID, f"Unknown symbol {form.symbol}")
            if form.action == mt5.TRADE_ACTION_SLTP:
                return self._at_market.modify(form, state, at_msc)
            if form.action in (mt5.TRADE_ACTION_PENDING, operations.IN_PARTS):
                return self._waiting.place(form, state, at_msc, feed)
            if form.action in operations.REASONS:
                return self._at_market.deal(form, state, at_msc, feed)
            raise Refused(mt5.TRADE_RETCODE_INVALID, f"Action {form.action} is not simulated")
        except Refused as refusal:
            return self._answers.result(form, refusal.retcode, comment=refusal.comment)

    def decide_as_before(
        self, request: Mapping[str, Any], at_msc: int
    ) -> AcceptedFill | OrderSendResult:
        """What the broker of 0.1 and 0.2 did with a request."""
        self._draw = draw_until_0_2
        try:
            return self.decide(request, at_msc)
        finally:
            self._draw = draw

    def accept(self, fill: AcceptedFill) -> None:
        """Make a decided request part of the account."""
        self._base = fill.state
        self._view = self._base.copy()
        self._answers.accepted += 1

    def totals(self, state: AccountBooks, at_msc: int) -> Totals:
        """Balance, floating profit and margin at a market time."""
        return totals(self.pricing, state, at_msc)

    def _friction(self, form: TradeRequest, source: str, at_msc: int) -> Draw:
        return self._draw(self._frictions, form, source, at_msc, self._seed)


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
