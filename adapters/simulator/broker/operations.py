"""What happens to a simulated account without a request of ours: people, the broker, money.

The simulated terminal keeps them in its log like requests, under actions that no client may
send: a deal by a person, a stop-out, an operation on the balance.
"""

from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradeRequest
from adapters.simulator.broker.matching import AccountPosition

HAND, STOP_OUT, MONEY, PART = 1001, 1002, 1003, 1004
#: A waiting order that fills bit by bit: `stoplimit` is its first part, lots, and `deviation` how
#: many milliseconds later the market may give the rest.
IN_PARTS = 1005
PRIVATE = frozenset((HAND, STOP_OUT, MONEY, PART, IN_PARTS))

#: Actions that make deals, and the DEAL_REASON_* the deals carry.
REASONS = {
    mt5.TRADE_ACTION_DEAL: mt5.DEAL_REASON_EXPERT,
    HAND: mt5.DEAL_REASON_CLIENT,
    STOP_OUT: mt5.DEAL_REASON_SO,
    PART: mt5.DEAL_REASON_EXPERT,  # of an order that fills bit by bit: `order` is its ticket
}


def by_hand(
    symbol: str, kind: int, volume: float, position: int = 0, **more: Any
) -> dict[str, Any]:
    """A person's deal at the terminal: `kind` is an ORDER_TYPE_*; `position` closes that one."""
    return {
        "action": HAND, "symbol": symbol, "type": kind, "volume": volume, "position": position,
        "type_filling": mt5.ORDER_FILLING_IOC, **more,
    }  # fmt: skip


def stop_out(position: Any) -> dict[str, Any]:
    """The broker closes a TradePosition for want of margin; its deal keeps the magic number."""
    return {
        "action": STOP_OUT, "symbol": position.symbol, "type": 1 - position.type,
        "volume": position.volume, "position": position.ticket, "magic": position.magic,
        "comment": "[so 49.8%]", "type_filling": mt5.ORDER_FILLING_FOK,
    }  # fmt: skip


def money(kind: int, amount: float, comment: str = "") -> dict[str, Any]:
    """An operation on the account: `kind` is a DEAL_TYPE_*, such as DEAL_TYPE_BALANCE."""
    return {"action": MONEY, "type": kind, "price": amount, "comment": comment}


def exit_form(position: AccountPosition, reason: int, digits: int) -> TradeRequest:
    """The closing of a whole position by its stop or take-profit."""
    if reason == mt5.DEAL_REASON_SL:
        comment = f"[sl {position.sl:.{digits}f}]"
    else:
        comment = f"[tp {position.tp:.{digits}f}]"
    side = mt5.ORDER_TYPE_SELL if position.long else mt5.ORDER_TYPE_BUY
    return TradeRequest(
        symbol=position.symbol, volume=position.volume, type=side, comment=comment,
        magic=position.magic, type_filling=mt5.ORDER_FILLING_FOK,
    )  # fmt: skip
