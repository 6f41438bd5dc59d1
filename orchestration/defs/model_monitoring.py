"""The hourly look at models at work: quality and drift into tables, people told of drift."""

from typing import Any

import dagster as dg

from core.clock import SystemClock
from orchestration.alerts import notify_drift
from orchestration.defs.streams import TABLES, key_of
from orchestration.resources import Tickhouse
from orchestration.tables import table

_PREDICTION = next(streamed for streamed in TABLES if streamed.table == "prediction")


class WatchConfig(dg.Config):
    """What to look at."""

    hours: float = 24.0  # of market time up to now
    until_us: int = 0  # microseconds UTC; 0: now


@dg.asset(
    group_name="watch",
    deps=[key_of(_PREDICTION)],
    kinds={"onnx"},
    description="How champion and challenger did lately, and how far the market is from training.",
)
def model_watch(config: WatchConfig, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Watch, tell people of drift, and reduce trading if settings say so."""
    from models.monitoring.patrol import patrol, react
    from models.serving.card import Span
    from models.serving.registry import Registry

    with tickhouse.connected() as client:
        settings, clock = tickhouse.settings(), SystemClock()
        until_us = config.until_us or clock.now_us()
        span = Span(max(0, until_us - round(config.hours * 3.6e9)), until_us)
        result = patrol(client, Registry(settings.home_path / "models"), span, settings)
        done = react(settings.home_path, result.alert, settings, clock)
        if result.alert:
            notify_drift(
                settings, result.watched["champion"].model, f"{result.alert}. {done}".strip()
            )
    return dg.MaterializeResult(metadata=_metadata(result, done))


def _metadata(result: Any, done: str) -> dict[str, Any]:
    rows = [
        (role, q.member or "all members", f"{q.predictions:,}", f"{q.hit_rate:.1%}",
         f"{q.brier:.4f}", f"{q.brier_shares:.4f}", f"{q.vetoed:.1%}")
        for role, watched in result.watched.items()
        for q in watched.quality
    ]  # fmt: skip
    head = ("role", "", "rows", "hit rate", "Brier", "of shares", "vetoed")
    return {
        "quality": table(head, rows),
        "drift": result.alert or "none beyond the threshold",
        "trading": done or "untouched",
    }
