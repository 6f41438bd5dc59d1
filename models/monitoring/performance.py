"""Watching models at work: how well they did, and how far the market moved from their training.

One call looks at one span of one run and writes `model_quality` (the model and each member),
`model_drift` (each feature and the predictions) and, when something is beyond its threshold,
`model_event`. The same span gives the same rows.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.sections import RegistrySettings
from core.settings import Settings
from features.catalog import NAMES
from models.monitoring.drift import Drift, drift
from models.monitoring.outcomes import Outcomes, read_outcomes
from models.serving.artifact import Artifact, load
from models.serving.card import CLASSES, DOWN, UP, ModelCard, Span
from models.training.calibrate import calibration_error, reliability
from models.training.dataset import read_decided

_OWN_SQL = Path(__file__).with_name("own_values.sql").read_text()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUALITY = (
    "run_id", "mode", "model", "member", "role", "ts_start", "ts_end", "predictions", "hit_rate",
    "brier", "brier_shares", "calibration_error", "vetoed", "net_bp", "decisions",
)  # fmt: skip
_DRIFT = (
    "run_id", "mode", "model", "ts_start", "ts_end", "name", "compared", "psi", "ks", "missing",
    "missing_then",
)  # fmt: skip
_EVENT = (
    "run_id", "mode", "account", "strategy", "ts_event", "model", "member", "kind", "detail",
)  # fmt: skip


class Quality(NamedTuple):
    """How a model (`member` "") or one of its members did."""

    member: str
    predictions: int
    hit_rate: float
    brier: float
    brier_shares: float
    calibration_error: float
    vetoed: float
    net_bp: float
    decisions: int


class Watched(NamedTuple):
    """What was found. `drifted`: columns beyond the threshold, the furthest first."""

    model: str
    quality: list[Quality]
    drift: list[Drift]
    drifted: list[Drift]


def watch(
    client: Client, models: Path, model: str, role: str, span: Span, settings: Settings
) -> Watched:
    """Judge a model on a span of the settings' run, and write it down.

    Args:
        role: champion, challenger, or named (by a strategy of a desk).

    Raises:
        ModelError: the model is missing, or corrupt.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    artifact, run = load(models, model), settings.run
    manifest = artifact.graphs.manifest
    outcomes = read_outcomes(
        client=client, run_id=run.run_id, model=model, role=role, span=span, manifest=manifest,
        signals=settings.signals, learnt=artifact.card.settings,
    )  # fmt: skip
    quality = evaluate(outcomes, artifact)
    moved = _drift(client, run.run_id, span, artifact, outcomes)
    beyond = (d for d in moved if d.psi > settings.registry.drift_psi)
    drifted = sorted(beyond, key=lambda d: -d.psi)
    if _is_young(outcomes.time_us, settings.registry):
        drifted = []
    watched = Watched(model, quality, moved, drifted)
    if len(outcomes.time_us):
        store(client, watched, role, outcomes.time_us, settings)
    return watched


def _is_young(time_us: npt.NDArray[np.int64], settings: RegistrySettings) -> bool:
    """Whether the rows are too few, or of too short a time, for a distribution."""
    if len(time_us) < max(settings.drift_rows, 1):
        return True
    return bool(np.ptp(time_us) < settings.drift_hours * 3_600e6)


def evaluate(outcomes: Outcomes, artifact: Artifact) -> list[Quality]:
    """The model's and its members' quality on the rows whose answer is known."""
    manifest, known = artifact.graphs.manifest, outcomes.answered()
    names = [spec.name for spec in manifest.members]
    outputs = [("", outcomes.probabilities)]
    outputs += [(name, outcomes.members[:, n]) for n, name in enumerate(names)]
    of_shares = np.array(manifest.shares)
    quality = []
    for name, output in outputs:
        at = known & np.isfinite(output).all(axis=1)
        if at.any():
            quality.append(_quality(name, output[at], outcomes, at, of_shares))
    return quality


def _quality(
    name: str,
    p: npt.NDArray[np.float32],
    outcomes: Outcomes,
    at: npt.NDArray[np.bool_],
    of_shares: npt.NDArray[np.float64],
) -> Quality:
    label = outcomes.label[at]
    truth = np.eye(len(CLASSES))[label]
    error = np.mean([calibration_error(reliability(p[:, c], label == c)) for c in (DOWN, UP)])
    net = outcomes.net_bp[at]
    return Quality(
        member=name, predictions=len(label), hit_rate=float((p.argmax(axis=1) == label).mean()),
        brier=float(((p - truth) ** 2).sum(axis=1).mean()),
        brier_shares=float(((of_shares - truth) ** 2).sum(axis=1).mean()),
        calibration_error=float(error), vetoed=float(outcomes.veto[at].mean()),
        net_bp=0.0 if name else float(np.nansum(net)),
        decisions=0 if name else int(np.isfinite(net).sum()),
    )  # fmt: skip


def _drift(
    client: Client, run_id: str, span: Span, artifact: Artifact, outcomes: Outcomes
) -> list[Drift]:
    bands = artifact.card.bands
    if bands is None:
        return []
    rows = read_decided(client, run_id, span).rows
    columns = dict(zip(NAMES, rows.T, strict=True))
    columns |= _own_columns(client, run_id, span, artifact.card)
    names = artifact.card.features
    return drift(bands, names, columns, outcomes.probabilities) if len(rows) else []


def _own_columns(
    client: Client, run_id: str, span: Span, card: ModelCard
) -> dict[str, npt.NDArray[np.float32]]:
    """What the model was given of a person's own features, as it was stored then."""
    names = card.features[len(NAMES) :]
    given = {
        "run_id": run_id, "feature_set_hash": card.feature_set_hash,
        "start_us": span.start_us, "end_us": span.end_us,
    }  # fmt: skip
    with errors_translated():
        columns = [
            client.query(_OWN_SQL, {**given, "name": name}, column_oriented=True).result_columns
            for name in names
        ]
    return {
        name: np.array(values[0] if values else [], np.float32)
        for name, values in zip(names, columns, strict=True)
    }


def store(
    client: Client,
    watched: Watched,
    role: str,
    time_us: npt.NDArray[np.int64],
    settings: Settings,
) -> None:
    """Write down how a model did on the rows of these times.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    run = settings.run
    start, end = (_EPOCH + timedelta(microseconds=int(t)) for t in (time_us.min(), time_us.max()))
    base = [run.run_id, run.mode, watched.model]
    quality = [[*base, q.member, role, start, end, *q[1:]] for q in watched.quality]
    count = len(time_us)
    moved = [[*base, start, end, d.name, count, *d[1:]] for d in watched.drift]
    with errors_translated():
        if quality:
            client.insert("model_quality", quality, column_names=_QUALITY)
        if moved:
            client.insert("model_drift", moved, column_names=_DRIFT)
        if len(watched.drifted) >= settings.registry.drift_columns:
            detail = drift_text(watched, settings.registry.drift_psi)
            event = [run.run_id, run.mode, run.account, run.strategy, end]
            event += [watched.model, "", "drift", detail]
            client.insert("model_event", [event], column_names=_EVENT)


def drift_text(watched: Watched, threshold: float) -> str:
    """What drifted, for a person."""
    furthest = ", ".join(f"{d.name} {d.psi:.2f}" for d in watched.drifted[:5])
    return f"{len(watched.drifted)} columns beyond PSI {threshold:g}, furthest: {furthest}"
