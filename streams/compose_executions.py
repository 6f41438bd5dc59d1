"""Composition of the flow of executions: settings and bus to tables, and to what can be lost."""

import threading
from functools import partial
from typing import TYPE_CHECKING

from bytewax.dataflow import Dataflow

from adapters.bus.base import Bus
from core.contracts import codec
from core.contracts.risk import MarketRiskMessage
from core.health import Health
from core.metrics import Histograms
from core.settings import Settings
from core.topics import HEARTBEATS, MARKET_RISK, ORDER_EVENTS, RISK, TICKS
from streams import deal, shards
from streams.compose import drain_s, state_directory, warehouse_sink
from streams.connectors.bus import TopicShare, TopicsSource

if TYPE_CHECKING:
    from streams.flows.executions import RiskParts


def executions(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: order_events, risk, heartbeats -> their tables, and what follows from order events."""
    from streams.flows import executions as executions_flow

    count, number = shards.of_flow("executions", settings.streams), settings.streams.shard
    ours = partial(executions_flow.belongs, count, number) if count > 1 else None
    state = state_directory(settings, "executions")
    begun = deal.begin_of(state)
    read = [TopicShare(topic, ours) for topic in (ORDER_EVENTS, RISK, HEARTBEATS)]
    if settings.risk.enabled:
        read.append(TopicShare(TICKS))
    source = TopicsSource(
        bus, read, stopping, deal.starts(state, "executions"), drain_s=drain_s(settings)
    )
    sink = warehouse_sink(settings, "streams.executions", every_epoch=True, pending=begun.pending)
    exposed = settings.run.mode != "replay" and not settings.bus.is_kafka
    risk = _risk(settings, bus, begun) if settings.risk.enabled else None
    known = {key: state for (step, key), state in begun.states.items() if step == "exposure"}
    return executions_flow.build(source, sink, exposed=exposed, risk=risk, known=known)


def _risk(settings: Settings, bus: Bus, dealt: deal.Begin) -> "RiskParts":
    """What can be lost, from ticks and order events."""
    from risk.stress import available
    from streams.flows.executions import RiskParts
    from streams.portfolio_risk import RiskFold

    scenarios = available(settings.home_path)

    def publish(figures: MarketRiskMessage) -> None:
        bus.send(MARKET_RISK, "market", codec.encode(figures))

    def begun(state: RiskFold | None) -> RiskFold:
        kept = state or dealt.states.get(("risk", "risk"))
        fold = kept or RiskFold(settings.run, settings.risk)
        fold.use(scenarios, leads=settings.streams.shard == 0)
        return fold

    return RiskParts(begun, publish)
