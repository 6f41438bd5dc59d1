"""Exposure and message rate as a fold over an account's order events. Knows no framework.

On NATS the executions flow feeds it, on Kafka a Quix application: one formula.

Events may come again, in order, after a crash of whoever feeds it: the journal's numbers tell.
"""

from typing import Any

from core import instruments
from core.contracts.exposure import ExposureRate
from core.contracts.order import EventKind, OrderEvent, PositionState

_SENT = (
    EventKind.SUBMITTED, EventKind.STOP_MOVING, EventKind.CANCELLING, EventKind.MODIFYING,
)  # fmt: skip
_SECOND_US, _MINUTE_US = 1_000_000, 60_000_000

#: JSON: what Quix Streams keeps in its state store and changelog, Bytewax in its recovery store.
State = dict[str, Any]


def fold(
    state: State | None, message: OrderEvent | PositionState
) -> tuple[State, list[ExposureRate]]:
    """One step for a framework that keeps the state: of another run, it begins anew."""
    if state is None or state["run"] != message.run_id:
        state = initial(message.run_id)
    return state, update(state, message)


def initial(run_id: str) -> State:
    """Of an account of which nothing is known."""
    return {"run": run_id, "events": 0, "positions": 0, "held": {}, "sent": []}


def update(state: State, message: OrderEvent | PositionState) -> list[ExposureRate]:
    """Take one message into the state; what there is to tell, if it changed anything."""
    counter = "positions" if isinstance(message, PositionState) else "events"
    if message.seq <= state[counter]:
        return []
    state[counter] = message.seq
    if isinstance(message, PositionState):
        _hold(state, message)
    elif message.kind in _SENT:
        _send(state, message.ts_event_us)
    else:
        return []
    return [_rate(state, message)]


def _hold(state: State, position: PositionState) -> None:
    key = f"{position.source}.{position.symbol}.{position.strategy}"
    if position.volume:
        state["held"][key] = [position.volume, position.price]
    else:
        state["held"].pop(key, None)


def _send(state: State, at_us: int) -> None:
    sent = [us for us in state["sent"] if us > at_us - _MINUTE_US]
    state["sent"] = [*sent, at_us]


def _rate(state: State, message: OrderEvent | PositionState) -> ExposureRate:
    feed = f"{message.source}.{message.symbol}."
    mine = [held for key, held in state["held"].items() if key.startswith(feed)]
    known = instruments.instrument(message.symbol, message.ts_event_us)
    size = known.contract_size if known else 0.0
    now, sent = message.ts_event_us, state["sent"]
    return ExposureRate(
        message.run_id, message.mode, message.account, message.source, message.symbol, now,
        message.seq,
        net_lots=sum(lots for lots, _ in mine),
        net_notional=sum(lots * price for lots, price in mine) * size,
        gross_lots=sum(abs(lots) for lots, _ in state["held"].values()),
        messages_1s=sum(now - _SECOND_US < us <= now for us in sent),
        messages_60s=sum(now - _MINUTE_US < us <= now for us in sent),
    )  # fmt: skip
