"""What an order that waits for its price comes to: lots, or why it is not taken (ADR 0021).

The price it would fill at takes the place of the market's: everything that a market order is
checked by, this one is checked by at that price. So, from
the moment it is sent, it counts as if filled.
"""

import logging
import math
import re

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Specification
from core.contracts.order import DenialReason, OrderEvent
from core.contracts.signal import OrderSignal
from execution.journal.book import Book
from execution.journal.position import Key
from execution.order_path.quotes import Quote, Quotes
from execution.order_path.sizing import Leg, wanted_volume
from execution.order_path.target_size import TargetSize
from execution.risk.checks import Denial, RiskContext, stale_signal

_log = logging.getLogger(__name__)
_TINY = 1e-9
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_LEAST_S = 2.0  # of life: a terminal counts whole seconds
_WORDS = (
    ("action", ("place", "cancel", "modify")), ("entry", ("limit", "stop")),
    ("filling", ("fok", "ioc", "return")), ("expiry", ("gtc", "day", "specified")),
)  # fmt: skip


def misfit(signal: OrderSignal, now_us: int) -> str:
    """What is wrong with an order's form, or ""."""
    for what, word in (("name", signal.name), ("group", signal.one_of or "-")):
        if not _NAME.fullmatch(word):
            return f"its {what} {word!r} is not 1 to 32 letters, digits, _, . or -"
    if signal.action == "cancel":
        return ""
    for field, words in _WORDS:
        if getattr(signal, field) not in words:
            return f"{field} {getattr(signal, field)!r} is none of {', '.join(words)}"
    if not 0 < signal.entry_price < math.inf:
        return f"its price {signal.entry_price} is none"
    if signal.expires_us - now_us < _LEAST_S * 1e6:
        return f"it would work for less than {_LEAST_S:g} s"
    if signal.horizon_us <= signal.expires_us:
        return "its position would end before the order does"
    return ""


def plan(
    context: RiskContext, signal: OrderSignal, book: Book, venue: Venue, quotes: Quotes,
    size: TargetSize,
) -> tuple[tuple[Leg, ...], Denial | None]:  # fmt: skip
    """The order to place, or why none is.

    A strategy's full position is not exceeded: what it holds and what waits on the same side of
    the feed counts against it.
    """
    specification = context.specification
    if specification is None:
        return (), Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
    if not 0 < abs(signal.target) <= 1.0:  # also when it is not a number
        return (), Denial(DenialReason.OVERSIZED, 1.0, signal.target)
    if late := stale_signal(context):  # of warm-up rows, or of a backlog
        return (), late
    if problem := misfit(signal, context.now_us):
        _log.warning("order %r of %s: %s", signal.name, signal.strategy, problem)
        return (), Denial(DenialReason.UNFIT_ORDER, 0.0, signal.entry_price)
    if book.named(signal) is not None or book.came_too_late(signal):
        return (), Denial(DenialReason.ORDER_WORKS, 0.0, 1.0)
    side = "buy" if signal.target > 0 else "sell"
    feed = signal.source, signal.symbol
    reached = _reached(signal, side, quotes.at(*feed, context.now_us), specification)
    if reached is not None:
        return (), reached
    if venue.netting and (ours := _ours(book, signal)):
        return (), Denial(DenialReason.SYMBOL_TAKEN, 0.0, ours)
    return _sized(context, signal, side, book, specification, size)


def unfit_terms(
    context: RiskContext, signal: OrderSignal, submitted: OrderEvent, book: Book, quotes: Quotes,
    size: TargetSize,
) -> Denial | None:  # fmt: skip
    """Why an order that works may not have other terms, in a book without it; or None.

    Its side, kind and lots stay; what would be sized smaller under the new terms keeps the old.
    """
    specification = context.specification
    if specification is None:
        return Denial(DenialReason.UNKNOWN_SYMBOL, 1.0, 0.0)
    problem = misfit(signal, context.now_us)
    if not submitted.reason.startswith(f"{signal.entry} "):
        problem = f"it is no {signal.entry} order, and stays what it is"
    if (submitted.side == "buy") != (signal.target > 0):
        problem = f"it is to {submitted.side}, and stays on its side"
    if problem:
        _log.warning("order %r of %s: %s", signal.name, signal.strategy, problem)
        return Denial(DenialReason.UNFIT_ORDER, 0.0, signal.entry_price)
    quote = quotes.at(signal.source, signal.symbol, context.now_us)
    reached = _reached(signal, submitted.side, quote, specification)
    if reached is not None:
        return reached
    legs, denial = _sized(context, signal, submitted.side, book, specification, size)
    if legs and legs[0].volume + _TINY < submitted.volume:
        return Denial(DenialReason.POSITION_LIMIT, legs[0].volume, submitted.volume)
    return denial


def _sized(
    context: RiskContext, signal: OrderSignal, side: str, book: Book,
    specification: Specification, size: TargetSize,
) -> tuple[tuple[Leg, ...], Denial | None]:  # fmt: skip
    key = Key(signal.strategy, signal.source, signal.symbol)
    lots = size.lots(context, book.of(key))
    if lots is None:
        return (), Denial(DenialReason.NO_CONVERSION_RATE, 1.0, 0.0)
    wanted = abs(wanted_volume(signal.target, lots, specification.volume_step))
    along = _along(book, key, side)
    volume = round(wanted - along, 8)
    if wanted and volume < _TINY:
        return (), Denial(DenialReason.POSITION_LIMIT, wanted, along)
    if volume + _TINY < specification.volume_min:
        return (), Denial(DenialReason.BELOW_MINIMUM, specification.volume_min, volume)
    return (Leg(side, volume, 0),), None


def _reached(
    signal: OrderSignal, side: str, quote: Quote | None, rules: Specification
) -> Denial | None:
    """A limit waits on the better side of the market, a stop on the worse; a broker's distance off.

    Limit of the denial: the market's price; observed: the order's.
    """
    if quote is None:
        return None  # what is denied as stale anyhow
    market = quote.side(side)
    sign = 1 if (side == "buy") == (signal.entry == "stop") else -1
    ahead = sign * (signal.entry_price - market)
    if ahead > max(rules.stops_distance - _TINY, 0.0):
        return None
    return Denial(DenialReason.ORDER_PRICE, market, signal.entry_price)


def _ours(book: Book, signal: OrderSignal) -> float:
    """Lots held and waiting in the feed, whoever's. On a netting account a fill would go into them:
    reduce them, or set their stop, which may have followed the price since.
    """
    feed = signal.source, signal.symbol
    held = sum(abs(p.volume) for p in book.positions.values() if p.key[1:] == feed)
    return held + sum(e.volume for e in book.waiting(*feed))


def _along(book: Book, key: Key, side: str) -> float:
    sign = 1 if side == "buy" else -1
    held = sum(max(p.volume * sign, 0.0) for p in book.of(key))
    waits = [e for e in book.waiting(key.source, key.symbol) if e.strategy == key.strategy]
    return held + sum(e.volume for e in waits if e.side == side)
