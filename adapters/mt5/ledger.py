"""The books of the simulated account: balance, positions, orders, deals, and their tickets.

Tickets count up from 1 in the order of bookings, so equal requests give equal tickets. As in
MetaTrader 5, a position's ticket is that of the order that opened it, and the deposit is a deal.
"""

from msgspec.structs import replace

from adapters.mt5 import constants as mt5
from adapters.mt5.costs import money
from adapters.mt5.matching import Exit, Position
from adapters.mt5.results import TradeDeal, TradeOrder, TradeRequest
from adapters.mt5.symbols import Feed


class Ledger:
    """Books that `copy` can branch, so that a request is decided without changing them."""

    def __init__(self, balance: float) -> None:
        self.balance = balance
        self.at_msc = 0
        self.positions: dict[int, Position] = {}
        self.orders: list[TradeOrder] = []
        self.deals: list[TradeDeal] = [
            TradeDeal(
                1, 0, 0, 0, mt5.DEAL_TYPE_BALANCE, mt5.DEAL_ENTRY_IN, 0, 0, mt5.DEAL_REASON_CLIENT,
                0.0, 0.0, 0.0, 0.0, balance, 0.0, "", "deposit", "",
            )
        ]  # fmt: skip

    def copy(self) -> "Ledger":
        """An independent branch of the books."""
        branch = Ledger(0.0)
        branch.balance, branch.at_msc = self.balance, self.at_msc
        branch.positions = dict(self.positions)
        branch.orders, branch.deals = list(self.orders), list(self.deals)
        return branch

    def open(
        self, form: TradeRequest, feed: Feed, price: float, time_msc: int, sent_msc: int,
        margin: float, commission: float,
    ) -> None:  # fmt: skip
        """Book an entry. `margin` and `commission` (negative) in account currency."""
        ticket = len(self.orders) + 1
        self.positions[ticket] = Position(
            ticket, feed, form.symbol, form.type == mt5.ORDER_TYPE_BUY, form.volume, price,
            time_msc, time_msc, time_msc, form.sl, form.tp, 0.0, margin, form.magic, form.comment,
        )  # fmt: skip
        self._book(
            self.positions[ticket], form.type, mt5.DEAL_ENTRY_IN, mt5.DEAL_REASON_EXPERT,
            form.volume, price, (sent_msc, time_msc), (commission, 0.0, 0.0), form.comment,
            form.magic, form.type_filling,
        )  # fmt: skip

    def close(
        self, position: Position, form: TradeRequest, price: float, time_msc: int, sent_msc: int,
        profit: float, commission: float,
    ) -> None:  # fmt: skip
        """Book an exit by request, of all or part of a position; swap goes in proportion."""
        left = round(position.volume - form.volume, 8)
        swap = position.swap if left <= 0 else money(position.swap * form.volume / position.volume)
        if left <= 0:
            del self.positions[position.ticket]
        else:
            self.positions[position.ticket] = replace(
                position, volume=left, swap=money(position.swap - swap), updated_msc=time_msc,
                margin=money(position.margin * left / position.volume),
            )  # fmt: skip
        self._book(
            position, form.type, mt5.DEAL_ENTRY_OUT, mt5.DEAL_REASON_EXPERT, form.volume, price,
            (sent_msc, time_msc), (commission, swap, profit), form.comment, form.magic,
            form.type_filling,
        )  # fmt: skip

    def stop(
        self, position: Position, reached: Exit, digits: int, profit: float, commission: float
    ) -> None:
        """Book an exit by stop or take-profit, with the comment MetaTrader 5 gives it."""
        del self.positions[position.ticket]
        sl = reached.reason == mt5.DEAL_REASON_SL
        comment = f"[sl {position.sl:.{digits}f}]" if sl else f"[tp {position.tp:.{digits}f}]"
        time_msc = reached.quote.time_msc
        self._book(
            position, mt5.ORDER_TYPE_SELL if position.long else mt5.ORDER_TYPE_BUY,
            mt5.DEAL_ENTRY_OUT, reached.reason, position.volume, reached.price,
            (time_msc, time_msc), (commission, position.swap, profit), comment, position.magic,
            mt5.ORDER_FILLING_FOK,
        )  # fmt: skip

    def _book(
        self, position: Position, side: int, entry: int, reason: int, volume: float, price: float,
        times: tuple[int, int], amounts: tuple[float, float, float], comment: str, magic: int,
        filling: int,
    ) -> None:  # fmt: skip
        """One finished order and its deal. `amounts`: commission, swap, profit."""
        setup, done = times
        order, deal = len(self.orders) + 1, len(self.deals) + 1
        commission, swap, profit = amounts
        self.balance = money(self.balance + commission + swap + profit)
        self.orders.append(
            TradeOrder(
                order, setup // 1000, setup, done // 1000, done, 0, side, mt5.ORDER_TIME_GTC,
                filling, mt5.ORDER_STATE_FILLED, magic, position.ticket, 0, reason, volume, 0.0,
                price, position.sl, position.tp, price, 0.0, position.symbol, comment, "",
            )
        )  # fmt: skip
        self.deals.append(
            TradeDeal(
                deal, order, done // 1000, done, side, entry, magic, position.ticket, reason,
                volume, price, commission, swap, profit, 0.0, position.symbol, comment, "",
            )
        )  # fmt: skip
