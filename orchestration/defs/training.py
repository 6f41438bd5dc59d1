"""Nightly training: a challenger is registered, and a person decides whether it is promoted."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from core.settings import Settings
from orchestration.defs.streams import TABLES, key_of
from orchestration.resources import Tickhouse
from orchestration.tables import table

POOL = "training"
_FEATURE = next(streamed for streamed in TABLES if streamed.table == "feature")


class TrainingConfig(dg.Config):
    """What to learn from."""

    run_id: str = ""  # empty: orchestration.run_id, or the run of the settings
    why: str = "scheduled"  # or the drift that asked for it


@dg.asset(
    group_name="training",
    pool=POOL,
    deps=[key_of(_FEATURE)],
    kinds={"xgboost", "onnx"},
    description="A model trained on all rows of a run and judged on the latest quarter of them.",
)
def challenger(config: TrainingConfig, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Train, register as a candidate, mirror the registry to SQL."""
    from models.monitoring.table import write_models
    from models.serving.card import Span  # training's libraries take seconds to load
    from models.serving.registry import Registry
    from models.training.own_rows import asked_for
    from models.training.train import train

    with tickhouse.connected() as client:
        settings = tickhouse.settings()
        registry = Registry(settings.home_path / "models")
        history = registry.history()
        card = train(
            client,
            run_of(settings, config.run_id),
            Span(0, 1 << 62),
            settings.models,
            registry.directory,
            settings.terminal.kind == "simulated",
            sample_ms=settings.features.sample_ms,
            folds=settings.orchestration.folds,
            features=asked_for(settings),
        )
        write_models(client, registry)
    champion = next(
        (c for c in registry.cards() if history and c.sha256 == history[-1].sha256), None
    )
    return dg.MaterializeResult(metadata=_metadata(card, champion, config.why))


def run_of(settings: Settings, chosen: str) -> str:
    """Whose rows are learned from."""
    return chosen or settings.orchestration.run_id or settings.run.run_id


def _metadata(card: Any, champion: Any, why: str) -> dict[str, Any]:
    columns = ["challenger", "baseline"] + (["champion"] if champion else [])
    metrics = [card.metrics, card.baseline] + ([champion.metrics] if champion else [])
    names = ("log_loss", "brier", "accuracy", "auc_direction")
    return {
        "model": card.sha256,
        "why": why,
        "dagster/row_count": card.train.rows + card.held_back.rows,
        "from": _time(card.train.start_us),
        "to": _time(card.held_back.end_us),
        "simulated": card.simulated,
        "on rows held back": table(
            ("", *columns),
            [(name, *(_number(getattr(metric, name)) for metric in metrics)) for name in names],
        ),
        "walk-forward": table(
            ("fold", "tested from", "rows", "log_loss", "baseline"),
            [
                (
                    n,
                    _time(fold.test.start_us),
                    fold.test.rows,
                    _number(fold.metrics.log_loss),
                    _number(fold.baseline.log_loss),
                )
                for n, fold in enumerate(card.folds, 1)
            ],
        ),
        "next": f"tickhouse models promote {card.sha256[:12]} --by YOU",
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _time(us: int) -> str:
    return str(datetime.fromtimestamp(us / 1e6, UTC))
