"""MetaTrader 5's answer to a request, beside what the account is after it."""

from typing import NamedTuple

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult, TradeRequest
from adapters.simulator.broker.books import AccountBooks
from adapters.simulator.markets.tape import Quote


class AcceptedFill(NamedTuple):
    """A request that was accepted."""

    result: OrderSendResult
    time_msc: int
    state: AccountBooks


class Answers:
    """Answers are numbered: by how many requests were accepted before."""

    def __init__(self) -> None:
        self.accepted = 0

    def filled(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, quote: Quote, price: float
    ) -> AcceptedFill:
        """An accepted request that was filled at a price, on a quote."""
        fill = self.booked(form, state, at_msc, quote.time_msc)
        result = fill.result._replace(
            order=state.deals[-1].order, volume=form.volume, price=price, bid=quote.bid,
            ask=quote.ask,
        )  # fmt: skip
        return fill._replace(result=result)

    def booked(
        self, form: TradeRequest, state: AccountBooks, at_msc: int, time_msc: int
    ) -> AcceptedFill:
        """An accepted request whose deal is in the books."""
        state.at_msc = max(state.at_msc, at_msc)
        done = self.result(form, mt5.TRADE_RETCODE_DONE, comment="Request executed")
        return AcceptedFill(done._replace(deal=state.deals[-1].ticket), time_msc, state)

    def answered(
        self, form: TradeRequest, ticket: int, state: AccountBooks, at_msc: int, time_msc: int
    ) -> AcceptedFill:
        """An accepted request that makes no deal."""
        state.at_msc = max(state.at_msc, at_msc)
        done = self.result(form, mt5.TRADE_RETCODE_DONE, comment="Request executed")
        return AcceptedFill(done._replace(order=ticket, volume=form.volume), time_msc, state)

    def result(self, form: TradeRequest, retcode: int, comment: str) -> OrderSendResult:
        """An answer without a fill: a refusal, or what the others begin with."""
        return OrderSendResult(
            retcode=retcode, deal=0, order=0, volume=0.0, price=0.0, bid=0.0, ask=0.0,
            comment=comment, request_id=self.accepted + 1, retcode_external=0, request=form,
        )  # fmt: skip
