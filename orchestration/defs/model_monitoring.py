"""Models at work: every hour quality and drift into tables, every day the rule's word on the
challenger; people are told of drift and of proposals.
"""

from typing import Any

import dagster as dg

from core.clock import SystemClock
from orchestration.alerts import notify_drift, notify_proposal
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
    description="How models at work did lately, and how far the market is from their training.",
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
        for model, text in result.alerts.items():
            notify_drift(settings, model, f"{text}. {done}".strip())
    return dg.MaterializeResult(metadata=_metadata(result, done))


@dg.asset(
    group_name="comparison",
    deps=[key_of(_PREDICTION)],
    kinds={"onnx"},
    description="May the challenger replace the champion? The rule's word, told once of each pair.",
)
def model_comparison(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Compare, keep the word, tell people of a proposal. Promotes nothing: a person does."""
    from models.monitoring.patrol import roles
    from models.monitoring.proposal import next_step, propose
    from models.serving.registry import Registry

    with tickhouse.connected() as client:
        settings = tickhouse.settings()
        registry = Registry(settings.home_path / "models")
        if len(roles(registry)) < 2:
            return dg.MaterializeResult(metadata={"word": "no champion, or no challenger"})
        said = propose(client, registry, settings, SystemClock())
        if said.is_new:
            notify_proposal(
                settings, said.challenger,
                f"{said.text}. A person decides: {next_step(said.challenger)}",
            )  # fmt: skip
    compared = said.comparison
    rows = [
        ("Brier score", f"{compared.brier_champion:.5f}", f"{compared.brier_challenger:.5f}"),
        ("net, bp", f"{compared.net_champion:.1f}", f"{compared.net_challenger:.1f}"),
    ]
    return dg.MaterializeResult(
        metadata={
            "word": f"proposed: {said.text}" if said.text else f"not proposed: {compared.reason}",
            "people": "told now" if said.is_new else "not told, or before",
            "rows": compared.rows,
            "comparison": table(("", "champion", "challenger"), rows),
        }
    )


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
