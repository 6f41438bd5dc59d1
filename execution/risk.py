"""Pre-trade checks of orders that add risk: pure, plain Python, all in a few microseconds.

Each returns the rule that denies with its limit and what it saw, or None. Orders that reduce
risk (closings by horizon, opposite signal, or a person) never come here. Together they are the
controls of article 15 of Delegated Regulation (EU) 2017/589 (RTS 6) and of 17 CFR 240.15c3-5.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from adapters.mt5.venue import Specification
from core.contracts.order import DenialReason
from core.contracts.signal import Signal
from core.instruments import Instrument, is_open
from execution.limits import Limits
from execution.quotes import Quote


class Denial(NamedTuple):
    """Why an order is refused."""

    reason: DenialReason
    limit: float
    observed: float


class Facts(msgspec.Struct, frozen=True, gc=False):
    """All that the checks look at. Volumes in lots, prices in quote currency."""

    state: str  # active, reducing, halted
    blocked: bool  # an earlier order of this feed is unsettled
    now_us: int
    signal: Signal
    side: str
    volume: float
    instrument: Instrument | None
    rules: Specification | None
    quote: Quote | None
    entries: int  # of this feed in the last minute
    limits: Limits
    net: float = 0.0  # signed lots held and on their way in the feed, all strategies
    value: float | None = 0.0  # of this order in account currency; None: no conversion rate
    gross: float | None = 0.0  # of all positions, without this order
    messages: int = 0  # orders of the account in the last second
    repeats: int = 0  # entries of this strategy in this feed within the window
    throttled: bool = False  # closed before, and nobody has released it


Check = Callable[[Facts], Denial | None]


def check_entry(facts: Facts) -> Denial | None:
    """The first check that denies an entry, or None."""
    for check in ENTRY:
        denial = check(facts)
        if denial is not None:
            return denial
    return None


def check_held(facts: Facts) -> Denial | None:
    """Checks of a signal that asks for what is held, and so only prolongs it."""
    return halted(facts) or reducing(facts) or stale_signal(facts)


def check_margin(needed: float | None, free: float) -> Denial | None:
    """Margin the order takes (None: no conversion rate) against what is free."""
    if needed is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    return Denial(DenialReason.NO_MARGIN, free, needed) if needed > free else None


def check_losses(daily: float, drawdown: float, limits: Limits) -> Denial | None:
    """Loss of the trading day and fall from the highest equity, account currency."""
    if daily > limits.max_daily_loss:
        return Denial(DenialReason.DAILY_LOSS, limits.max_daily_loss, daily)
    if drawdown > limits.max_drawdown:
        return Denial(DenialReason.DRAWDOWN, limits.max_drawdown, drawdown)
    return None


def halted(facts: Facts) -> Denial | None:
    """Trading is halted, or this feed is until an unsettled order is found (observed 1)."""
    if facts.state == "halted" or facts.blocked:
        return Denial(DenialReason.HALTED, 0.0, float(facts.blocked))
    return None


def reducing(facts: Facts) -> Denial | None:
    """Only orders that reduce risk pass."""
    return Denial(DenialReason.REDUCING, 0.0, facts.volume) if facts.state == "reducing" else None


def unknown_symbol(facts: Facts) -> Denial | None:
    """No reference data, or the venue does not trade it."""
    if facts.instrument is None or facts.rules is None:
        return Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
    return None


def restricted(facts: Facts) -> Denial | None:
    """The limits file closes this symbol to new positions."""
    return Denial(DenialReason.RESTRICTED, 0.0, facts.volume) if facts.limits.restricted else None


def stale_signal(facts: Facts) -> Denial | None:
    """Past its expiry; limit and observed are seconds after the signal's market time."""
    signal = facts.signal
    if facts.now_us <= signal.expires_us:
        return None
    return Denial(
        DenialReason.STALE_SIGNAL,
        (signal.expires_us - signal.ts_event_us) / 1e6,
        (facts.now_us - signal.ts_event_us) / 1e6,
    )


def market_closed(facts: Facts) -> Denial | None:
    """Outside the instrument's session."""
    if facts.instrument is None or is_open(facts.instrument.session, facts.now_us):
        return None
    return Denial(DenialReason.MARKET_CLOSED, 1.0, 0.0)


