"""Fit one model: the past for training, the latest part held back, nothing shared between them.

The split is one moment of market time for all feeds. Rows whose answer reaches beyond that
moment, and one horizon more, are left out (the embargo). Every figure on the card comes from
ONNX Runtime, the engine that also predicts live.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client

from core.feature_set import packed
from core.sections import ModelSettings
from features.own import LoadedFeature
from models.monitoring.drift import bands_of
from models.serving.artifact import Artifact
from models.serving.card import UP, MemberCard, ModelCard, Reliability, Span
from models.serving.manifest import name_of
from models.serving.predictor import Predictions, Predictor
from models.serving.registry import Registry
from models.training.calibrate import calibration_error, reliability
from models.training.dataset import Dataset, read_dataset
from models.training.ensemble import Ensemble, Kind, train_ensemble
from models.training.evaluate import Labels, baseline, direction_range, evaluate, part
from models.training.leakage import require_own_features
from models.training.own_rows import with_own_columns
from models.training.parts import (
    Answered,
    Split,
    answered,
    require_enough,
    split_again,
    split_by_time,
)
from models.training.walk import walk

#: Called with what is being done and how much of it, 0 to 1.
Progress = Callable[[str, float], None]

_PACKAGES = ("numpy", "numba", "onnx", "onnxruntime", "scipy")


def silent(_stage: str, _share: float) -> None:
    """Progress for nobody."""


def train(
    client: Client,
    run_id: str,
    span: Span,
    settings: ModelSettings,
    out_dir: Path,
    simulated: bool,
    progress: Progress = silent,
    *,
    sample_ms: int = 1000,
    sources: Sequence[str] = (),
    folds: int = 0,
    features: Sequence[LoadedFeature] = (),
) -> ModelCard:
    """Read a run's feature rows, fit, gate and register a model; it is not promoted.

    Args:
        out_dir: the registry's directory, HOME/models.
        simulated: the rows come from a simulated market.
        sample_ms: how rows were sampled, for the card.
        sources: only these; all when empty.
        folds: of a purged walk-forward evaluation beside it; 0: none.
        features: a person's own to learn from, too, in use in this process.

    Raises:
        ModelError: too little data, one class only, or ONNX and trainer disagree.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    progress("reading features", 0.0)
    dataset = read_dataset(client, run_id, span, sources)
    dataset = with_own_columns(client, run_id, dataset, features)
    model = fit(dataset, run_id, settings, simulated, progress, sample_ms=sample_ms, folds=folds)
    Registry(out_dir).save(model)
    progress("registered", 1.0)
    return model.card


def fit(
    dataset: Dataset,
    run_id: str,
    settings: ModelSettings,
    simulated: bool,
    progress: Progress = silent,
    *,
    sample_ms: int = 1000,
    folds: int = 0,
) -> Artifact:
    """The model of a dataset. The same data and settings give the same bytes.

    It is marked simulated when the caller or the data says so.

    Raises:
        ModelError: too little data, one class only, features of other ticks, or ONNX and trainer
            disagree.
    """
    require_own_features(dataset)
    kind = Kind(settings.horizon_s, sample_ms, simulated or dataset.simulated, dataset.set_hash)
    known = answered(dataset, settings)
    label, time_us, horizon_us = known.answers.label, dataset.time_us, known.rule.horizon_us
    split = split_by_time(time_us, label, horizon_us, settings.max_rows)
    require_enough(split, label)
    inner = split_again(time_us, label, split.train, horizon_us)
    parts = known.trainees(inner.train, inner.held_back)
    ensemble = train_ensemble(parts, settings, kind, progress)
    progress("evaluating", 0.0)
    predictor = Predictor(ensemble.graphs)
    predictions = predictor.predict_at(dataset.rows, split.held_back, known.first[split.held_back])
    bands = bands_of(
        dataset.rows[inner.train],
        predictor.predict_at(
            dataset.rows, inner.held_back, known.first[inner.held_back], ensemble.later
        ).probabilities,
    )
    card = _card(
        known=known, split=split, inner=inner, ensemble=ensemble, predictions=predictions,
        settings=settings, run_id=run_id, kind=kind,
    )  # fmt: skip
    walked = walk(known, settings, kind, folds, progress) if folds else ()
    card = msgspec.structs.replace(card, folds=tuple(walked), bands=bands)
    manifest = ensemble.graphs.manifest.to_bytes()
    members, boosters = ensemble.graphs.members, ensemble.boosters
    return Artifact(manifest, card, members, boosters=boosters)


def _card(
    known: Answered,
    split: Split,
    inner: Split,
    ensemble: Ensemble,
    predictions: Predictions,
    settings: ModelSettings,
    run_id: str,
    kind: Kind,
) -> ModelCard:
    data, label = known.data, known.answers.label
    truth = label[split.held_back]
    rise = reliability(predictions.probabilities[:, UP], truth == UP)
    return ModelCard(
        sha256=name_of(ensemble.graphs.manifest.to_bytes()),
        feature_set_hash=data.set_hash,
        features=data.names,
        simulated=kind.simulated,
        sample_ms=kind.sample_ms,
        settings=settings,
        run_id=run_id,
        data_hash=data.data_hash(),
        feeds=data.feeds,
        train=part(data.time_us[inner.train], label[inner.train]),
        held_back=part(data.time_us[split.held_back], truth),
        metrics=evaluate(predictions.probabilities, truth),
        baseline=baseline(label[split.train], truth),
        parity=max(ensemble.parity.values()),
        versions={n: version(n) for n in (*_PACKAGES, *ensemble.packages)},
        calibrated_on=part(data.time_us[inner.held_back], label[inner.held_back]),
        dataset=data.name,
        data=data.version,
        own_features=packed({one.path.stem: one.body for one in data.own}).decode(),
        members=tuple(_members(ensemble, predictions, truth)),
        left_out=ensemble.left_out,
        agreement=float(predictions.agreement.mean()),
        reliability=tuple(Reliability(*b) for b in rise),
        direction_range=direction_range(
            predictions.probabilities, truth, data.time_us[split.held_back], known.rule.horizon_us
        ),
    )


def _members(ensemble: Ensemble, predictions: Predictions, truth: Labels) -> list[MemberCard]:
    cards = []
    for index, spec in enumerate(ensemble.graphs.manifest.members):
        output = predictions.members[index]
        spoke = np.isfinite(output).all(axis=1)
        rise = reliability(output[spoke, UP], truth[spoke] == UP)
        cards.append(
            MemberCard(
                name=spec.name,
                sha256=spec.sha256,
                weight=spec.weight,
                metrics=evaluate(output[spoke], truth[spoke]),
                calibration_error=calibration_error(rise),
                parity=ensemble.parity[spec.name],
            )
        )
    return cards
