"""Order events, positions, account, risk states and heartbeats into their tables.

bus: order_events ─┬─>  exposure  ─┐   live on NATS; on Kafka a Quix application keeps it
bus: risk         ─┼─>  to_rows  ──┼─>  warehouse
bus: heartbeats   ─┤               │
bus: ticks        ─┴─>  risk     ──┴─>  bus: market_risk
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import Sink

from adapters.bus.base import Message
from adapters.clickhouse.rows import latency_columns, message_columns, process_columns
from core.contracts import codec
from core.contracts.exposure import ExposureRate
from core.contracts.firm import FirmRuleState
from core.contracts.operations import Heartbeat, RiskState
from core.contracts.order import AccountState, ExecutionMarker, OrderEvent, PositionState
from core.contracts.risk import MarketRiskMessage
from core.contracts.tick import TickBatch, TickMarker
from core.contracts.twin import TwinComparison
from core.topics import ORDER_EVENTS, TICKS
from streams import exposure
from streams.deal import SEVERAL
from streams.portfolio_risk import RiskFold
from streams.risk_rows import risk_rows
from streams.rows import Rows
from streams.shards import owner

_Changing = OrderEvent | PositionState

_TABLES: dict[type, str] = {
    OrderEvent: "order_event",
    PositionState: "position",
    AccountState: "account_state",
    TwinComparison: "twin_comparison",
    RiskState: "risk_state",
    FirmRuleState: "firm_rule_state",
}


def belongs(count: int, number: int, message: Message) -> bool:
    """Whether shard `number` of `count` takes a message: of its accounts, and every marker.

    Heartbeats are of processes, which are dealt likewise.
    """
    if owner(message.key, count) == number:
        return True
    if message.topic != ORDER_EVENTS.name:
        return False
    return isinstance(codec.decode(message.topic, message.payload), ExecutionMarker)


class RiskParts(NamedTuple):
    """What the step `risk` is made of; `make` receives the state of before a restart."""

    make: Callable[[RiskFold | None], RiskFold]
    publish: Callable[[MarketRiskMessage], None]


def build(
    source: Source[Message], sink: Sink[Rows], *, exposed: bool = False,
    risk: RiskParts | None = None, known: Mapping[str, exposure.State] = MappingProxyType({}),
) -> Dataflow:  # fmt: skip
    """The flow. `source`: of all topics. `exposed`: exposure is kept here.

    `known`: exposure by account, where nothing is committed yet.
    """
    flow = Dataflow("executions")
    messages = op.input(SEVERAL, flow, source)
    # Message(topic="order_events", key="simulated", sequence=3, payload=b"...")
    rows = op.flat_map("to_rows", messages, to_rows)
    # Rows(table="order_event", columns=(seq, event_id, kind, ...), size=1)
    if exposed:
        changes = op.flat_map("to_account", messages, to_account)
        # ("desk", PositionState(source="oanda", symbol="EURUSD", volume=0.5, ...))
        rates = op.stateful_flat_map("exposure", changes, partial(_exposure, known))
        # ("desk", ExposureRate(net_lots=0.5, messages_60s=3, ...))
        rows = op.merge("tables", rows, op.map("to_exposure_rows", rates, to_exposure_rows))
    if risk is not None:
        mixed = op.flat_map("to_risk", messages, to_risk)
        # ("risk", TickBatch(...)) or ("risk", PositionState(...))
        figures = op.stateful_batch("risk", mixed, lambda state: _Risk(risk, state))
        # ("risk", Rows(table="portfolio_risk", ...))
        rows = op.merge("risk_tables", rows, op.map("to_risk_rows", figures, lambda kept: kept[1]))
    keyed = op.key_on("to_one_writer", rows, lambda _: "warehouse")
    op.output("warehouse", keyed, sink)
    return flow


def _exposure(
    known: Mapping[str, exposure.State], state: exposure.State | None, message: _Changing
) -> tuple[exposure.State, list[ExposureRate]]:
    return exposure.fold(state or known.get(message.account), message)


def to_account(message: Message) -> list[tuple[str, OrderEvent | PositionState]]:
    """What changes an account's exposure, by account."""
    if message.topic != ORDER_EVENTS.name:
        return []
    content = codec.decode(message.topic, message.payload)
    return [(content.account, content)] if isinstance(content, OrderEvent | PositionState) else []


def to_risk(message: Message) -> list[tuple[str, Any]]:
    """What figures of risk follow from, all under one key: feeds move together."""
    if message.topic not in (TICKS.name, ORDER_EVENTS.name):
        return []
    content = codec.decode(message.topic, message.payload)
    kinds = TickBatch | TickMarker | PositionState | AccountState | ExecutionMarker
    return [("risk", content)] if isinstance(content, kinds) else []


class _Risk(StatefulBatchLogic[Any, Rows, RiskFold]):
    """Figures of the market to the bus at once, those of accounts when all of them is known."""

    def __init__(self, parts: RiskParts, state: RiskFold | None) -> None:
        self._parts, self._fold = parts, parts.make(state)

    def on_batch(self, values: list[Any]) -> tuple[list[Rows], bool]:
        for value in values:
            self._take(value)
        for message in self._fold.messages():
            self._parts.publish(message)
        return risk_rows(list(self._fold.rows())), False

    def _take(self, value: Any) -> None:
        if isinstance(value, TickBatch):
            self._fold.ticks(value)
        elif isinstance(value, TickMarker):
            self._fold.marker(value)
        else:
            self._fold.event(value)

    def snapshot(self) -> RiskFold:
        return self._fold


def to_exposure_rows(rated: tuple[str, ExposureRate]) -> Rows:
    """One row."""
    return Rows("exposure_rate", message_columns([rated[1]]), 1)


def to_rows(message: Message) -> list[Rows]:
    """The rows of one message; none for a replay's markers, or for ticks."""
    if message.topic == TICKS.name:
        return []
    content = codec.decode(message.topic, message.payload)
    if isinstance(content, ExecutionMarker):
        return []
    if isinstance(content, Heartbeat):
        buckets = sum(len(counts) for counts in content.stages.values())
        state = Rows("process_state", process_columns([content]), 1)
        measured = Rows("stage_latency", latency_columns([content]), buckets)
        return [state, measured] if buckets else [state]
    return [Rows(_TABLES[type(content)], message_columns([content]), 1)]
