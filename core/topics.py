"""Every topic of the bus: name, key, message type, and how durable a publish is."""

from typing import NamedTuple


class Topic(NamedTuple):
    """One topic. `synced`: a publish is on disk (fsync) before it is acknowledged."""

    name: str
    key: str
    synced: bool


TICKS = Topic("ticks", "source.symbol", synced=False)
SIGNALS = Topic("signals", "source.symbol", synced=True)
ORDER_EVENTS = Topic("order_events", "account", synced=True)
CONTROL = Topic("control", "kind", synced=True)
HEARTBEATS = Topic("heartbeats", "process", synced=False)
RISK = Topic("risk", "account", synced=True)
#: What models say now, thinned; for looking at, never for deciding.
PREDICTIONS = Topic("predictions", "source.symbol", synced=False)
AUDIT = Topic("audit", "stream", synced=True)
#: How feeds move together, each minute of market time, for pre-trade checks.
MARKET_RISK = Topic("market_risk", "kind", synced=False)

ALL = (TICKS, SIGNALS, ORDER_EVENTS, CONTROL, HEARTBEATS, RISK, PREDICTIONS, AUDIT, MARKET_RISK)
