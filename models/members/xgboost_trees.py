"""Gradient-boosted trees of XGBoost.

The booster never stops early, because a raw booster that did exports every round it tried.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from core.sections import ModelSettings
from models.members.base import Progress, Trained, finished
from models.serving.card import CLASSES
from models.serving.session import INPUT
from models.training.examples import Examples


class XgboostTrees:
    """See models.members.base.Member."""

    name = "xgboost"
    window = 1
    packages = ("xgboost-cpu", "onnxmltools")

    def unavailable(self) -> str:
        """Always there: it belongs to the extra `training`."""
        return ""

    def train(
        self,
        examples: Examples,
        settings: ModelSettings,
        metadata: Mapping[str, str],
        progress: Progress,
    ) -> Trained:
        """Histogram trees, a fixed number of rounds."""
        booster = _boost(examples, settings, progress)
        columns = examples.table.shape[1]
        inputs = [(INPUT, FloatTensorType([None, columns]))]
        graph = convert_xgboost(booster, name="tickhouse", initial_types=inputs, target_opset=15)
        kept = bytes(booster.save_raw("ubj"))
        return Trained(finished(graph, metadata, columns), booster.inplace_predict, kept)


class _Rounds(xgboost.callback.TrainingCallback):  # type: ignore[misc] # xgboost is untyped
    """Passes finished rounds to the caller's progress."""

    def __init__(self, progress: Progress, rounds: int) -> None:
        super().__init__()
        self._progress, self._rounds = progress, rounds

    def after_iteration(self, _model: xgboost.Booster, epoch: int, _log: object) -> bool:
        self._progress("training xgboost", (epoch + 1) / self._rounds)
        return False


def _boost(examples: Examples, settings: ModelSettings, progress: Progress) -> xgboost.Booster:
    parameters = {
        "objective": "multi:softprob",
        "num_class": len(CLASSES),
        "tree_method": "hist",
        "max_depth": settings.depth,
        "learning_rate": settings.learning_rate,
        "subsample": 1.0,
        "min_child_weight": settings.leaf_rows / 10,
        "nthread": settings.threads,
        "seed": 7,
        "base_score": 0.5,  # fixed: an estimated one is a vector that exporters get wrong
        "disable_default_eval_metric": True,
    }
    label: npt.NDArray[np.int8] = examples.label
    data = xgboost.QuantileDMatrix(
        examples.rows, label, weight=examples.weight, nthread=settings.threads
    )
    return xgboost.train(
        parameters, data, settings.rounds, callbacks=[_Rounds(progress, settings.rounds)]
    )
