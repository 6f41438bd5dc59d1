"""Order events made from what is known: a signal and a leg, a submitted order, a fill.

The SUBMITTED event holds all that an order is; every later event of the order, and the request
to the venue, are derived from it. So a restart needs nothing but the journal.
"""

from collections.abc import Container, Iterator

from msgspec.structs import replace

from adapters.mt5.venue.venue import Fill, Outcome, VenueOrder
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal, Signal
from core.sections import RunSettings
from execution.journal.identity import order_id
from execution.journal.position import Key, Position
from execution.order_path.quotes import Quote
from execution.order_path.sizing import Leg
from execution.risk.checks import Denial

_EXIT_TOLERANCE = 0.1  # share of price: an exit must fill


def of_signal(
    signal: Signal, leg: Leg, attempt: int, quote: Quote | None, now_us: int, run: RunSettings
) -> OrderEvent:
    """What a signal asks of one leg, as a SUBMITTED event; `attempt` counts refused closings."""
    entry = leg.ticket == 0
    purpose = "entry" if entry else "opposite"
    price, waits = quote.side(leg.side) if quote else 0.0, ""
    if isinstance(signal, OrderSignal):
        price, waits = signal.entry_price, f"{signal.entry} {signal.name}"
    return OrderEvent(
        seq=0, event_id="", kind=Kind.SUBMITTED, run_id=run.run_id, mode=run.mode,
        account=run.account, strategy=signal.strategy,
        order_id=order_id(signal.signal_id, purpose, "" if entry else f"{leg.ticket}.{attempt}"),
        signal_id=signal.signal_id, source=signal.source, symbol=signal.symbol,
        ts_event_us=signal.ts_event_us, ts_init_us=now_us, side=leg.side, purpose=purpose,
        volume=leg.volume, price=price, arrival_mid=quote.mid if quote else 0.0,
        stop_price=signal.stop_price if entry else 0.0, reason=waits,
        venue_position=leg.ticket,
    )  # fmt: skip


def of_exit(
    position: Position, purpose: str, quote: Quote | None, now_us: int, run: RunSettings
) -> OrderEvent:
    """The order that closes a position without a signal, as a SUBMITTED event."""
    side = "sell" if position.volume > 0 else "buy"
    leg = f"{position.ticket}.{position.attempt}"
    return OrderEvent(
        seq=0, event_id="", kind=Kind.SUBMITTED, run_id=run.run_id, mode=run.mode,
        account=run.account, strategy=position.key.strategy,
        order_id=order_id(position.signal_id, purpose, leg), signal_id=position.signal_id,
        source=position.key.source, symbol=position.key.symbol, ts_event_us=now_us,
        ts_init_us=now_us, side=side, purpose=purpose, volume=abs(position.volume),
        price=quote.side(side) if quote else 0.0, arrival_mid=quote.mid if quote else 0.0,
        venue_position=position.ticket,
    )  # fmt: skip


def received(submitted: OrderEvent, signal: Signal, reason: str = "") -> OrderEvent:
    """RECEIVED, with the signal's own reference price."""
    return replace(
        submitted, kind=Kind.RECEIVED, price=signal.reference_price, reason=reason,
        stop_price=signal.stop_price,
    )  # fmt: skip


def denied(submitted: OrderEvent, denial: Denial, version: str) -> OrderEvent:
    """DENIED, with the rule, its limit, what it saw, and the version of the limits."""
    return replace(
        submitted, kind=Kind.DENIED, reason=denial.reason.value, limit=denial.limit,
        observed=denial.observed, limits_version=version,
    )  # fmt: skip


def cancelled(submitted: OrderEvent, reason: str) -> OrderEvent:
    """CANCELLED before it was sent."""
    return replace(submitted, kind=Kind.CANCELLED, reason=reason)


def later(submitted: OrderEvent, kind: Kind, now_us: int, reason: str = "") -> OrderEvent:
    """An event of a submitted order that happens now."""
    return replace(submitted, kind=kind, ts_event_us=now_us, ts_init_us=now_us, reason=reason)


def modified(
    submitted: OrderEvent, kind: Kind, terms: OrderSignal, now_us: int, reason: str = ""
) -> OrderEvent:
    """An event about other terms of an order that works: their price and stop."""
    return under(later(submitted, kind, now_us, reason or f"modifies {terms.name}"), terms)


def under(submitted: OrderEvent, terms: OrderSignal) -> OrderEvent:
    """An order's event with the price and the stop of other terms."""
    return replace(submitted, price=terms.entry_price, stop_price=terms.stop_price)


