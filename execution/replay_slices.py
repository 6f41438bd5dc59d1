"""A replay's slices of market time, put together from the topics `ticks` and `signals`.

How the two topics interleave, how often the process was restarted and what was delivered twice
makes no difference: a slice is complete when both have said so, and then its content is fixed.
"""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeGuard

from adapters.bus.base import Message, Subscriber
from core.contracts import codec
from core.contracts.risk import MarketRisk, MarketRiskEnd
from core.contracts.signal import OrderSignal, ShardBatch, Signal, SignalBatch
from core.contracts.tick import TickArray, TickBatch, TickMarker
from core.errors import MessageError

Feed = tuple[str, str]
_WAIT_S = 0.2
_log = logging.getLogger(__name__)


class Slice(NamedTuple):
    """One slice of market time; `last` is empty and says that none follows."""

    number: int
    end_us: int
    ticks: dict[Feed, list[TickArray]]
    signals: list[Signal]
    last: bool = False
    risk: Sequence[MarketRisk] = ()  # of the minutes that ended in it


def order_of(signal: Signal) -> tuple[int, str, str, str, str]:
    """A signal's place within a slice: whatever the run is called, several strategies' at one tick
    are handled in the order of their names, and a strategy's target before its orders.
    """
    last = f"order {signal.name}" if isinstance(signal, OrderSignal) else signal.signal_id
    return signal.ts_event_us, signal.source, signal.symbol, signal.strategy, last


class SliceReader:
    """Reads slices in order; `stop` ends waiting, `idle` is called while waiting."""

    def __init__(
        self,
        ticks: Subscriber,
        signals: Subscriber,
        run_id: str,
        stop: threading.Event,
        idle: Callable[[], None] = lambda: None,
        figures: Subscriber | None = None,
    ) -> None:
        """`figures`: where the stream's of risk come from; None when nothing needs them."""
        self._figures = figures
        self._ticks, self._signals, self._run_id = ticks, signals, run_id
        self._stop, self._idle = stop, idle
        self._number, self._end_us = 0, 0
        self._complete = 0  # slice whose figures have all come
        self._rows: dict[Feed, int] = {}
        self._batches: dict[int, dict[int, list[Signal]]] = {}  # by shard and slice, not yet taken
        self._said: dict[int, float] = {}  # the last slice of which each shard told
        self._shards = 0  # nobody has told

    def next(self) -> Slice | None:
        """The next slice, when it is complete; None when told to stop."""
        part = self._next_ticks()
        if part is None or part.last:
            return part
        signals = self._signals_of(part.number)
        if signals is None:
            return None
        order = sorted(signals, key=order_of)
        risk = self._risk_of(part.number)
        return None if risk is None else part._replace(signals=order, risk=risk)

    def _next_ticks(self) -> Slice | None:
        ticks: dict[Feed, list[TickArray]] = {}
        while (message := self._wait(self._ticks)) is not None:
            if isinstance(message, TickBatch):
                self._add(ticks, message)
            elif isinstance(message, TickMarker) and message.kind == "end":
                return Slice(self._number, self._end_us, {}, [], last=True)
            elif _closes(message) and message.slice > self._number:
                self._number, self._end_us = message.slice, message.ts_event_us
                return Slice(self._number, self._end_us, ticks, [])
        return None

    def _add(self, ticks: dict[Feed, list[TickArray]], batch: TickBatch) -> None:
        feed, rows = (batch.source, batch.symbol), batch.ticks
        if batch.offset >= self._rows.get(feed, 0):  # else delivered twice
            self._rows[feed] = batch.offset + len(rows)
            ticks.setdefault(feed, []).append(rows)

    def _signals_of(self, number: int) -> list[Signal] | None:
        """Of all shards of the flow; None when told to stop."""
        while not self._shards or any(self._said.get(n, 0) < number for n in range(self._shards)):
            message = self._wait(self._signals)
            if message is None:
                return None
            if isinstance(message, SignalBatch):
                self._keep(message)
        parts = [slices.pop(number, []) for slices in self._batches.values()]
        return [signal for part in parts for signal in part]

    def _keep(self, batch: SignalBatch) -> None:
        """What comes again says the same, and what is past is not asked for any more."""
        shard = batch.shard if isinstance(batch, ShardBatch) else 0
        self._shards = batch.shards if isinstance(batch, ShardBatch) else 1
        if batch.slice >= self._number and (batch.signals or not batch.end):
            self._batches.setdefault(shard, {})[batch.slice] = batch.signals
        self._said[shard] = math.inf if batch.end else max(self._said.get(shard, 0), batch.slice)

    def _risk_of(self, number: int) -> list[MarketRisk] | None:
        """None when told to stop. Figures that come again are those that came."""
        by_time: dict[int, MarketRisk] = {}
        while self._figures is not None and self._complete < number:
            message = self._wait(self._figures)
            if message is None:
                return None
            if isinstance(message, MarketRisk) and message.slice >= number:
                by_time[message.ts_event_us] = message
            elif isinstance(message, MarketRiskEnd):
                self._complete = max(self._complete, message.slice)
        return [by_time[at] for at in sorted(by_time)]

    def _wait(self, subscriber: Subscriber) -> object | None:
        while not self._stop.is_set():
            message = subscriber.next(_WAIT_S)
            if message is None:
                self._idle()
            decoded = decode(message) if message else None
            if decoded is not None and getattr(decoded, "run_id", "") == self._run_id:
                return decoded
        return None


def _closes(message: object) -> TypeGuard[TickMarker]:
    return isinstance(message, TickMarker) and message.kind == "slice"


def decode(message: Message) -> object | None:
    """The message; None, and a line in the log, when it cannot be read."""
    try:
        content: object = codec.decode(message.topic, message.payload)
    except MessageError as error:
        _log.warning("skipped message %s: %s", message.sequence, error)
        return None
    return content
