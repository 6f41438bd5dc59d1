"""Our orders as the dictionaries that `order_send` takes."""

import math
from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import Specification, VenueOrder, VenuePosition, WorkingOrder

COMMENT_MAX = 31  # characters the terminal keeps


def deal(order: VenueOrder, name: str, rules: Specification, filling: int) -> dict[str, Any]:
    """A market order with its exits; `name`: the symbol's at the terminal."""
    request: dict[str, Any] = {
        "action": mt5.TRADE_ACTION_DEAL,
        "symbol": name,
        "volume": order.volume,
        "type": mt5.ORDER_TYPE_BUY if order.side == "buy" else mt5.ORDER_TYPE_SELL,
        "price": round(order.price, rules.digits),
        "deviation": math.ceil(order.tolerance / rules.point),
        "type_filling": filling,
        "type_time": mt5.ORDER_TIME_GTC,
        "magic": magic_of(order.order_id),
        "comment": order.order_id[:COMMENT_MAX],
    }
    if order.stop_price:
        request["sl"] = round(order.stop_price, rules.digits)
    if order.take_profit:
        request["tp"] = round(order.take_profit, rules.digits)
    if order.position:
        request["position"] = order.position
    return request


_WAITING = {
    ("buy", "limit"): mt5.ORDER_TYPE_BUY_LIMIT, ("sell", "limit"): mt5.ORDER_TYPE_SELL_LIMIT,
    ("buy", "stop"): mt5.ORDER_TYPE_BUY_STOP, ("sell", "stop"): mt5.ORDER_TYPE_SELL_STOP,
}  # fmt: skip
_FILLINGS = {
    "fok": mt5.ORDER_FILLING_FOK, "ioc": mt5.ORDER_FILLING_IOC, "return": mt5.ORDER_FILLING_RETURN,
}  # fmt: skip
_EXPIRIES = {
    "gtc": mt5.ORDER_TIME_GTC, "day": mt5.ORDER_TIME_DAY, "specified": mt5.ORDER_TIME_SPECIFIED,
}  # fmt: skip


def waiting(order: VenueOrder, name: str, rules: Specification) -> dict[str, Any]:
    """An order that waits for its price; `name`: the symbol's at the terminal.

    Filling and expiry are asked for as they are: what a broker does not offer it refuses. The
    terminal counts whole seconds, so it ends up to one earlier than said, never later.
    """
    request: dict[str, Any] = {
        "action": mt5.TRADE_ACTION_PENDING,
        "symbol": name,
        "volume": order.volume,
        "type": _WAITING[order.side, order.entry],
        "price": round(order.price, rules.digits),
        "sl": round(order.stop_price, rules.digits),
        "type_filling": _FILLINGS[order.filling],
        "type_time": _EXPIRIES[order.expiry],
        "magic": magic_of(order.order_id),
        "comment": order.order_id[:COMMENT_MAX],
    }
    if order.take_profit:
        request["tp"] = round(order.take_profit, rules.digits)
    if order.expiry == "specified":
        request["expiration"] = order.expires_us // 1_000_000
    return request


def stop(held: VenuePosition, stop_price: float, name: str) -> dict[str, Any]:
    """Another stop for a position. A request without `tp` would take the take-profit away."""
    return {
        "action": mt5.TRADE_ACTION_SLTP, "symbol": name, "position": held.ticket,
        "sl": stop_price, "tp": held.take_profit, "magic": held.magic,
    }  # fmt: skip


def change(order: WorkingOrder, terms: VenueOrder, name: str, digits: int) -> dict[str, Any]:
    """Other terms for a working order: price, stops and end. What is left out is taken away."""
    request: dict[str, Any] = {
        "action": mt5.TRADE_ACTION_MODIFY, "order": order.ticket, "symbol": name,
        "price": round(terms.price, digits), "sl": round(terms.stop_price, digits),
        "tp": round(terms.take_profit, digits), "type_time": _EXPIRIES[terms.expiry],
        "magic": order.magic,
    }  # fmt: skip
    if terms.expiry == "specified":
        request["expiration"] = terms.expires_us // 1_000_000
    return request


def removal(order: WorkingOrder, name: str) -> dict[str, Any]:
    """Take back a working order."""
    return {
        "action": mt5.TRADE_ACTION_REMOVE, "order": order.ticket, "symbol": name,
        "magic": order.magic,
    }  # fmt: skip


def filling(modes: int) -> int:
    """The filling mode to ask for under a symbol's bit mask."""
    if modes & mt5.SYMBOL_FILLING_FOK:
        return mt5.ORDER_FILLING_FOK
    if modes & mt5.SYMBOL_FILLING_IOC:
        return mt5.ORDER_FILLING_IOC
    return mt5.ORDER_FILLING_RETURN
