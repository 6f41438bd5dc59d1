"""Messages of the bus into items: what a trader sees is a fold over what the processes said.

Each message sets a few keys; nothing here waits or asks anybody. What was there before the page
started comes from the warehouse (dashboards.live.history) through the same methods, and never
over anything newer.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from adapters.bus.base import Message
from core.clock import Clock
from core.contracts import codec
from core.contracts.firm import FirmRuleState
from core.contracts.operations import Control, Heartbeat, RiskState
from core.contracts.order import (
    AccountState,
    EventKind,
    OrderEvent,
    PositionState,
)
from core.contracts.prediction import Prediction
from core.contracts.signal import OrderSignal, Signal, SignalBatch
from core.contracts.tick import QuarantineBatch, TickBatch
from core.errors import MessageError
from dashboards.live import candles, shapes
from dashboards.live.candles import Candle
from dashboards.live.items import Items
from dashboards.live.latency import Latencies

MINUTES = 360  # candles kept per feed
EVENTS, DENIALS, MARKS = 200, 100, 400
DAY_MINUTES = 1440  # of the equity's curve

_OPEN = {
    EventKind.SUBMITTED,
    EventKind.ACCEPTED,
    EventKind.PARTIALLY_FILLED,
    EventKind.UNKNOWN,
    EventKind.CANCELLING,
    EventKind.MODIFYING,
    EventKind.MODIFIED,
    EventKind.UNMODIFIED,
}
#: Of a position or of the account: they say nothing of an order that is out.
_OTHERS = {
    EventKind.STOP_MOVING,
    EventKind.STOP_MOVED,
    EventKind.STOP_KEPT,
    EventKind.BOOKED,
}
_FILLS = {EventKind.PARTIALLY_FILLED, EventKind.FILLED, EventKind.CLOSED}


class LiveState:
    """What is known now. Every time is microseconds, UTC."""

    def __init__(self, items: Items, clock: Clock) -> None:
        self.items, self._clock = items, clock
        self._candles: dict[str, dict[int, Candle]] = {}
        self._latencies = Latencies()
        self._denied: Counter[str] = Counter()
        self._kept: dict[str, deque[str]] = {}
        self._newest: dict[str, int] = {}
        self._logged = 0
        self.has_story = False  # a signal or an order event came
        self._takers: dict[type, Callable[[Any], None]] = {
            TickBatch: self.ticks,
            QuarantineBatch: self._quarantine,
            Signal: self.signal,
            OrderSignal: self.waiting,
            SignalBatch: self._signals,
            Prediction: self.prediction,
            OrderEvent: self.order_event,
            PositionState: self.position,
            AccountState: self.account,
            RiskState: self.risk,
            FirmRuleState: self.firm_rule,
            Heartbeat: self.heartbeat,
            Control: self._control,
        }

    def take(self, message: Message) -> None:
        """Apply one message; one that cannot be read is logged for people and left out."""
        try:
            content = codec.decode(message.topic, message.payload)
        except MessageError as error:
            self.log(self._clock.now_us(), "error", str(error))
            return
        taker = self._takers.get(type(content))
        if taker is not None:
            taker(content)

    # -- the market ------------------------------------------------------------------------

    def ticks(self, batch: TickBatch) -> None:
        """Quote and candles of a feed."""
        ticks = batch.ticks
        if not len(ticks):
            return
        feed = f"{batch.source}/{batch.symbol}"
        last = ticks[int(ticks["time_msc"].argmax())]
        if int(last["time_msc"]) >= self._newest.get(feed, 0):
            self._newest[feed] = int(last["time_msc"])
            self.items.put(f"quote|{feed}", shapes.quote(batch.source, batch.symbol, last))
        for candle in candles.of_ticks(ticks):
            self.candle(feed, candle)

    def candle(self, feed: str, candle: Candle, *, earlier: bool = False) -> None:
        """Join a part of a minute; `earlier`: it is from before the parts known."""
        known = self._candles.setdefault(feed, {})
        parts = (candle, known.get(candle.time_s))
        if earlier and parts[1] is not None and not parts[1].last_msc:
            joined = candle  # both are of the warehouse, which knows more by now
        elif earlier and parts[1] is not None:
            joined = candles.joined(parts[0], parts[1])
        else:
            joined = candles.joined(parts[1], parts[0])
        known[candle.time_s] = joined
        self.items.put(f"bar|{feed}|{candle.time_s}", list(joined[:5]))
        while len(known) > MINUTES:
            oldest = min(known)
            del known[oldest]
            self.items.put(f"bar|{feed}|{oldest}", None)

    def _quarantine(self, batch: QuarantineBatch) -> None:
        for tick in batch.ticks[:1]:
            text = f"{batch.source} {batch.symbol}: {len(batch.ticks)} ticks refused, {tick.reason}"
            self.log(tick.time_msc * 1000, "warning", text)

    def prediction(self, prediction: Prediction) -> None:
        """The newest prediction of a feed; a flow that catches up repeats older ones."""
        key = f"prediction|{prediction.source}/{prediction.symbol}"
        self._latest(key, prediction.ts_event_us, shapes.prediction(prediction))

    def market(self, kind: str) -> None:
        """A mark that nobody overlooks on what is no real market."""
        if kind == "simulated":
            self.items.put("market", "simulated market, planted edge")

    def strategy(self, name: str) -> None:
        """Which one decides: whoever sees no prediction asks why."""
        self.items.put("strategy", name)

    def model(self, sha256: str, *, simulated: bool) -> None:
        """What is known of a model besides what it says."""
        self.items.put(f"model|{sha256}", {"simulated": simulated})

    # -- decisions and orders --------------------------------------------------------------

    def signal(self, signal: Signal) -> None:
        """A mark on the chart, and a line of the log."""
        self.has_story = True
        side = "long" if signal.target > 0 else "short" if signal.target < 0 else "flat"
        value = {
            "feed": f"{signal.source}/{signal.symbol}",
            "time": signal.ts_event_us,
            "side": side,
            "price": signal.reference_price,
            "confidence": signal.confidence,
        }
        self._keep("signal", signal.signal_id, value, MARKS)
        text = f"{signal.symbol} signal {side} at {signal.reference_price:g}"
        self.log(signal.ts_event_us, "signal", f"{text}, confidence {signal.confidence:.2f}")

    def waiting(self, signal: OrderSignal) -> None:
        """A line of the log: what waits for its price stands among the orders once it is sent."""
        self.has_story = True
        text = f"takes back order {signal.name}"
        if signal.action != "cancel":
            side = "buy" if signal.target > 0 else "sell"
            moves = " moves to" if signal.action == "modify" else ""
            text = f"order {signal.name}:{moves} {side} {signal.entry} at {signal.entry_price:g}"
        self.log(signal.ts_event_us, "signal", f"{signal.symbol} {text}")

    def _signals(self, batch: SignalBatch) -> None:
        for each in batch.signals:
            self._takers[type(each)](each)

    def order_event(self, event: OrderEvent) -> None:
        """Open orders, fills, denials and the log."""
        self.has_story = True
        key = f"order|{event.order_id}"
        if event.kind in _OPEN:
            self.items.put(key, shapes.order(event))
        elif event.kind not in _OTHERS:
            self.items.put(key, None)
        if event.kind in _FILLS:
            self._keep("fill", event.event_id, shapes.fill(event), MARKS)
        if event.kind is EventKind.DENIED:
            self._deny(event)
        if event.kind is not EventKind.RECEIVED:
            self.log(event.ts_event_us, str(event.kind), shapes.line_of(event))

    def _deny(self, event: OrderEvent) -> None:
        if f"denial|{event.event_id}" in self.items:
            return
        value = shapes.order(event) | {"limit": event.limit, "observed": event.observed}
        self._keep("denial", event.event_id, value, DENIALS)
        self._denied[event.reason] += 1
        self.items.put(f"denied|{event.reason}", self._denied[event.reason])

    def position(self, state: PositionState) -> None:
        """A symbol's net position; flat ones leave the list."""
        feed = f"{state.source}/{state.symbol}"
        value = {
            "feed": feed,
            "account": state.account,
            "volume": state.volume,
            "price": state.price,
            "stop": state.stop_price,
            "realised": state.profit_realised,
            "seq": state.seq,
        }
        self._latest(f"position|{state.account}|{feed}", state.seq, value)

    def account(self, state: AccountState) -> None:
        """Balance and equity as the terminal reports them."""
        value = {
            "account": state.account,
            "mode": state.mode,
            "currency": state.currency,
            "balance": state.balance,
            "equity": state.equity,
            "margin": state.margin,
            "time": state.ts_event_us,
        }
        if self._latest(f"account|{state.account}", state.ts_event_us, value):
            self.equity(state.ts_event_us // 60_000_000 * 60, state.equity, state.balance)

    def firm_rule(self, state: FirmRuleState) -> None:
        """What is left before one rule of the account's firm."""
        key = f"firm|{state.account}|{state.rule}"
        before = self.items.get(key)
        self._latest(key, state.ts_event_us, shapes.firm_rule(state))
        if state.broken_us and before is not None and not before["broken"]:
            rule = state.rule.replace("_", " ")
            text = f"{state.firm}: {rule}, {state.observed:,.2f} of {state.limit:,.2f}"
            self.log(state.broken_us, "broken", text)

    def equity(self, minute_s: int, equity: float, balance: float) -> None:
        """A point of the day's curve, one per minute, the newest word of each."""
        self._keep("equity", str(minute_s), [minute_s, equity, balance], DAY_MINUTES)

    # -- operations ------------------------------------------------------------------------

    def risk(self, state: RiskState) -> None:
        """Trading state, who said so and why."""
        key = f"risk|{state.account}"
        value = {
            "account": state.account,
            "mode": state.mode,
            "state": state.state,
            "by": state.by,
            "reason": state.reason,
            "since": state.ts_event_us,
        }
        if self._latest(key, state.ts_init_us, value):
            who = f" by {state.by}" if state.by else ""
            why = f": {state.reason}" if state.reason else ""
            self.log(state.ts_event_us, state.state, f"trading {state.state}{who}{why}")

    def heartbeat(self, beat: Heartbeat) -> None:
        """A process lives; how long its stages took."""
        value = {
            "process": beat.process,
            "status": beat.status,
            "detail": beat.detail,
            "time": beat.ts_event_us,
            "started": beat.incarnation_us,
        }
        self._latest(f"process|{beat.process}", beat.ts_event_us, value)
        for stage in self._latencies.add(beat):
            self.items.put(f"latency|{stage}", self._latencies.summary(stage, beat.ts_event_us))

    def link(self, name: str, up: bool, now_us: int, problem: str = "") -> None:
        """Whether bus or warehouse answers, and since when it does not."""
        before = self.items.get(f"link|{name}")
        if before is not None and before["up"] == up:
            return
        self.items.put(
            f"link|{name}", {"up": up, "since": now_us, "problem": "" if up else problem}
        )
        if before is not None or not up:
            change = "answers again" if up else f"does not answer: {problem}"
            self.log(now_us, "info" if up else "error", f"the {name} {change}")

    def log(self, time_us: int, kind: str, text: str) -> None:
        """A line of the event log."""
        self._logged += 1
        value = {"time": time_us, "kind": kind, "text": text, "n": self._logged}
        self._keep("event", f"{self._logged}", value, EVENTS)

    def _control(self, control: Control) -> None:
        if control.kind in ("halt", "resume"):
            text = f"{control.kind} asked for by {control.by}: {control.reason}"
            self.log(control.ts_event_us, "control", text)

    def _latest(self, key: str, order: int, value: dict[str, Any]) -> bool:
        if order < self._newest.get(key, -1):
            return False
        changed: bool = self.items.get(key) != value
        self._newest[key] = order
        self.items.put(key, value)
        return changed

    def _keep(self, kind: str, name: str, value: Any, most: int) -> None:
        key, kept = f"{kind}|{name}", self._kept.setdefault(kind, deque())
        if key not in self.items:
            kept.append(key)
        self.items.put(key, value)
        while len(kept) > most:
            self.items.put(kept.popleft(), None)
