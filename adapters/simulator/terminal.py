"""The simulated terminal: MetaTrader 5's functions over a recorded or generated market.

On a recorded market the caller's `at` is the clock, and orders fill at once. On a generated one
the clock is the machine's, and `order_send` returns when the modelled broker would. Only calls
about the account move it on to that time; looking at prices does not.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.recorded_market import MarketSlice
from adapters.mt5.protocol.results import (
    AccountInfo,
    OrderCheckResult,
    OrderSendResult,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from adapters.mt5.protocol.symbol_info import SymbolInfo
from adapters.simulator.broker import operations, pending, views
from adapters.simulator.broker.account import SimulatedAccount
from adapters.simulator.broker.answers import AcceptedFill
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.broker.matching import Refused
from adapters.simulator.broker.request_log import RequestLog
from adapters.simulator.markets.tape import TapedMarket, Ticks
from core.crashpoint import reach
from core.errors import JournalError

_SUCCESS = (mt5.RES_S_OK, "Success")
_LONGEST_WAIT_S = 5.0


class SimulatedTerminal:
    """Implements Terminal. Deterministic: the same calls at the same market times give the same.

    Args:
        market: recorded (`at` is the clock) or generated (the machine's clock).
        log: file of accepted requests; without one the account is in memory only.
        balance, currency: of the account, when it begins.
        seed: of latency and slippage.
        netting: one position per symbol; else every entry opens its own.
        now_msc: the clock of a live market.

    Raises:
        JournalError: the log is damaged, or does not fit market and settings.
    """

    def __init__(
        self,
        market: TapedMarket,
        *,
        log: Path | None = None,
        balance: float = 100_000.0,
        currency: str = "USD",
        seed: int = 7,
        login: int = 1,
        netting: bool = False,
        frictions: Frictions | None = None,
        now_msc: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        frictions = frictions or Frictions()
        self._market, self._clock, self._now_msc = market, now_msc, 0
        self._login, self._currency = login, currency
        self._error = _SUCCESS
        self._log: RequestLog | None = None
        # A recorded market has no time of its own before the first call; a live one has opened now.
        began: dict[str, Any] = {}
        if market.live:
            began = {"opened_msc": now_msc(), "market": getattr(market, "traits", ())}
        if log is not None:
            header: dict[str, Any] = {
                "account": 1, "balance": balance, "currency": currency, "seed": seed,
                "frictions": frictions, "feeds": market.feeds(),
            }  # fmt: skip
            if netting:
                header["netting"] = True
            self._log = RequestLog(log, header, began)
            began = self._log.began
        if hasattr(market, "began"):
            market.began(began.get("opened_msc", 0), began.get("market", ()))
        self._account = SimulatedAccount(
            market, balance, currency, seed, frictions, netting=netting,
            opened_msc=began.get("opened_msc", 0),
        )  # fmt: skip
        if self._log is not None:
            try:
                self._rebuild(self._log)
            except JournalError:
                self._log.close()
                raise

    def at(self, now_msc: int) -> None:
        """The caller's market time; ignored when the market is live."""
        self._now_msc = now_msc

    def initialize(self) -> bool:
        """Always connected."""
        return True

    def shutdown(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last failure."""
        return self._error

    def terminal_info(self) -> TerminalInfo:
        """Connected, trading allowed."""
        return TerminalInfo()

    def account_info(self) -> AccountInfo:
        """The account at the caller's time."""
        now = self._now()
        totals = self._account.totals(self._account.state(now), now)
        return views.account_info(totals, self._login, self._currency, self._account.netting)

    def symbols_get(self) -> tuple[SymbolInfo, ...]:
        """All symbols; `path` is `source\\symbol`."""
        return tuple(self._symbol_info(name) for name in self._account.feeds)

    def symbol_info(self, symbol: str) -> SymbolInfo | None:
        """One symbol, from the reference data and its newest quote."""
        return self._symbol_info(symbol) if self._known(symbol) else None

    def symbol_info_tick(self, symbol: str) -> Tick | None:
        """The newest tick at the caller's time."""
        if not self._known(symbol):
            return None
        tape, now = self._market.tape(*self._account.feeds[symbol]), self._now()
        quote = tape.last_until(now)
        if quote is None:
            self._fail(mt5.RES_E_NOT_FOUND, f"no tick of {symbol} yet")
            return None
        return views.tick(tape.ticks_between(quote.time_msc, quote.time_msc, 1 << 20)[-1])

    def copy_ticks_from(
        self, symbol: str, date_from: float, count: int, flags: int
    ) -> Ticks | None:
        """Up to `count` ticks from a time (epoch seconds, inclusive) to the caller's time."""
        if not self._known(symbol):
            return None
        tape = self._market.tape(*self._account.feeds[symbol])
        return tape.ticks_between(_msc(date_from), self._now(), count)

    def copy_ticks_range(
        self, symbol: str, date_from: float, date_to: float, flags: int
    ) -> Ticks | None:
        """Ticks between two times (epoch seconds, inclusive), not beyond the caller's time."""
        if not self._known(symbol):
            return None
        tape = self._market.tape(*self._account.feeds[symbol])
        return tape.ticks_between(_msc(date_from), min(_msc(date_to), self._now()), 1 << 40)

    def until_ticks(self, symbols: Sequence[str], after_msc: int, at_most_s: float) -> float:
        """Seconds until one of the symbols has a tick later than `after_msc`, at most so many.

        A live market alone knows when its next tick comes; on a recorded one nobody waits: 0.
        """
        if not self._market.live:
            return 0.0
        now = self._now()
        limit = now + round(min(max(at_most_s, 0.0), _LONGEST_WAIT_S) * 1000)
        tapes = (self._market.tape(*self._account.feeds[s]) for s in symbols if self._known(s))
        coming = (tape.first_from(after_msc + 1, limit) for tape in tapes)
        first = min((quote.time_msc for quote in coming if quote is not None), default=limit)
        return max(first - now, 0) / 1000

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float
    ) -> float | None:
        """Margin in account currency; None without reference data or conversion rate."""
        if not self._known(symbol):
            return None
        try:
            return self._account.pricing.margin(
                self._account.feeds[symbol], volume, price, self._now()
            )
        except Refused as refusal:
            self._fail(mt5.RES_E_FAIL, refusal.comment)
            return None

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult:
        """Decide a request; an accepted one is on disk when this returns.

        The same request again is a new request: whoever got no answer must ask first.
        """
        result, wait_s = self.decide(request)
        if wait_s > 0:
            time.sleep(wait_s)
        return result

    def decide(self, request: Mapping[str, Any]) -> tuple[OrderSendResult, float]:
        """`order_send` without its wait, which is returned in seconds (0 when recorded)."""
        if request.get("action") in operations.PRIVATE:
            request = {**request, "action": 0}
        return self.act(request)

    def act(self, request: Mapping[str, Any]) -> tuple[OrderSendResult, float]:
        """`decide`, also for what only a person or the broker does (`operations`)."""
        sent = self._now()
        outcome = self._account.decide(request, sent)
        self._error = _SUCCESS
        if not isinstance(outcome, AcceptedFill):
            return outcome, 0.0
        reach("terminal.send.before")
        if self._log is not None:
            self._log.append(_record(outcome, sent))
        reach("terminal.send.after")
        self._account.accept(outcome)
        return outcome.result, max(outcome.time_msc - sent, 0) / 1e3 if self._market.live else 0.0

    def order_check(self, request: Mapping[str, Any]) -> OrderCheckResult:
        """What the account would be if a request were done now; nothing is done."""
        now = self._now()
        outcome = self._account.decide(request, now)
        if not isinstance(outcome, AcceptedFill):
            totals = self._account.totals(self._account.state(now), now)
            return views.order_check(totals, outcome, outcome.retcode)
        after = self._account.totals(outcome.state, outcome.time_msc)
        return views.order_check(after, outcome.result, 0)

    def positions_get(
        self, symbol: str | None = None, ticket: int | None = None
    ) -> tuple[TradePosition, ...]:
        """Open positions at the caller's time, oldest first."""
        now = self._now()
        held = self._account.state(now).positions.values()
        return tuple(
            views.position(position, *self._account.pricing.floating(position, now))
            for position in held
            if symbol in (None, position.symbol) and ticket in (None, position.ticket)
        )

    def orders_get(
        self, symbol: str | None = None, ticket: int | None = None
    ) -> tuple[TradeOrder, ...]:
        """Limit and stop orders that wait at the caller's time, oldest first."""
        return tuple(
            pending.shown(
                order, mt5.ORDER_STATE_PARTIAL if order.filled else mt5.ORDER_STATE_PLACED
            )
            for order in self._account.state(self._now()).working.values()
            if symbol in (None, order.form.symbol) and ticket in (None, order.ticket)
        )

    def history_orders_get(self, date_from: float, date_to: float) -> tuple[TradeOrder, ...]:
        """Orders finished between two times (epoch seconds, inclusive)."""
        orders = self._account.state(self._now()).orders
        return tuple(orders.between(_msc(date_from), _msc(date_to)))

    def history_deals_get(self, date_from: float, date_to: float) -> tuple[TradeDeal, ...]:
        """Deals between two times (epoch seconds, inclusive).

        The deposit is a deal of the moment in which a live account was opened; at time 0 in a
        replay, and in accounts of versions before 0.3.
        """
        deals = self._account.state(self._now()).deals
        return tuple(deals.between(_msc(date_from), _msc(date_to)))

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """All (source, symbol), in a fixed order."""
        return self._market.feeds()

    def slice(self, number: int) -> MarketSlice | None:
        """RecordedMarket's slice; None when the market is live."""
        market_slice: MarketSlice | None = getattr(self._market, "slice", lambda _: None)(number)
        return market_slice

    def slice_ticks(self, number: int, source: str, symbol: str) -> npt.NDArray[Any]:
        """RecordedMarket's ticks of a slice; empty when the market is live."""
        if not hasattr(self._market, "slice_ticks"):
            return views.no_ticks()
        ticks: Ticks = self._market.slice_ticks(number, source, symbol)
        return ticks

    def _now(self) -> int:
        self._error = _SUCCESS
        return self._clock() if self._market.live else self._now_msc

    def _known(self, symbol: str) -> bool:
        if symbol in self._account.feeds:
            self._error = _SUCCESS
            return True
        self._fail(mt5.RES_E_NOT_FOUND, f"unknown symbol {symbol}")
        return False

    def _fail(self, code: int, text: str) -> None:
        self._error = (code, text)

    def _symbol_info(self, name: str) -> SymbolInfo:
        feed, now = self._account.feeds[name], self._now()
        quote = self._market.tape(*feed).last_until(now)
        return views.symbol_info(name, feed, self._account.pricing.instrument(feed, now), quote)

    def _rebuild(self, log: RequestLog) -> None:
        for number, record in enumerate(log.records(), 2):
            request, sent = record["request"], record["sent_msc"]
            outcome = self._account.decide(request, sent)
            if not _is_of(outcome, record):
                outcome = self._account.decide_as_before(request, sent)
            if not isinstance(outcome, AcceptedFill) or not _is_of(outcome, record):
                raise JournalError(
                    f"{log.path}, record {number}: the market no longer gives the recorded fill"
                    " (files, seed or reference data changed); restore them, or begin a new"
                    " account with another log"
                )
            self._account.accept(outcome)


def _is_of(outcome: AcceptedFill | OrderSendResult, record: dict[str, Any]) -> bool:
    return isinstance(outcome, AcceptedFill) and _record(outcome, record["sent_msc"]) == record


def _record(fill: AcceptedFill, sent_msc: int) -> dict[str, Any]:
    result = fill.result
    return {
        "sent_msc": sent_msc, "request": result.request._asdict(), "order": result.order,
        "deal": result.deal, "price": result.price, "time_msc": fill.time_msc,
        "balance": fill.state.balance,
    }  # fmt: skip


def _msc(seconds: float) -> int:
    return round(float(seconds) * 1000)
