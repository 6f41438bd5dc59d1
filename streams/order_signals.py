"""Orders that wait, from rows to signals: the price, the exits and the end of each (ADR 0021)."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.clock import Clock
from core.contracts.signal import OrderSignal, signal_id
from core.instruments import instrument
from core.sections import RunSettings
from features.catalog import NAMES
from strategies.desk import Member
from strategies.orders_form import (
    Order,
    Orders,
    OrdersStrategy,
    Request,
    Waiting,
    checked,
    of_row,
    prices,
    requests,
)
from streams.records import Predicted, Sampled
from streams.stop_distance import stop_distance

_VOLATILITY = NAMES.index("volatility_60s")
_DAY_MSC = 86_400_000
_MOST_DIGITS = 8  # of a price in a symbol that no reference data knows


class OrderDecider:
    """One strategy's orders. `clock`: when records are made; None in a replay."""

    def __init__(self, run: RunSettings, member: Member, clock: Clock | None) -> None:
        self._run, self._member, self._clock = run, member, clock

    def signals(self, predicted: Predicted, remembered: dict[str, bytes]) -> list[OrderSignal]:
        """Of one feed's rows; what waits now by each name is noted in `remembered`.

        Raises:
            SettingsError: the strategy gave no orders, or such as have no form.
        """
        strategy = cast(OrdersStrategy, self._member.strategy)
        given = strategy.orders(predicted.sampled.features, predicted.probabilities)
        return self.given(predicted, given, remembered)

    def given(
        self, predicted: Predicted, given: Any, remembered: dict[str, bytes]
    ) -> list[OrderSignal]:
        """Of what a strategy said of one feed's rows; see `signals`."""
        name, horizon_s = self._member.name, self._member.horizon_s
        several = checked(name, horizon_s, given, len(predicted.sampled.time_msc))
        wanted = self._requests(predicted, several, slice(None), remembered)
        return [self._signal(predicted, one) for one in sorted(wanted, key=_place)]

    def folded(
        self, predicted: Predicted, given: Iterable[tuple[int, Any]], remembered: dict[str, bytes]
    ) -> list[tuple[int, OrderSignal]]:
        """Of what a strategy that remembers gave of some rows, with the row of each.

        Raises:
            SettingsError: as `signals`.
        """
        wanted, name = list[Request](), self._member.name
        for row, orders in given:
            several, part = of_row(name, self._member.horizon_s, orders), slice(row, row + 1)
            of_this = self._requests(predicted, several, part, remembered)
            wanted += sorted((r._replace(row=row) for r in of_this), key=_place)
        return [(one.row, self._signal(predicted, one)) for one in wanted]

    def _requests(
        self, predicted: Predicted, several: Iterable[Orders], part: slice,
        remembered: dict[str, bytes],
    ) -> list[Request]:  # fmt: skip
        sampled, wanted = predicted.sampled, list[Request]()
        for orders in several:
            key = order_key(self._member.name, f"{sampled.source}.{sampled.symbol}", orders.name)
            before = Waiting.of(remembered.get(key, b""))
            sure, times = self._sure(predicted, orders, part), sampled.time_msc[part]
            price = _prices(sampled.symbol, times, sampled.mid[part], sure)
            after, of_name = requests(before, times, sure, price)
            if of_name:
                remembered[key] = after.packed()
                wanted += of_name
        return wanted

    def _sure(self, predicted: Predicted, orders: Orders, part: slice) -> Orders:
        """Of rows received in time; those from a model only where the models agree."""
        predictions, least = predicted.predictions, self._member.signals.min_agreement
        sure = np.ones(len(orders.direction), bool)
        if self._member.strategy.needs_model and predictions is not None:
            sure = ~predictions.veto[part] & (predictions.agreement[part] >= least)
        if predicted.sampled.late_ms is not None:
            sure &= predicted.sampled.late_ms[part] <= self._member.signals.expiry_s * 1000
        if sure.all():
            return orders
        return orders._replace(direction=np.where(sure, orders.direction, 0).astype(np.int8))

    def _signal(self, predicted: Predicted, request: Request) -> OrderSignal:
        sampled, order, row = predicted.sampled, request.order, request.row
        time_msc, seq, mid = (c[row].item() for c in (sampled.time_msc, sampled.seq, sampled.mid))
        now_us, member, predicts = time_msc * 1000, self._member, predicted.predictions is not None
        by = "" if member.sees_champion else f":{predicted.model}"
        named = f"{sampled.run_id}.{sampled.source}.{sampled.symbol}.{time_msc}.{seq}{by}"
        whose = f"{member.name}/{order.name}"
        return OrderSignal(
            signal_id=signal_id(
                sampled.run_id, whose, sampled.source, sampled.symbol, time_msc, seq
            ),
            run_id=sampled.run_id,
            mode=sampled.mode,
            account=self._run.account,
            strategy=member.name,
            source=sampled.source,
            symbol=sampled.symbol,
            ts_event_us=now_us,
            ts_init_us=self._clock.now_us() if self._clock else now_us,
            time_msc=time_msc,
            seq=seq,
            reference_price=mid,
            horizon_us=now_us + int(member.horizon_s * 1e6),
            expires_us=now_us + int(order.life_s * 1e6),
            confidence=order.confidence,
            model=predicted.model if member.strategy.needs_model else member.name,
            prediction_id=named if predicts else "",
            session_id=self._run.session_id,
            name=order.name,
            action=request.action,
            entry=order.entry,
            filling=order.filling,
            expiry=order.expiry,
            one_of=order.one_of,
            **self._terms(predicted, request),
        )

    def _terms(self, predicted: Predicted, request: Request) -> dict[str, Any]:
        """Size and prices; a cancel has none."""
        sampled, order, row = predicted.sampled, request.order, request.row
        if request.action == "cancel":
            return {"target": 0.0, "stop_price": 0.0}
        side, price = order.direction, request.price
        share = predicted.share if self._member.strategy.needs_model else 1.0
        away, gain = self._exits(sampled, row, order, price)
        digits = _digits(sampled.symbol, int(sampled.time_msc[row]) // _DAY_MSC)
        return {
            "target": side * order.size * share,
            "stop_price": round(price - side * away, digits),
            "entry_price": price,
            "take_profit": round(price + side * gain, digits) if gain else 0.0,
            "trail": away * self._member.exits.trail_stops,
        }

    def _exits(self, sampled: Sampled, row: int, order: Order, price: float) -> tuple[float, float]:
        """Distances of stop and take-profit from the order's price; 0: no take-profit."""
        away = price * (order.stop_bp or 0.0) / 10_000.0
        if order.stop_bp is None:
            away = stop_distance(
                self._member.signals, self._member.horizon_s, float(sampled.mid[row]),
                float(sampled.spread[row]), float(sampled.features[row, _VOLATILITY]),
            )  # fmt: skip
        if order.take_profit_bp is None:
            return away, away * self._member.exits.take_profit_stops
        return away, price * order.take_profit_bp / 10_000.0


def _prices(symbol: str, time_msc: Any, mid: Any, orders: Orders) -> npt.NDArray[np.float64]:
    """Where each row's order waits; reference data is dated, so by day."""
    days, price = time_msc // _DAY_MSC, np.empty(len(mid))
    for day in np.unique(days).tolist():
        rows = days == day
        price[rows] = prices(mid, orders, _digits(symbol, day))[rows]
    return price


def _digits(symbol: str, day: int) -> int:
    known = instrument(symbol, day * _DAY_MSC * 1000)
    return known.digits if known else _MOST_DIGITS


def order_key(strategy: str, feed: str, name: str) -> str:
    """Under which what waits by a name is kept: another version of the strategy finds it there."""
    return f"{strategy}/{feed}#{name}"


def _place(request: Request) -> tuple[int, str]:
    return request.row, request.order.name
