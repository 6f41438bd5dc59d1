"""Nightly training: a challenger is registered, and a person decides whether it is promoted."""

import dagster as dg

from models.card import Span
from models.registry import Registry
from models.table import write_models
from models.train import train
from orchestration.resources import Tickhouse

_EVER = Span(0, 1 << 62)


class TrainingConfig(dg.Config):
    """What to learn from."""

    run_id: str = ""  # empty: the run of the settings
    simulated: bool = True  # a model of simulated rows never goes live; say so when they are real


@dg.asset(group_name="training", description="A model trained on all rows of a run.")
def challenger(config: TrainingConfig, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Train, register as a candidate, mirror the registry to SQL."""
    settings = tickhouse.settings()
    registry = Registry(settings.home_path / "models")
    client = tickhouse.client()
    try:
        card = train(
            client,
            config.run_id or settings.run.run_id,
            _EVER,
            settings.models,
            registry.directory,
            config.simulated,
            lambda stage, share: None,
            sample_ms=settings.features.sample_ms,
            sources=[],
        )
        write_models(client, registry)
    finally:
        client.close()
    return dg.MaterializeResult(metadata={"model": card.sha256})
