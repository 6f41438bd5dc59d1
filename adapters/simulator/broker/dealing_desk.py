"""The broker's side of `order_send`: what a script of faults makes of each request.

Between the simulated package and its account: requests that get lost, come late, fill in part or
bit by bit, or are done twice, and what is left of an order in the meantime.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult, TradeOrder
from adapters.simulator.broker import operations, pending
from adapters.simulator.broker.account import trade_request
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.terminal import SimulatedTerminal

_FAR_S = 4_102_444_800.0
_TINY = 1e-9


class Working(msgspec.Struct):
    """An order that fills bit by bit."""

    request: dict[str, Any]
    left: float
    part: float
    every_ms: int
    due_msc: int


class Desk:
    """Executes requests at one simulated terminal.

    Args:
        now_msc: the market's time.
        sleep: waits so many seconds of it.
    """

    def __init__(
        self, terminal: SimulatedTerminal, now_msc: Callable[[], int],
        sleep: Callable[[float], None], faults: Faults,
    ) -> None:  # fmt: skip
        self._terminal, self._now_msc, self._sleep, self._faults = terminal, now_msc, sleep, faults
        self._late: list[tuple[int, Mapping[str, Any]]] = []
        self._working: dict[int, Working] = {}
        self._left: dict[int, float] = {}  # by finished order: lots asked for and not filled
        self._volumes: dict[int, float] = {}  # by order: lots, where its first part is less

    def order_send(self, request: Mapping[str, Any]) -> OrderSendResult | None:
        """Meet the next fault of the script; None for no answer."""
        fault = self._faults.take()
        refusal = self._refusal(request)
        if refusal:
            return _answer(request, *refusal)
        if request.get("action") == mt5.TRADE_ACTION_REMOVE and not fault:
            return self._remove(request)
        return self._faulty(request, fault) if fault else self._execute(request)

    def advance(self, now_msc: int) -> None:
        """Do what is due: late requests, further parts of working orders."""
        for due, request in [late for late in self._late if late[0] <= now_msc]:
            self._terminal.at(due)
            self._late_one(request)
        self._late = [late for late in self._late if late[0] > now_msc]
        for ticket in list(self._working):
            while ticket in self._working and self._working[ticket].due_msc <= now_msc:
                self._next_part(ticket)
        self._terminal.at(now_msc)

    def working(self) -> list[TradeOrder]:
        """Orders that wait for their price, and what is left of those that fill bit by bit."""
        shown = list(self._terminal.orders_get())
        for order in self._terminal.history_orders_get(0.0, _FAR_S) if self._working else ():
            if order.ticket in self._working:
                left = self._working[order.ticket].left
                order_left = self._with(order, left, mt5.ORDER_STATE_PARTIAL)
                shown.append(order_left._replace(time_done=0, time_done_msc=0))
        return shown

    def finished(self, order: TradeOrder) -> TradeOrder | None:
        """A finished order as the history shows it; None while it still works."""
        if order.ticket in self._working:
            return None
        if order.ticket not in self._left and order.ticket not in self._volumes:
            return order
        left = self._left.get(order.ticket, 0.0)
        return self._with(order, left, mt5.ORDER_STATE_CANCELED if left else order.state)

    def _with(self, order: TradeOrder, left: float, state: int) -> TradeOrder:
        volume = self._volumes.get(order.ticket, order.volume_initial)
        return order._replace(volume_initial=volume, volume_current=left, state=state)

    def _faulty(self, request: Mapping[str, Any], fault: Fault) -> OrderSendResult | None:
        deals = request.get("action") == mt5.TRADE_ACTION_DEAL
        if fault.kind == "refuse":
            return _answer(request, fault.retcode, "refused by the script")
        if fault.kind == "slow":
            answer = self._execute(request)
            self._sleep(fault.delay_ms / 1000)
            return answer
        waits = request.get("action") == mt5.TRADE_ACTION_PENDING
        if waits and fault.kind in ("partial", "staggered"):
            return self._in_parts(request, fault)
        if fault.kind in ("partial", "staggered", "twice"):
            return getattr(self, f"_{fault.kind}")(request, fault) if deals else self._any(request)
        if fault.kind == "late":
            self._late.append((self._now_msc() + fault.delay_ms, dict(request)))
        elif fault.kind == "lost_answer":
            self._any(request)
        self._sleep(1.0)
        return _answer(request, fault.retcode, "no answer") if fault.retcode else None

    def _any(self, request: Mapping[str, Any]) -> OrderSendResult:
        removes = request.get("action") == mt5.TRADE_ACTION_REMOVE
        return self._remove(request) if removes else self._execute(request)

    def _late_one(self, request: Mapping[str, Any]) -> None:
        if request.get("action") == mt5.TRADE_ACTION_REMOVE:
            self._remove(request)
        else:
            self._terminal.decide(request)

    def _twice(self, request: Mapping[str, Any], fault: Fault) -> OrderSendResult:
        answer = self._execute(request)
        if answer.retcode == mt5.TRADE_RETCODE_DONE and not request.get("position"):
            self._late.append((self._now_msc() + fault.delay_ms, dict(request)))
            self._faults.done_twice.append(str(request.get("comment", "")))
        return answer

    def _partial(self, request: Mapping[str, Any], fault: Fault) -> OrderSendResult:
        part, rest = self._parts(request, fault.share)
        if request.get("type_filling") != mt5.ORDER_FILLING_IOC or not part:
            return self._execute(request)
        answer = self._execute({**request, "volume": part})
        if answer.retcode != mt5.TRADE_RETCODE_DONE:
            return answer
        self._left[answer.order], self._volumes[answer.order] = rest, request["volume"]
        return answer._replace(retcode=mt5.TRADE_RETCODE_DONE_PARTIAL)

    def _staggered(self, request: Mapping[str, Any], fault: Fault) -> OrderSendResult:
        part, rest = self._parts(request, fault.share)
        if not part:
            return self._execute(request)
        answer = self._execute({**request, "volume": part})
        if answer.retcode != mt5.TRADE_RETCODE_DONE:
            return answer
        second, _ = self._parts({**request, "volume": rest}, 0.5)
        due = self._now_msc() + fault.delay_ms
        self._volumes[answer.order] = request["volume"]
        self._working[answer.order] = Working(
            dict(request), rest, second or rest, fault.delay_ms, due
        )
        return answer._replace(retcode=mt5.TRADE_RETCODE_DONE_PARTIAL)

    def _in_parts(self, request: Mapping[str, Any], fault: Fault) -> OrderSendResult:
        """Take an order that waits, and that its price fills bit by bit."""
        part, _ = self._parts(request, fault.share)
        if not part:
            return self._execute(request)
        self._terminal.at(self._now_msc())
        form = {"action": operations.IN_PARTS, "stoplimit": part, "deviation": fault.delay_ms}
        answer, _ = self._terminal.act({**request, **form})
        return answer

    def _next_part(self, ticket: int) -> None:
        order = self._working[ticket]
        volume = min(order.part, order.left)
        self._terminal.at(order.due_msc)
        again = {**order.request, "action": operations.PART, "order": ticket, "volume": volume}
        answer, _ = self._terminal.act({**again, "price": 0.0})
        order.due_msc += order.every_ms
        order.left = round(order.left - volume, 8)
        if answer.retcode != mt5.TRADE_RETCODE_DONE:
            self._left[ticket] = round(order.left + volume, 8)
            del self._working[ticket]
        elif order.left < _TINY:
            del self._working[ticket]
        else:
            order.part = order.left

    def _remove(self, request: Mapping[str, Any]) -> OrderSendResult:
        order = self._working.pop(int(request["order"]), None)
        if order is None:
            return self._execute(request)
        self._left[int(request["order"])] = order.left
        return _answer(request, mt5.TRADE_RETCODE_DONE, "Request executed")

    def _parts(self, request: Mapping[str, Any], share: float) -> tuple[float, float]:
        """A first part and the rest in whole steps; zeros when it cannot be parted."""
        known = self._terminal.symbol_info(request["symbol"])
        step = known.volume_step if known else 0.01
        part = round(round(request["volume"] * share / step) * step, 8)
        rest = round(request["volume"] - part, 8)
        return (part, rest) if part >= step - _TINY and rest >= step - _TINY else (0.0, 0.0)

    def _execute(self, request: Mapping[str, Any]) -> OrderSendResult:
        before = self._now_msc()
        self._terminal.at(before)
        answer, _ = self._terminal.decide(request)
        deal = self._terminal.history_deals_get(before / 1000, _FAR_S)[-1:]
        if answer.retcode == mt5.TRADE_RETCODE_DONE and answer.deal and deal:
            self._sleep(max(deal[0].time_msc - before, 0) / 1000)
        self._terminal.at(self._now_msc())
        return answer

    def _refusal(self, request: Mapping[str, Any]) -> tuple[int, str] | None:
        form = trade_request(request)
        if not self._faults.autotrading:
            return mt5.TRADE_RETCODE_CLIENT_DISABLES_AT, "AutoTrading disabled by client"
        if form.action == mt5.TRADE_ACTION_REMOVE:
            return None
        bit = {mt5.ORDER_FILLING_FOK: 1, mt5.ORDER_FILLING_IOC: 2}.get(form.type_filling, 0)
        if form.action == mt5.TRADE_ACTION_DEAL and not self._faults.filling_modes & bit:
            return mt5.TRADE_RETCODE_INVALID_FILL, "Unsupported filling mode"
        info = self._terminal.symbol_info(form.symbol)
        if info is None:
            return None
        held = [p for p in self._terminal.positions_get() if p.ticket == form.position]
        if form.action == mt5.TRADE_ACTION_SLTP and held:
            return self._refused_change(form, held[0], info)
        if form.action == mt5.TRADE_ACTION_PENDING:
            market = info.ask if pending.buys(form) else info.bid
            near = self._too_near(form.price, 0.0, market, info.point)
            return near or self._too_near(form.sl, form.tp, form.price, info.point)
        long = form.type == mt5.ORDER_TYPE_BUY
        return self._too_near(form.sl, form.tp, info.bid if long else info.ask, info.point)

    def _refused_change(self, form: Any, held: Any, info: Any) -> tuple[int, str] | None:
        price = info.bid if held.type == mt5.POSITION_TYPE_BUY else info.ask
        frozen = self._faults.freeze_level * info.point
        levels = [level for level in (held.sl, held.tp) if level]
        if frozen and any(abs(price - level) <= frozen for level in levels):
            return mt5.TRADE_RETCODE_FROZEN, "Position frozen: too near to the market"
        return self._too_near(form.sl, form.tp, price, info.point)

    def _too_near(self, sl: float, tp: float, price: float, point: float) -> tuple[int, str] | None:
        least = self._faults.stops_level * point - _TINY
        if least > 0 and any(level and abs(price - level) < least for level in (sl, tp)):
            return mt5.TRADE_RETCODE_INVALID_STOPS, "Invalid stops: too near"
        return None


def _answer(request: Mapping[str, Any], retcode: int, comment: str) -> OrderSendResult:
    form = trade_request(request)
    return OrderSendResult(
        retcode=retcode, deal=0, order=0, volume=0.0, price=0.0, bid=0.0, ask=0.0, comment=comment,
        request_id=0, retcode_external=0, request=form,
    )  # fmt: skip
