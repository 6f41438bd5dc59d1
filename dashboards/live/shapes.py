"""What one message looks like on the page: plain dictionaries, named as panels read them.

Times are microseconds, UTC; prices in quote currency, volumes in lots, money in account currency.
"""

from typing import Any

from core import instruments
from core.contracts.firm import FirmRuleState
from core.contracts.order import EventKind, OrderEvent
from core.contracts.prediction import Prediction
from core.instruments import Instrument


def quote(source: str, symbol: str, tick: Any) -> dict[str, Any]:
    """Newest bid and ask, and what is known of the instrument."""
    time_us = int(tick["time_msc"]) * 1000
    instrument = instruments.instrument(symbol, time_us)
    known = {} if instrument is None else _known(instrument)
    return {
        "source": source,
        "symbol": symbol,
        "bid": float(tick["bid"]),
        "ask": float(tick["ask"]),
        "time": time_us,
        "received": int(tick["ts_recv_us"]),
    } | known


def prediction(message: Prediction) -> dict[str, Any]:
    """What the model says, and how far to trust it."""
    return {
        "time": message.ts_event_us,
        "model": message.model,
        "p_down": message.p_down,
        "p_flat": message.p_flat,
        "p_up": message.p_up,
        "confidence": message.confidence,
        "agreement": message.agreement,
        "veto": message.veto,
        "edge": message.edge_bp,
    }


def order(event: OrderEvent) -> dict[str, Any]:
    """An order as it stands after an event."""
    return {
        "order": event.order_id,
        "feed": f"{event.source}/{event.symbol}",
        "time": event.ts_event_us,
        "kind": str(event.kind),
        "side": event.side,
        "purpose": event.purpose,
        "volume": event.volume,
        "price": event.price,
        "stop": event.stop_price,
        "reason": event.reason,
    }


def fill(event: OrderEvent) -> dict[str, Any]:
    """A fill: profit after costs, and the mid that the decision saw."""
    costs = event.profit + event.commission + event.swap
    return order(event) | {"profit": costs, "mid": event.arrival_mid}


def firm_rule(state: FirmRuleState) -> dict[str, Any]:
    """A rule and what is left before it."""
    return {
        "firm": state.firm,
        "rule": state.rule,
        "limit": state.limit,
        "observed": state.observed,
        "left": state.headroom,
        "broken": state.broken_us,
        "least": state.least_headroom,
        "leastAt": state.least_us,
        "time": state.ts_event_us,
    }


def line_of(event: OrderEvent) -> str:
    """One event in one line of text."""
    if event.kind is EventKind.BOOKED and not event.volume:
        return f"{event.purpose.replace('_', ' ')} {event.profit:,.2f}"
    parts = [event.symbol, event.side, f"{event.volume:g} lots", event.purpose]
    if event.price:
        parts.append(f"at {event.price:g}")
    text = " ".join(part for part in parts if part)
    return f"{text}: {event.reason.replace('_', ' ')}" if event.reason else text


def _known(instrument: Instrument) -> dict[str, Any]:
    return {
        "digits": instrument.digits,
        "contract": instrument.contract_size,
        "base": instrument.base,
        "quote": instrument.quote,
        "session": instrument.session,
    }
