"""Which deal is whose: ours by magic number, symbol and side, the broker's by its reason.

Comments decide only when the broker left one of ours: they come back truncated, rewritten, empty.
"""

from typing import Any

from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.venue import Deal, Fill, VenueOrder

_OWN_CLOSINGS = {
    mt5.DEAL_REASON_SL: "stop", mt5.DEAL_REASON_TP: "take_profit", mt5.DEAL_REASON_SO: "stop_out",
}  # fmt: skip
_REASONS = {
    **_OWN_CLOSINGS, mt5.DEAL_REASON_EXPERT: "expert", mt5.DEAL_REASON_ROLLOVER: "rollover",
    mt5.DEAL_REASON_VMARGIN: "variation_margin", mt5.DEAL_REASON_SPLIT: "split",
}  # fmt: skip
_MONEY = {
    mt5.DEAL_TYPE_CREDIT: "credit", mt5.DEAL_TYPE_CHARGE: "charge",
    mt5.DEAL_TYPE_CORRECTION: "correction", mt5.DEAL_TYPE_BONUS: "bonus",
    mt5.DEAL_TYPE_COMMISSION: "commission", mt5.DEAL_TYPE_COMMISSION_DAILY: "commission",
    mt5.DEAL_TYPE_COMMISSION_MONTHLY: "commission",
    mt5.DEAL_TYPE_COMMISSION_AGENT_DAILY: "commission",
    mt5.DEAL_TYPE_COMMISSION_AGENT_MONTHLY: "commission", mt5.DEAL_TYPE_INTEREST: "interest",
    15: "dividend", 16: "dividend", 17: "tax",
}  # fmt: skip
_ENTRIES = {mt5.DEAL_ENTRY_IN: "in", mt5.DEAL_ENTRY_INOUT: "reverse"}


def magic_of(order_id: str) -> int:
    """The number that carries an order's id: its first 31 bits, never 0."""
    return int(order_id[:8], 16) & 0x7FFF_FFFF or 1


def is_of(deal: Any, order: VenueOrder, name: str, *, shared: bool = False) -> bool:
    """Whether a deal of the terminal executes an order of ours; `name`: the symbol's there.

    `shared`: its position is several strategies', where an entry may close and an exit open.
    """
    if not _carries(deal, order, name) or (not shared and is_amiss(deal, order, name)):
        return False
    foreign = len(deal.comment) >= 8 and set(deal.comment) <= set("0123456789abcdef")
    return not foreign or order.order_id.startswith(deal.comment)


def is_amiss(deal: Any, order: VenueOrder, name: str) -> bool:
    """Whether an order of ours met what is not ours: an entry that closed, on a netting account."""
    opened = deal.entry == mt5.DEAL_ENTRY_IN
    return _carries(deal, order, name) and opened != (order.position == 0)


def _carries(deal: Any, order: VenueOrder, name: str) -> bool:
    side = mt5.DEAL_TYPE_BUY if order.side == "buy" else mt5.DEAL_TYPE_SELL
    marks = (deal.magic, deal.symbol, deal.type) == (magic_of(order.order_id), name, side)
    return marks and deal.reason not in _OWN_CLOSINGS


def is_trade(deal: Any) -> bool:
    """Whether a deal bought or sold something."""
    return deal.type in (mt5.DEAL_TYPE_BUY, mt5.DEAL_TYPE_SELL)


def cause_of(deal: Any) -> str:
    """Who or what made a deal: stop, take_profit, stop_out, manual, expert, deposit, ..."""
    if is_trade(deal):
        return _REASONS.get(deal.reason, "manual")
    if deal.type == mt5.DEAL_TYPE_BALANCE:
        return "deposit" if deal.profit >= 0 else "withdrawal"
    return _MONEY.get(deal.type, "other")


def fill_of(deal: Any) -> Fill:
    """A deal as a fill of ours, or as a closing of ours by the broker or a person."""
    return Fill(
        order=deal.order, deal=deal.ticket, position=deal.position_id,
        time_us=deal.time_msc * 1000, side="buy" if deal.type == mt5.DEAL_TYPE_BUY else "sell",
        volume=deal.volume, price=deal.price, commission=round(deal.commission + deal.fee, 8),
        swap=deal.swap, profit=deal.profit, cause=_OWN_CLOSINGS.get(deal.reason, "manual"),
    )  # fmt: skip


def deal_of(deal: Any, source: str, symbol: str) -> Deal:
    """Any line of the history; source and symbol are empty for money."""
    fill = fill_of(deal)
    cause = cause_of(deal)
    entry = _ENTRIES.get(deal.entry, "out") if is_trade(deal) else ""
    return Deal(replace(fill, cause=cause), source, symbol, deal.magic, entry, deal.comment)
