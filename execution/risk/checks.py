"""Pre-trade checks of orders that add risk: pure, plain Python, all in a few microseconds.

Each returns the rule that denies with its limit and what it saw, or None. Orders that reduce
risk (closings by horizon, opposite signal, or a person) never come here. Together they are the
controls of article 15 of Delegated Regulation (EU) 2017/589 (RTS 6) and of 17 CFR 240.15c3-5.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from adapters.mt5.venue.venue import Specification
from core.contracts.order import DenialReason
from core.contracts.signal import Signal
from core.instruments import Instrument, is_open
from execution.order_path.quotes import Quote
from execution.risk.limits import Limits
from execution.risk.news import Window


class Denial(NamedTuple):
    """Why an order is refused."""

    reason: DenialReason
    limit: float
    observed: float


class RiskContext(msgspec.Struct, frozen=True, gc=False):
    """What one signal is decided by: sizing, checks and events all read the same values.

    Volumes in lots, prices in quote currency. What follows `size_factor` belongs to the order at
    hand; until it is filled in, the context counts as halted, so that no check passes by omission.
    """

    signal: Signal
    now_us: int
    quote: Quote | None
    specification: Specification | None
    instrument: Instrument | None
    limits: Limits
    limits_version: str  # of exactly these limits, overrides included
    collar: float  # how far from its price an order may fill: the account's, whatever the symbol
    size_factor: float = 1.0  # entries are made smaller by the ladder of drawdown
    state: str = "halted"  # active, reducing, halted
    blocked: bool = True  # an earlier order of this feed is unsettled
    side: str = ""
    volume: float = 0.0
    entries: int = 0  # of this feed in the last minute
    net: float = 0.0  # signed lots held and on their way in the feed, all strategies
    value: float | None = 0.0  # of this order in account currency; None: no conversion rate
    gross: float | None = 0.0  # of all positions, without this order
    messages: int = 0  # orders of the account in the last second
    repeats: int = 0  # entries of this strategy in this feed within the window
    equity: float = 0.0  # of the account
    throttled: bool = False  # closed before, and nobody has released it
    news: tuple[Window, ...] = ()  # of rules about news that hold now, the strictest first
    news_unknown: bool = False  # such rules hold, and the calendar says nothing of now
    client: Denial | None = None  # by the file of the client that the account trades for


Check = Callable[[RiskContext], Denial | None]


def check_entry(context: RiskContext) -> Denial | None:
    """The first check that denies an entry, or None."""
    for check in ENTRY:
        denial = check(context)
        if denial is not None:
            return denial
    return None


def check_held(context: RiskContext) -> Denial | None:
    """Checks of a signal that asks for what is held, and so only prolongs it."""
    return halted(context) or reducing(context) or client_file(context) or stale_signal(context)


def check_margin(needed: float | None, free: float) -> Denial | None:
    """Margin the order takes (None: no conversion rate) against what is free."""
    if needed is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    return Denial(DenialReason.NO_MARGIN, free, needed) if needed > free else None


def check_losses(
    daily: float, drawdown: float, limits: Limits, opening: float = 0.0
) -> Denial | None:
    """Loss of the trading day and fall from the highest equity, account currency.

    `opening`: equity when the day began; 0 while nobody knows, and then no share of it holds.
    """
    scaled = limits.max_daily_loss_share * opening if opening > 0 else math.inf
    most = min(limits.max_daily_loss, scaled)
    if daily > most:
        return Denial(DenialReason.DAILY_LOSS, most, daily)
    if drawdown > limits.max_drawdown:
        return Denial(DenialReason.DRAWDOWN, limits.max_drawdown, drawdown)
    return None


def halted(context: RiskContext) -> Denial | None:
    """Trading is halted, or this feed is until an unsettled order is found (observed 1)."""
    if context.state == "halted" or context.blocked:
        return Denial(DenialReason.HALTED, 0.0, float(context.blocked))
    return None


def reducing(context: RiskContext) -> Denial | None:
    """Only orders that reduce risk pass."""
    return (
        Denial(DenialReason.REDUCING, 0.0, context.volume) if context.state == "reducing" else None
    )


def unknown_symbol(context: RiskContext) -> Denial | None:
    """No reference data, or the venue does not trade it."""
    if context.instrument is None or context.specification is None:
        return Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
    return None


def restricted(context: RiskContext) -> Denial | None:
    """The limits file closes this symbol to new positions."""
    return (
        Denial(DenialReason.RESTRICTED, 0.0, context.volume) if context.limits.restricted else None
    )


def client_file(context: RiskContext) -> Denial | None:
    """The file of the account's client is not in order; see `execution.risk.client_file`."""
    return context.client


def stale_signal(context: RiskContext) -> Denial | None:
    """Past its expiry; limit and observed are seconds after the signal's market time."""
    signal = context.signal
    if context.now_us <= signal.expires_us:
        return None
    return Denial(
        DenialReason.STALE_SIGNAL,
        (signal.expires_us - signal.ts_event_us) / 1e6,
        (context.now_us - signal.ts_event_us) / 1e6,
    )


def market_closed(context: RiskContext) -> Denial | None:
    """Outside the instrument's session."""
    if context.instrument is None or is_open(context.instrument.session, context.now_us):
        return None
    return Denial(DenialReason.MARKET_CLOSED, 1.0, 0.0)


def stale_quote(context: RiskContext) -> Denial | None:
    """The newest quote is older than so many seconds; infinite when there is none."""
    age = (context.now_us - context.quote.time_us) / 1e6 if context.quote else math.inf
    limit = context.limits.max_quote_age_s
    return Denial(DenialReason.STALE_QUOTE, limit, age) if age > limit else None


