"""Working orders of the simulated broker: limits and stops that wait for their price.

One sent at market time T works from T plus latency on, and no earlier quote can fill it. A limit
fills at its price when the side of the quote it trades on touches it, never better: like a
take-profit, so a gap does not help. A stop fills at the quote that crosses it, so a gap hurts.
It fills whole, unless a script says in parts: the rest then waits for its price again (IOC: it is
cancelled). One that the account cannot pay for when its price comes is removed.
"""

import msgspec

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeOrder, TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker import operations
from adapters.simulator.broker.costs import next_rollover
from adapters.simulator.broker.matching import COMMENT_MAX, Refused, check_stops
from adapters.simulator.markets.tape import Quote, Tape

FIRST_TICKET = 1_000_000_001  # market orders count up from 1 and never get so far
_LIMITS = (mt5.ORDER_TYPE_BUY_LIMIT, mt5.ORDER_TYPE_SELL_LIMIT)
_STOPS = (mt5.ORDER_TYPE_BUY_STOP, mt5.ORDER_TYPE_SELL_STOP)
_BUYS = (mt5.ORDER_TYPE_BUY_LIMIT, mt5.ORDER_TYPE_BUY_STOP)
_FILLINGS = (mt5.ORDER_FILLING_FOK, mt5.ORDER_FILLING_IOC, mt5.ORDER_FILLING_RETURN)


class PendingOrder(msgspec.Struct, frozen=True):
    """One that waits."""

    ticket: int
    feed: Feed
    form: TradeRequest
    placed_msc: int  # when it was sent
    expires_msc: int  # 0: never
    seen_msc: int  # quotes up to here did not fill it, or were before it worked
    filled: float = 0.0  # lots
    position: int = 0  # identifier of the position that its first part opened

    @property
    def left(self) -> float:
        """Lots that still wait."""
        return round(self.form.volume - self.filled, 8)

    @property
    def next_part(self) -> float:
        """Lots that its price brings."""
        in_parts = self.form.action == operations.IN_PARTS and not self.filled
        whole = not in_parts or self.form.type_filling == mt5.ORDER_FILLING_FOK
        return self.left if whole else min(self.form.stoplimit, self.left)


class Moment(msgspec.Struct, frozen=True):
    """When one is filled, or expires (`quote` is None)."""

    time_msc: int
    quote: Quote | None = None


def check_form(form: TradeRequest) -> None:
    """Refuse what this broker does not take (10013, 10015, 10030)."""
    if form.type not in (*_LIMITS, *_STOPS):
        raise Refused(mt5.TRADE_RETCODE_INVALID, "Only limit and stop orders wait here")
    if form.type_filling not in _FILLINGS:
        raise Refused(mt5.TRADE_RETCODE_INVALID_FILL, "Unsupported filling mode")
    if len(form.comment) > COMMENT_MAX:
        raise Refused(mt5.TRADE_RETCODE_INVALID, f"Comment over {COMMENT_MAX} characters")
    if not 0 < form.price < float("inf"):  # also what is not a number
        raise Refused(mt5.TRADE_RETCODE_INVALID_PRICE, "Invalid price")


def check_price(form: TradeRequest, quote: Quote) -> None:
    """Refuse a price that the market has reached already (10015), and wrong exits (10016)."""
    market = quote.buy if buys(form) else quote.sell
    above = form.price > market
    if form.price == market or above != (buys(form) == (form.type in _STOPS)):
        raise Refused(mt5.TRADE_RETCODE_INVALID_PRICE, f"Invalid price: market is {market:.8g}")
    check_stops(buys(form), form.sl, form.tp, Quote(quote.time_msc, form.price, form.price))


def expiry_msc(form: TradeRequest, works_msc: int) -> int:
    """When it ends by itself, or 0; a day's order with the broker's day, at rollover.

    Raises:
        Refused: it ends before it works, or in a way that is not simulated (10022).
    """
    if form.type_time == mt5.ORDER_TIME_GTC:
        return 0
    if form.type_time == mt5.ORDER_TIME_DAY:
        return next_rollover(works_msc)
    if form.type_time == mt5.ORDER_TIME_SPECIFIED and form.expiration * 1000 > works_msc:
        return form.expiration * 1000
    raise Refused(mt5.TRADE_RETCODE_INVALID_EXPIRATION, "Invalid expiration")


def changed(order: PendingOrder, form: TradeRequest, works_msc: int) -> PendingOrder:
    """An order under the terms of a request to modify it: price, stops and end, nothing else.

    Raises:
        Refused: as `expiry_msc`.
    """
    terms = order.form._replace(
        price=form.price, sl=form.sl, tp=form.tp, type_time=form.type_time,
        expiration=form.expiration,
    )  # fmt: skip
    same = terms == order.form
    expires = order.expires_msc if same else expiry_msc(terms, works_msc)
    return msgspec.structs.replace(order, form=terms, expires_msc=expires)


def buys(form: TradeRequest) -> bool:
    """Whether it buys."""
    return form.type in _BUYS


def moment(order: PendingOrder, tape: Tape, until_msc: int) -> Moment | None:
    """The first thing that happens to an order in (seen, until]; None when nothing does."""
    ends = 0 < order.expires_msc <= until_msc
    last = order.expires_msc - 1 if ends else until_msc
    limit = order.form.price if order.form.type in _LIMITS else 0.0
    stop = order.form.price if order.form.type in _STOPS else 0.0
    # A buyer trades on the price at which a short position closes, a seller on a long one's.
    quote = tape.first_crossing(order.seen_msc, last, long=not buys(order.form), sl=stop, tp=limit)
    if quote is not None:
        return Moment(quote.time_msc, quote)
    return Moment(order.expires_msc) if ends else None


def fill_price(order: PendingOrder, quote: Quote) -> float:
    """At what price a quote fills it."""
    if order.form.type in _LIMITS:
        return order.form.price
    return round(quote.buy if buys(order.form) else quote.sell, 8)


def as_deal(order: PendingOrder) -> TradeRequest:
    """The deal that fills it."""
    side = mt5.ORDER_TYPE_BUY if buys(order.form) else mt5.ORDER_TYPE_SELL
    return order.form._replace(
        action=mt5.TRADE_ACTION_DEAL, type=side, order=0, position=0, volume=order.next_part,
        stoplimit=0.0, deviation=0,
    )  # fmt: skip


def shown(order: PendingOrder, state: int, done_msc: int = 0, comment: str = "") -> TradeOrder:
    """As the terminal shows it: an ORDER_STATE_*, and for one that is over when it was."""
    form, setup = order.form, order.placed_msc
    return TradeOrder(
        ticket=order.ticket, time_setup=setup // 1000, time_setup_msc=setup,
        time_done=done_msc // 1000, time_done_msc=done_msc,
        time_expiration=order.expires_msc // 1000, type=form.type, type_time=form.type_time,
        type_filling=form.type_filling, state=state, magic=form.magic, position_id=0,
        position_by_id=0, reason=mt5.ORDER_REASON_EXPERT, volume_initial=form.volume,
        volume_current=order.left, price_open=form.price, sl=form.sl, tp=form.tp,
        price_current=form.price, price_stoplimit=0.0, symbol=form.symbol,
        comment=comment or form.comment, external_id="",
    )  # fmt: skip
