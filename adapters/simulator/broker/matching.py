"""Matching: what a request meets in the market. Pure functions of request, quotes and time.

A request sent at market time T arrives at T plus latency and takes the first quote from then on;
where the market is only quiet, the quote that still stands when none has come. Stops and
take-profits are looked for on every quote: a stop fills at the quote that crossed it, so a gap
hurts; a take-profit fills at its level, so a gap does not help.
"""

import msgspec

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker.costs import Draw
from adapters.simulator.markets.tape import Quote, Tape
from core.instruments import Instrument, is_open

QUIET_MSC = 10_000  # a request waits so long for a quote; then the standing one fills it
COMMENT_MAX = 31  # characters MetaTrader 5 keeps of a comment


class Refused(Exception):  # noqa: N818 - the broker's answer, not an error of ours
    """The broker refuses a request: a TRADE_RETCODE_* and a text."""

    def __init__(self, retcode: int, comment: str) -> None:
        self.retcode, self.comment = retcode, comment
        super().__init__(comment)


class AccountPosition(msgspec.Struct, frozen=True):
    """One open position."""

    ticket: int
    feed: Feed
    symbol: str  # the terminal's name
    long: bool
    volume: float
    price: float
    time_msc: int
    updated_msc: int
    seen_msc: int  # stops and swaps are settled up to here
    sl: float
    tp: float
    swap: float
    margin: float
    magic: int
    comment: str
    identifier: int  # stays when a netting position is reversed and takes another ticket


class ReachedExit(msgspec.Struct, frozen=True):
    """A stop or take-profit that the market reached."""

    quote: Quote
    price: float
    reason: int  # DEAL_REASON_SL or DEAL_REASON_TP


def arrival(tape: Tape, at_msc: int, latency_ms: int, known: Instrument) -> Quote:
    """The quote a request meets.

    The first one from its arrival on. When none comes for ten seconds within the instrument's
    hours, the last one before fills it then: by that time a broker knows that none came.

    Raises:
        Refused: no quote came, and the instrument does not trade at that hour, never had a quote,
            or the recording is over (10018).
    """
    arrives = at_msc + latency_ms
    waited = arrives + QUIET_MSC
    quote = tape.first_from(arrives, waited)
    if quote is not None:
        return quote
    quiet = is_open(known.session, waited * 1000) and not tape.ended(waited)
    standing = tape.last_until(waited) if quiet else None
    if standing is None:
        raise Refused(mt5.TRADE_RETCODE_MARKET_CLOSED, "Market closed")
    return standing._replace(time_msc=waited)


def fill_price(quote: Quote, buy: bool, friction: Draw) -> float:
    """The price of a market order: the quote's, made worse by slippage, on the 1e-8 grid."""
    slip = abs(quote.ask - quote.bid) * friction.slip_spreads
    return round(quote.buy + slip if buy else quote.sell - slip, 8)


def check_deviation(request: TradeRequest, price: float, point: float) -> None:
    """Refuse (10004) a fill worse than the asked price by more than `deviation` points."""
    worse = price - request.price if request.type == mt5.ORDER_TYPE_BUY else request.price - price
    if request.price and worse > (request.deviation + 1e-6) * point:
        raise Refused(
            mt5.TRADE_RETCODE_REQUOTE,
            f"Requote: {price:.8g}, beyond {request.deviation} points",
        )


def check_volume(request: TradeRequest, instrument: Instrument, held: float | None) -> None:
    """Refuse a volume off the step or limits (10014), or more than is held (10038)."""
    steps = request.volume / instrument.volume_step
    if not (
        instrument.volume_min - 1e-9 <= request.volume <= instrument.volume_max + 1e-9
        and abs(steps - round(steps)) < 1e-6
    ):
        raise Refused(mt5.TRADE_RETCODE_INVALID_VOLUME, "Invalid volume")
    if held is not None and request.volume > held + 1e-9:
        raise Refused(mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME, f"Only {held:g} lots are open")


def check_stops(long: bool, sl: float, tp: float, quote: Quote) -> None:
    """Refuse (10016) stops on the wrong side of the quote that would close the position."""
    price, sign = (quote.sell, 1) if long else (quote.buy, -1)
    if (sl and sign * (price - sl) <= 0) or (tp and sign * (tp - price) <= 0):
        raise Refused(mt5.TRADE_RETCODE_INVALID_STOPS, f"Invalid stops: price is {price:.8g}")


def check_form(request: TradeRequest) -> None:
    """Refuse what this terminal, or any, cannot carry out (10013, 10030)."""
    if request.type not in (mt5.ORDER_TYPE_BUY, mt5.ORDER_TYPE_SELL):
        raise Refused(mt5.TRADE_RETCODE_INVALID, "Only market orders are simulated")
    if request.type_filling not in (mt5.ORDER_FILLING_FOK, mt5.ORDER_FILLING_IOC):
        raise Refused(mt5.TRADE_RETCODE_INVALID_FILL, "Unsupported filling mode: use FOK or IOC")
    if len(request.comment) > COMMENT_MAX:
        raise Refused(mt5.TRADE_RETCODE_INVALID, f"Comment over {COMMENT_MAX} characters")


def find_exit(position: AccountPosition, tape: Tape, until_msc: int) -> ReachedExit | None:
    """The first stop or take-profit reached in (seen, until]. A stop wins over a take-profit."""
    quote = tape.first_crossing(
        position.seen_msc, until_msc, long=position.long, sl=position.sl, tp=position.tp
    )
    if quote is None:
        return None
    price = quote.sell if position.long else quote.buy
    stopped = position.sl and (price <= position.sl if position.long else price >= position.sl)
    if stopped:
        return ReachedExit(quote, price, mt5.DEAL_REASON_SL)
    return ReachedExit(quote, position.tp, mt5.DEAL_REASON_TP)