def too_many(context: RiskContext) -> Denial | None:
    """Entries of a feed within a minute, with this one."""
    limit = context.limits.max_orders_per_minute
    if context.entries < limit:
        return None
    return Denial(DenialReason.TOO_MANY, float(limit), float(context.entries + 1))


def message_rate(context: RiskContext) -> Denial | None:
    """Orders of the account within a second, with this one."""
    limit = context.limits.max_messages_per_second
    if context.messages < limit:
        return None
    return Denial(DenialReason.MESSAGE_RATE, limit, float(context.messages + 1))


def throttled(context: RiskContext) -> Denial | None:
    """A strategy repeats its entry too often, or did and nobody has released it since."""
    limit = context.limits.max_repeats
    if context.throttled or context.repeats >= limit:
        return Denial(DenialReason.THROTTLED, limit, float(context.repeats + 1))
    return None


def oversized(context: RiskContext) -> Denial | None:
    """A target outside -1 to 1, or more lots than one order may have."""
    target = context.signal.target
    if not -1.0 <= target <= 1.0:  # also when it is not a number
        return Denial(DenialReason.OVERSIZED, 1.0, target)
    limit = context.limits.max_lots
    if context.specification is not None:
        limit = min(limit, context.specification.volume_max)
    return (
        None if context.volume <= limit else Denial(DenialReason.OVERSIZED, limit, context.volume)
    )


def _smaller(money: float, equities: float, equity: float) -> float:
    """A limit that stands in money and in equities of the account."""
    return money if equities == math.inf else min(money, equities * max(equity, 0.0))


def order_value(context: RiskContext) -> Denial | None:
    """Notional of the order, account currency."""
    limits = context.limits
    limit = _smaller(limits.max_order_value, limits.max_order_equity, context.equity)
    if limit == math.inf:
        return None
    if context.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    return (
        None if context.value <= limit else Denial(DenialReason.ORDER_VALUE, limit, context.value)
    )


def position_limit(context: RiskContext) -> Denial | None:
    """Net lots of the feed with this order, whichever strategy holds them, and their notional."""
    after = abs(context.net + (context.volume if context.side == "buy" else -context.volume))
    limits, volume = context.limits, context.volume
    if after <= abs(context.net):
        return None
    if after > limits.max_position_lots + 1e-9:
        return Denial(DenialReason.POSITION_LIMIT, limits.max_position_lots, round(after, 8))
    if limits.max_position_equity == math.inf:
        return None
    if context.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    most = limits.max_position_equity * max(context.equity, 0.0)
    worth = context.value / volume * after if volume else 0.0
    return Denial(DenialReason.POSITION_LIMIT, most, worth) if worth > most else None


def gross_exposure(context: RiskContext) -> Denial | None:
    """Notional of all positions and this order, account currency."""
    limits = context.limits
    limit = _smaller(limits.max_gross_exposure, limits.max_gross_equity, context.equity)
    if limit == math.inf:
        return None
    if context.gross is None or context.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    total = context.gross + context.value
    return None if total <= limit else Denial(DenialReason.GROSS_EXPOSURE, limit, total)


def off_price(context: RiskContext) -> Denial | None:
    """The reference price is too far from the live mid (share of price)."""
    quote, reference = context.quote, context.signal.reference_price
    away = abs(reference - quote.mid) / quote.mid if quote else math.inf
    limit = context.limits.collar
    return None if away <= limit else Denial(DenialReason.OFF_PRICE, limit, away)


def stop_passed(context: RiskContext) -> Denial | None:
    """The stop is missing, or the market is beyond it: limit is the stop, observed the price.

    So too a take-profit that the market has reached already, or that is no price.
    """
    quote, stop, gain = context.quote, context.signal.stop_price, context.signal.take_profit
    if quote is None:
        return None
    buys = context.side == "buy"
    closing = quote.side("sell" if buys else "buy")
    safe = 0 < stop < closing if buys else closing < stop < math.inf
    if not safe:
        return Denial(DenialReason.OFF_PRICE, stop, closing)
    open_ = gain == 0 or (closing < gain < math.inf if buys else 0 < gain < closing)
    return None if open_ else Denial(DenialReason.OFF_PRICE, gain, closing)


def near_news(context: RiskContext) -> Denial | None:
    """An event of the calendar is near; limit and observed are minutes from it, before it below 0.

    Where rules about news hold and the calendar says nothing of now, nothing opens.
    """
    if context.news_unknown:
        return Denial(DenialReason.NO_CALENDAR, 1.0, 0.0)
    if not context.news or context.news[0].action == "reduce":
        return None
    window = context.news[0]
    event_us = window.event.ts_event_us
    edge_us = window.begin_us if context.now_us < event_us else window.end_us - 1
    return Denial(DenialReason.NEWS, (edge_us - event_us) / 6e7, (context.now_us - event_us) / 6e7)


def wide_spread(context: RiskContext) -> Denial | None:
    """The spread against its own running median; says nothing while that is unknown."""
    quote = context.quote
    if quote is None or quote.usual_spread <= 0:
        return None
    ratio = quote.spread / quote.usual_spread
    limit = context.limits.max_spread_ratio
    return None if ratio <= limit else Denial(DenialReason.WIDE_SPREAD, limit, ratio)


ENTRY: tuple[Check, ...] = (
    halted,
    reducing,
    unknown_symbol,
    restricted,
    client_file,
    stale_signal,
    market_closed,
    stale_quote,
    too_many,
    message_rate,
    throttled,
    oversized,
    order_value,
    position_limit,
    gross_exposure,
    off_price,
    stop_passed,
    wide_spread,
    near_news,
)