def stale_quote(facts: Facts) -> Denial | None:
    """The newest quote is older than so many seconds; infinite when there is none."""
    age = (facts.now_us - facts.quote.time_us) / 1e6 if facts.quote else math.inf
    limit = facts.limits.max_quote_age_s
    return Denial(DenialReason.STALE_QUOTE, limit, age) if age > limit else None


def too_many(facts: Facts) -> Denial | None:
    """Entries of a feed within a minute, with this one."""
    limit = facts.limits.max_orders_per_minute
    if facts.entries < limit:
        return None
    return Denial(DenialReason.TOO_MANY, float(limit), float(facts.entries + 1))


def message_rate(facts: Facts) -> Denial | None:
    """Orders of the account within a second, with this one."""
    limit = facts.limits.max_messages_per_second
    if facts.messages < limit:
        return None
    return Denial(DenialReason.MESSAGE_RATE, limit, float(facts.messages + 1))


def throttled(facts: Facts) -> Denial | None:
    """A strategy repeats its entry too often, or did and nobody has released it since."""
    limit = facts.limits.max_repeats
    if facts.throttled or facts.repeats >= limit:
        return Denial(DenialReason.THROTTLED, limit, float(facts.repeats + 1))
    return None


def oversized(facts: Facts) -> Denial | None:
    """A target outside -1 to 1, or more lots than one order may have."""
    target = facts.signal.target
    if not -1.0 <= target <= 1.0:  # also when it is not a number
        return Denial(DenialReason.OVERSIZED, 1.0, target)
    limit = facts.limits.max_lots
    if facts.rules is not None:
        limit = min(limit, facts.rules.volume_max)
    return None if facts.volume <= limit else Denial(DenialReason.OVERSIZED, limit, facts.volume)


def order_value(facts: Facts) -> Denial | None:
    """Notional of the order, account currency."""
    limit = facts.limits.max_order_value
    if limit == math.inf:
        return None
    if facts.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    return None if facts.value <= limit else Denial(DenialReason.ORDER_VALUE, limit, facts.value)


def position_limit(facts: Facts) -> Denial | None:
    """Net lots of the feed with this order, whichever strategy holds them."""
    after = abs(facts.net + (facts.volume if facts.side == "buy" else -facts.volume))
    limit = facts.limits.max_position_lots
    if after <= limit + 1e-9 or after <= abs(facts.net):
        return None
    return Denial(DenialReason.POSITION_LIMIT, limit, round(after, 8))


def gross_exposure(facts: Facts) -> Denial | None:
    """Notional of all positions and this order, account currency."""
    limit = facts.limits.max_gross_exposure
    if limit == math.inf:
        return None
    if facts.gross is None or facts.value is None:
        return Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    total = facts.gross + facts.value
    return None if total <= limit else Denial(DenialReason.GROSS_EXPOSURE, limit, total)


def off_price(facts: Facts) -> Denial | None:
    """The reference price is too far from the live mid (share of price)."""
    quote, reference = facts.quote, facts.signal.reference_price
    away = abs(reference - quote.mid) / quote.mid if quote else math.inf
    limit = facts.limits.collar
    return None if away <= limit else Denial(DenialReason.OFF_PRICE, limit, away)


def stop_passed(facts: Facts) -> Denial | None:
    """The stop is missing, or the market is beyond it: limit is the stop, observed the price.

    So too a take-profit that the market has reached already, or that is no price.
    """
    quote, stop, gain = facts.quote, facts.signal.stop_price, facts.signal.take_profit
    if quote is None:
        return None
    buys = facts.side == "buy"
    closing = quote.side("sell" if buys else "buy")
    safe = 0 < stop < closing if buys else closing < stop < math.inf
    if not safe:
        return Denial(DenialReason.OFF_PRICE, stop, closing)
    open_ = gain == 0 or (closing < gain < math.inf if buys else 0 < gain < closing)
    return None if open_ else Denial(DenialReason.OFF_PRICE, gain, closing)


def wide_spread(facts: Facts) -> Denial | None:
    """The spread against its own running median; says nothing while that is unknown."""
    quote = facts.quote
    if quote is None or quote.usual_spread <= 0:
        return None
    ratio = quote.spread / quote.usual_spread
    limit = facts.limits.max_spread_ratio
    return None if ratio <= limit else Denial(DenialReason.WIDE_SPREAD, limit, ratio)


ENTRY: tuple[Check, ...] = (
    halted,
    reducing,
    unknown_symbol,
    restricted,
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
)
