"""Own orders, scored every hour: how unusual each was among those before it. It blocks nothing."""

import dagster as dg

from core.clock import SystemClock
from orchestration.defs.streams import TABLES, key_of
from orchestration.resources import Tickhouse
from orchestration.tables import table

_ORDERS = next(streamed for streamed in TABLES if streamed.table == "order_event")
_DAY_US = 86_400_000_000


class OrderScoreConfig(dg.Config):
    """Which orders."""

    run_id: str = ""  # "": of the settings
    days: float = 30.0  # of orders before, to learn from
    hours: float = 25.0  # so far back orders are scored, again those that were before
    until_us: int = 0  # microseconds UTC; 0: now


@dg.asset(
    group_name="watch",
    deps=[key_of(_ORDERS)],
    kinds={"scikit-learn"},
    description="How unusual our own orders are, by rules and by an isolation forest.",
)
def scored_orders(config: OrderScoreConfig, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Score and keep; `watch` alerts above the limit `rules.odd_order`."""
    from quality import own_orders

    settings = tickhouse.settings()
    until_us = config.until_us or SystemClock().now_us()
    since_us = until_us - round(config.hours * 3.6e9)
    from_us = since_us - round(config.days * _DAY_US)
    with tickhouse.connected() as client:
        run_id = config.run_id or settings.run.run_id
        orders = own_orders.read(client, run_id, from_us, until_us)
        scores = own_orders.scored(orders, since_us)
        own_orders.store(client, scores)
    odd = sorted((s for s in scores if s.score > own_orders.ALERT), key=lambda s: -s.score)
    rows = [
        (s.order.order_id, s.order.strategy, s.order.symbol, f"{s.score:.2f}", s.reason)
        for s in odd[:20]
    ]
    return dg.MaterializeResult(
        metadata={
            "scored": len(scores),
            "learned from": len(orders) - len(scores),
            "unusual": len(odd),
            "most unusual": table(("order", "strategy", "symbol", "score", "because of"), rows),
        }
    )