def outcome(
    submitted: OrderEvent, before: Kind, answer: Outcome, known: Container[int], now_us: int
) -> Iterator[OrderEvent]:
    """What became of an order whose last event is `before`.

    Fills have the venue's time; `now_us` is ours, moved on to the fill's in a replay, where an
    order is answered before the market time of its fill. `known`: deals that are journalled.
    """
    if before is Kind.UNKNOWN:
        yield later(submitted, Kind.RECONCILED, now_us, answer.kind)
    if answer.kind in ("rejected", "expired"):
        taken = before in (Kind.ACCEPTED, Kind.PARTIALLY_FILLED)  # then it was taken back
        kind = Kind.CANCELLED if taken else Kind.REJECTED
        kind = Kind.EXPIRED if answer.kind == "expired" else kind
        yield later(submitted, kind, now_us, answer.reason)
        return
    if before not in (Kind.ACCEPTED, Kind.PARTIALLY_FILLED):
        yield replace(later(submitted, Kind.ACCEPTED, now_us), venue_order=answer.order)
    left = submitted.volume
    for fill in answer.fills:
        left = round(left - fill.volume, 8)
        if fill.deal in known:  # a crash cut the journal off between two fills
            continue
        yield filled(submitted, fill, Kind.PARTIALLY_FILLED if left > 0 else Kind.FILLED, now_us)
    met = answer.kind == "met"
    if left > 0 and (met or (answer.fills and answer.kind != "working")):
        text = f"rest: {answer.reason}" if met else "rest"
        rest = replace(later(submitted, Kind.CANCELLED, now_us, text), volume=left)
        yield replace(rest, venue_order=answer.order)


def filled(submitted: OrderEvent, fill: Fill, kind: Kind, now_us: int) -> OrderEvent:
    """One fill of a submitted order."""
    return replace(
        submitted, kind=kind, ts_event_us=fill.time_us, ts_init_us=now_us, volume=fill.volume,
        price=fill.price, venue_order=fill.order, venue_deal=fill.deal,
        venue_position=fill.position, commission=fill.commission, swap=fill.swap,
        profit=fill.profit,
    )  # fmt: skip


def closed(position: Position, fill: Fill, now_us: int, run: RunSettings) -> OrderEvent:
    """CLOSED, on the order that opened the position: the broker, or a person there, did it."""
    key = position.key
    return OrderEvent(
        seq=0, event_id="", kind=Kind.CLOSED, run_id=run.run_id, mode=run.mode,
        account=run.account, strategy=key.strategy, order_id=position.order_id,
        signal_id=position.signal_id, source=key.source, symbol=key.symbol,
        ts_event_us=fill.time_us, ts_init_us=now_us, side=fill.side, purpose=fill.cause,
        volume=fill.volume, price=fill.price, stop_price=position.stop_price, reason=fill.cause,
        venue_order=fill.order, venue_deal=fill.deal, venue_position=fill.position,
        commission=fill.commission, swap=fill.swap, profit=fill.profit,
    )  # fmt: skip


def booked(
    fill: Fill,
    key: Key,
    now_us: int,
    run: RunSettings,
    comment: str = "",
    *,
    name: str = "",
    suspends: bool = False,
) -> OrderEvent:
    """BOOKED: a deal that is no order of ours. `suspends`: nothing of ours opens beside it.

    `name` tells apart what has no deal at the venue.
    """
    identity = order_id("", "deal", f"{run.account}.{fill.deal}.{fill.cause}{name}")
    return OrderEvent(
        seq=0, event_id="", kind=Kind.BOOKED, run_id=run.run_id, mode=run.mode,
        account=run.account, strategy=key.strategy,
        order_id=identity, signal_id="",
        source=key.source, symbol=key.symbol, ts_event_us=fill.time_us, ts_init_us=now_us,
        side=fill.side if fill.position else "", purpose=fill.cause, volume=fill.volume,
        price=fill.price, reason=comment, observed=float(suspends), venue_order=fill.order,
        venue_deal=fill.deal, venue_position=fill.position, commission=fill.commission,
        swap=fill.swap, profit=fill.profit,
    )  # fmt: skip


def of_stop(
    position: Position, kind: Kind, stop_price: float, now_us: int, run: RunSettings
) -> OrderEvent:
    """An event about the stop of a position, on the order that opened it."""
    key = position.key
    return OrderEvent(
        seq=0, event_id="", kind=kind, run_id=run.run_id, mode=run.mode, account=run.account,
        strategy=key.strategy, order_id=position.order_id, signal_id=position.signal_id,
        source=key.source, symbol=key.symbol, ts_event_us=now_us, ts_init_us=now_us,
        side="sell" if position.volume > 0 else "buy", purpose="trail",
        volume=abs(position.volume), stop_price=stop_price, venue_position=position.ticket,
    )  # fmt: skip


def venue_order(
    submitted: OrderEvent, collar: float, take_profit: float = 0.0,
    waits: OrderSignal | None = None,
) -> VenueOrder:  # fmt: skip
    """The request of a SUBMITTED event. An entry fills within the collar or not at all.

    `waits`: what asked for it, when it waits for its price.
    """
    share = collar if submitted.purpose == "entry" else _EXIT_TOLERANCE
    return VenueOrder(
        order_id=submitted.order_id, source=submitted.source, symbol=submitted.symbol,
        side="buy" if submitted.side == "buy" else "sell", volume=submitted.volume,
        price=submitted.price, stop_price=submitted.stop_price, tolerance=submitted.price * share,
        position=submitted.venue_position, take_profit=take_profit,
        entry="market" if waits is None else "stop" if waits.entry == "stop" else "limit",
        filling=waits.filling if waits else "", expiry=waits.expiry if waits else "",
        expires_us=waits.expires_us if waits else 0,
    )  # fmt: skip
