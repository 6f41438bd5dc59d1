"""Fit one model: the past for training, the latest part held back, nothing shared between them.

The split is one moment of market time for all feeds. Rows whose answer reaches beyond that
moment, and one horizon more, are left out (the embargo). Every figure on the card comes from
ONNX Runtime, the engine that also predicts live.
"""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xgboost
from clickhouse_connect.driver.client import Client

from core.errors import ModelError
from core.settings import ModelSettings
from features.catalog import FEATURE_SET_HASH, NAMES
from models.artifact import Artifact
from models.card import CLASSES, ModelCard, Span
from models.dataset import Dataset, read_dataset
from models.evaluate import baseline, evaluate, part
from models.export import check_parity, to_onnx
from models.labels import UNLABELLED, LabelRule, labels_by_feed
from models.predictor import Predictor
from models.registry import Registry

#: Called with what is being done and how much of it, 0 to 1.
Progress = Callable[[str, float], None]

HELD_BACK = 0.25  # share of rows after the split
EMBARGO_HORIZONS = 2  # the answer's own horizon, and one more
MIN_TRAIN_ROWS = 500
MIN_HELD_BACK_ROWS = 100

_PACKAGES = ("numpy", "numba", "xgboost-cpu", "onnxmltools", "onnx", "onnxruntime")


class Split(NamedTuple):
    """Row numbers for training and evaluation, int64, in time order."""

    train: npt.NDArray[np.int64]
    held_back: npt.NDArray[np.int64]


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
) -> ModelCard:
    """Read a run's feature rows, fit, gate and register a model; it is not promoted.

    Args:
        out_dir: the registry's directory, HOME/models.
        simulated: the rows come from a simulated market.
        sample_ms: how rows were sampled, for the card.
        sources: only these; all when empty.

    Raises:
        ModelError: too little data, one class only, or ONNX and trainer disagree.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    progress("reading features", 0.0)
    dataset = read_dataset(client, run_id, span, sources)
    model = fit(dataset, run_id, settings, simulated, progress, sample_ms=sample_ms)
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
) -> Artifact:
    """The model of a dataset. The same data and settings give the same bytes.

    It is marked simulated when the caller or the data says so.

    Raises:
        ModelError: too little data, one class only, or ONNX and trainer disagree.
    """
    simulated = simulated or dataset.simulated
    rule = LabelRule(horizon_us=round(settings.horizon_s * 1e6))
    label = labels_by_feed(dataset.feed, dataset.time_us, dataset.mid, dataset.spread, rule)
    split = split_by_time(dataset.time_us, label, rule.horizon_us, settings.max_rows)
    _require_enough(split, label)
    booster = _boost(dataset.rows[split.train], label[split.train], settings, progress)
    progress("checking ONNX against the trainer", 0.0)
    onnx = to_onnx(booster, _metadata(settings, simulated))
    predictor, held_back = Predictor(onnx), dataset.rows[split.held_back]
    predicted = predictor.predict(held_back)
    known, truth = label[split.train], label[split.held_back]
    card = ModelCard(
        sha256=hashlib.sha256(onnx).hexdigest(),
        feature_set_hash=FEATURE_SET_HASH,
        features=NAMES,
        simulated=simulated,
        sample_ms=sample_ms,
        settings=settings,
        run_id=run_id,
        data_hash=dataset.data_hash(),
        feeds=dataset.feeds,
        train=part(dataset.time_us[split.train], known),
        held_back=part(dataset.time_us[split.held_back], truth),
        metrics=evaluate(predicted, truth),
        baseline=baseline(known, truth),
        parity=check_parity(booster, predictor, held_back, predicted),
        versions={name: version(name) for name in _PACKAGES},
    )
    return Artifact(onnx, card, bytes(booster.save_raw("ubj")))


def _metadata(settings: ModelSettings, simulated: bool) -> dict[str, str]:
    """What the artefact says of itself, under its own hash."""
    return {
        "feature_set_hash": FEATURE_SET_HASH,
        "horizon_s": str(settings.horizon_s),
        "simulated": str(simulated).lower(),
        "classes": ",".join(CLASSES),
    }


def split_by_time(
    time_us: npt.NDArray[np.int64], label: npt.NDArray[np.int8], horizon_us: int, max_rows: int
) -> Split:
    """Labelled rows before and after one moment, with the embargo between them left out.

    More than `max_rows` on a side are thinned evenly over time.
    """
    labelled = np.flatnonzero(label != UNLABELLED)
    if len(labelled) == 0:
        return Split(labelled, labelled)
    ordered = labelled[np.argsort(time_us[labelled], kind="stable")]
    moment = time_us[ordered[int(len(ordered) * (1.0 - HELD_BACK))]]
    times = time_us[ordered]
    before = ordered[times < moment - EMBARGO_HORIZONS * horizon_us]
    return Split(_thin(before, max_rows), _thin(ordered[times >= moment], max_rows))


def _thin(rows: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    if len(rows) <= limit:
        return rows
    return rows[np.arange(limit) * len(rows) // limit]


def _require_enough(split: Split, label: npt.NDArray[np.int8]) -> None:
    train, held_back = len(split.train), len(split.held_back)
    if train < MIN_TRAIN_ROWS or held_back < MIN_HELD_BACK_ROWS:
        raise ModelError(
            f"too little data: {train} labelled rows to train on and {held_back} to hold back, "
            f"{MIN_TRAIN_ROWS} and {MIN_HELD_BACK_ROWS} needed; "
            "take a longer span, or a shorter TICKHOUSE_MODELS__HORIZON_S"
        )
    classes = np.unique(label[split.train])
    if len(classes) < 2:
        raise ModelError(
            f"all {train} rows to train on are {CLASSES[int(classes[0])]!r}: nothing to learn; "
            "take a longer span or a longer TICKHOUSE_MODELS__HORIZON_S"
        )


class _Rounds(xgboost.callback.TrainingCallback):  # type: ignore[misc] # xgboost is untyped
    """Passes finished rounds to the caller's progress."""

    def __init__(self, progress: Progress, rounds: int) -> None:
        super().__init__()
        self._progress, self._rounds = progress, rounds

    def after_iteration(self, _model: xgboost.Booster, epoch: int, _log: object) -> bool:
        self._progress("training", (epoch + 1) / self._rounds)
        return False


def _boost(
    rows: npt.NDArray[np.float32],
    label: npt.NDArray[np.int8],
    settings: ModelSettings,
    progress: Progress,
) -> xgboost.Booster:
    progress("training", 0.0)
    parameters = {
        "objective": "multi:softprob",
        "num_class": len(CLASSES),
        "tree_method": "hist",
        "max_depth": settings.depth,
        "learning_rate": settings.learning_rate,
        "nthread": settings.threads,
        "seed": 7,
        "base_score": 0.5,  # fixed: an estimated one is a vector that exporters get wrong
        "disable_default_eval_metric": True,
    }
    data = xgboost.QuantileDMatrix(rows, label, nthread=settings.threads)
    return xgboost.train(
        parameters, data, settings.rounds, callbacks=[_Rounds(progress, settings.rounds)]
    )
