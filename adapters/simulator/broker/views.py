"""MetaTrader 5's named tuples from the simulated account's own state."""

from typing import Any

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import (
    AccountInfo,
    OrderCheckResult,
    OrderSendResult,
    Tick,
    TradePosition,
)
from adapters.mt5.protocol.symbol_info import SymbolInfo
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.real.symbols import Feed
from adapters.simulator.broker.costs import money
from adapters.simulator.broker.matching import AccountPosition
from adapters.simulator.broker.stop_out import LEVEL
from adapters.simulator.broker.totals import Totals
from adapters.simulator.markets.tape import Quote, Ticks
from core.instruments import Instrument

_EXPIRATIONS = 1 | 2 | 4  # until cancelled, the day, a time
_ORDERS = 1 | 2 | 4 | 16 | 32  # market, limit, stop; stop-loss, take-profit


def account_info(totals: Totals, login: int, currency: str, netting: bool) -> AccountInfo:
    """`account_info()` of a demo account."""
    mode = mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
    if netting:
        mode = mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING
    equity = totals.equity
    level = round(100 * equity / totals.margin, 2) if totals.margin else 0.0
    return AccountInfo(
        login=login, trade_mode=mt5.ACCOUNT_TRADE_MODE_DEMO, leverage=30, limit_orders=0,
        margin_so_mode=mt5.ACCOUNT_STOPOUT_MODE_PERCENT, trade_allowed=True, trade_expert=True,
        margin_mode=mode, currency_digits=2, fifo_close=False,
        balance=totals.balance, credit=totals.credit, profit=totals.profit, equity=equity,
        margin=totals.margin, margin_free=money(equity - totals.margin), margin_level=level,
        margin_so_call=100.0, margin_so_so=100 * LEVEL, margin_initial=0.0, margin_maintenance=0.0,
        assets=0.0, liabilities=0.0, commission_blocked=0.0, name="Simulated",
        server="Tickhouse-Simulated", currency=currency, company="Tickhouse",
    )  # fmt: skip


def order_check(totals: Totals, result: OrderSendResult, retcode: int) -> OrderCheckResult:
    """`order_check()`: the account after a request, or as it is when that would be refused."""
    equity = totals.equity
    level = round(100 * equity / totals.margin, 2) if totals.margin else 0.0
    comment = "Done" if retcode == 0 else result.comment
    return OrderCheckResult(
        retcode=retcode, balance=totals.balance, equity=equity, profit=totals.profit,
        margin=totals.margin, margin_free=money(equity - totals.margin), margin_level=level,
        comment=comment, request=result.request,
    )  # fmt: skip


def position(held: AccountPosition, price: float, profit: float) -> TradePosition:
    """One open position at the price at which it would close."""
    return TradePosition(
        ticket=held.ticket, time=held.time_msc // 1000, time_msc=held.time_msc,
        time_update=held.updated_msc // 1000, time_update_msc=held.updated_msc,
        type=mt5.POSITION_TYPE_BUY if held.long else mt5.POSITION_TYPE_SELL, magic=held.magic,
        identifier=held.identifier, reason=mt5.POSITION_REASON_EXPERT, volume=held.volume,
        price_open=held.price, sl=held.sl, tp=held.tp, price_current=price, swap=held.swap,
        profit=profit, symbol=held.symbol, comment=held.comment, external_id="",
    )  # fmt: skip


def tick(row: Any) -> Tick:
    """`symbol_info_tick()` from one row of MT5_TICK."""
    return Tick(
        time=int(row["time"]), bid=float(row["bid"]), ask=float(row["ask"]),
        last=float(row["last"]), volume=int(row["volume"]), time_msc=int(row["time_msc"]),
        flags=int(row["flags"]), volume_real=float(row["volume_real"]),
    )  # fmt: skip


def no_ticks() -> Ticks:
    """An empty array of ticks."""
    return np.zeros(0, MT5_TICK)


def symbol_info(name: str, feed: Feed, known: Instrument | None, quote: Quote | None) -> SymbolInfo:
    """`symbol_info()`; without reference data trading is disabled and digits are a guess."""
    source, symbol = feed
    bid, ask = (quote.bid, quote.ask) if quote else (0.0, 0.0)
    shown = SymbolInfo(
        name=name, path=f"{source}\\{symbol}", bid=bid, ask=ask, digits=5, point=1e-5,
        time=quote.time_msc // 1000 if quote else 0, trade_mode=mt5.SYMBOL_TRADE_MODE_DISABLED,
    )  # fmt: skip
    if known is None:
        return shown
    return shown._replace(
        digits=known.digits, point=known.point, spread=round((ask - bid) / known.point),
        description=known.description, trade_mode=mt5.SYMBOL_TRADE_MODE_FULL,
        trade_exemode=mt5.SYMBOL_TRADE_EXECUTION_INSTANT,
        trade_calc_mode=mt5.SYMBOL_CALC_MODE_CFDLEVERAGE,
        filling_mode=mt5.SYMBOL_FILLING_FOK | mt5.SYMBOL_FILLING_IOC,
        expiration_mode=_EXPIRATIONS, order_mode=_ORDERS,
        swap_mode=mt5.SYMBOL_SWAP_MODE_POINTS, swap_rollover3days=mt5.DAY_OF_WEEK_WEDNESDAY,
        trade_tick_size=known.point, trade_contract_size=known.contract_size,
        volume_min=known.volume_min, volume_max=known.volume_max, volume_step=known.volume_step,
        swap_long=known.swap_long, swap_short=known.swap_short, margin_initial=known.margin_rate,
        currency_base=known.base, currency_profit=known.quote, currency_margin=known.quote,
    )  # fmt: skip
