"""Order events, positions, account, risk states and heartbeats into their tables.

bus: order_events ─┬─>  exposure  ─┐   live on NATS; on Kafka a Quix application keeps it
bus: risk         ─┼─>  to_rows  ──┴─>  warehouse
bus: heartbeats   ─┘
"""

from collections.abc import Sequence

from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import Source
from bytewax.outputs import Sink

from adapters.bus.base import Message
from adapters.clickhouse.rows import latency_columns, message_columns, process_columns
from core.contracts import codec
from core.contracts.exposure import ExposureRate
from core.contracts.firm import FirmRuleState
from core.contracts.operations import Heartbeat, RiskState
from core.contracts.order import AccountState, ExecutionMarker, OrderEvent, PositionState
from core.contracts.twin import TwinComparison
from core.topics import ORDER_EVENTS
from streams import exposure
from streams.rows import Rows

_TABLES: dict[type, str] = {
    OrderEvent: "order_event",
    PositionState: "position",
    AccountState: "account_state",
    TwinComparison: "twin_comparison",
    RiskState: "risk_state",
    FirmRuleState: "firm_rule_state",
}


def build(
    sources: Sequence[tuple[str, Source[Message]]], sink: Sink[Rows], *, exposed: bool = False
) -> Dataflow:
    """The flow. `sources`: (topic, source), each topic once. `exposed`: exposure is kept here."""
    flow = Dataflow("executions")
    messages = op.merge(
        "merge", *(op.input(f"bus_{topic}", flow, source) for topic, source in sources)
    )
    # Message(topic="order_events", key="simulated", sequence=3, payload=b"...")
    rows = op.flat_map("to_rows", messages, to_rows)
    # Rows(table="order_event", columns=(seq, event_id, kind, ...), size=1)
    if exposed:
        changes = op.flat_map("to_account", messages, to_account)
        # ("desk", PositionState(source="oanda", symbol="EURUSD", volume=0.5, ...))
        rates = op.stateful_flat_map("exposure", changes, exposure.fold)
        # ("desk", ExposureRate(net_lots=0.5, messages_60s=3, ...))
        rows = op.merge("tables", rows, op.map("to_exposure_rows", rates, to_exposure_rows))
    keyed = op.key_on("to_one_writer", rows, lambda _: "warehouse")
    op.output("warehouse", keyed, sink)
    return flow


def to_account(message: Message) -> list[tuple[str, OrderEvent | PositionState]]:
    """What changes an account's exposure, by account."""
    if message.topic != ORDER_EVENTS.name:
        return []
    content = codec.decode(message.topic, message.payload)
    return [(content.account, content)] if isinstance(content, OrderEvent | PositionState) else []


def to_exposure_rows(rated: tuple[str, ExposureRate]) -> Rows:
    """One row."""
    return Rows("exposure_rate", message_columns([rated[1]]), 1)


def to_rows(message: Message) -> list[Rows]:
    """The rows of one message; none for a replay's markers."""
    content = codec.decode(message.topic, message.payload)
    if isinstance(content, ExecutionMarker):
        return []
    if isinstance(content, Heartbeat):
        buckets = sum(len(counts) for counts in content.stages.values())
        state = Rows("process_state", process_columns([content]), 1)
        measured = Rows("stage_latency", latency_columns([content]), buckets)
        return [state, measured] if buckets else [state]
    return [Rows(_TABLES[type(content)], message_columns([content]), 1)]
