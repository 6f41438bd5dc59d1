"""Gradient-boosted trees of LightGBM, made safe for float32.

LightGBM keeps thresholds as doubles between two float32 values; a converter rounds them to the
nearest float32, which may be the larger of the two and then sends rows the other way. So every
threshold is rounded down to a float32 before export: for float32 rows that changes no decision.
A feature without a missing value in training would take NaN for zero; rows of NaN are added so
that every feature learns where missing values go, as ONNX has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from core.sections import ModelSettings
from models.members.base import Progress, Rows, Trained, finished
from models.serving.card import CLASSES
from models.serving.session import INPUT
from models.training.examples import Examples

if TYPE_CHECKING:
    import lightgbm

_BLANK_WEIGHT = 1e-3


class LightgbmTrees:
    """See models.members.base.Member."""

    name = "lightgbm"
    window = 1
    packages = ("lightgbm", "onnxmltools")

    def unavailable(self) -> str:
        """Why its library does not load: its wheel brings no OpenMP, which slim systems lack."""
        try:
            import lightgbm  # noqa: F401
        except OSError as error:
            return f"lightgbm cannot be loaded, {error}: install libgomp1 (apt), or libomp (macOS)"
        return ""

    def train(
        self,
        examples: Examples,
        settings: ModelSettings,
        metadata: Mapping[str, str],
        progress: Progress,
    ) -> Trained:
        """Histogram trees, a fixed number of rounds."""
        booster = _rounded_down(_boost(examples, settings, progress))
        columns = examples.table.shape[1]
        inputs = [(INPUT, FloatTensorType([None, columns]))]
        graph = convert_lightgbm(
            booster, name="tickhouse", initial_types=inputs, target_opset=15, zipmap=False
        )

        def reference(rows: Rows) -> Rows:
            return np.asarray(booster.predict(rows), np.float32)

        kept = booster.model_to_string().encode()
        return Trained(finished(graph, metadata, columns), reference, kept)


def _boost(examples: Examples, settings: ModelSettings, progress: Progress) -> lightgbm.Booster:
    import lightgbm

    blank = np.full((len(CLASSES), examples.table.shape[1]), np.nan, np.float32)
    rows = np.concatenate([examples.rows, blank])
    label = np.concatenate([examples.label, np.arange(len(CLASSES))])
    weight = np.concatenate([examples.weight, np.full(len(CLASSES), _BLANK_WEIGHT)])
    parameters = {
        "objective": "multiclass",
        "num_class": len(CLASSES),
        "learning_rate": settings.learning_rate,
        "num_leaves": 2**settings.depth - 1,
        "max_depth": settings.depth,
        "min_data_in_leaf": settings.leaf_rows,
        "lambda_l2": 1.0,
        "max_bin": 255,
        "bin_construct_sample_cnt": len(rows),  # the blank rows must be among those looked at
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "seed": 7,
        "verbosity": -1,
    }

    def report(environment: lightgbm.callback.CallbackEnv) -> None:
        progress("training lightgbm", (environment.iteration + 1) / settings.rounds)

    data = lightgbm.Dataset(rows, label, weight=weight, free_raw_data=True)
    return lightgbm.train(parameters, data, settings.rounds, callbacks=[report])


def _rounded_down(booster: lightgbm.Booster) -> lightgbm.Booster:
    import lightgbm

    text = re.sub(r"(?m)^threshold=(.*)$", _floor_all, booster.model_to_string())
    return lightgbm.Booster(model_str=re.sub(r"(?m)^tree_sizes=.*\n", "", text))


def _floor_all(line: re.Match[str]) -> str:
    return "threshold=" + " ".join(repr(float32_floor(float(v))) for v in line[1].split())


def float32_floor(value: float) -> float:
    """The largest float32 that is not above a double."""
    near = np.float32(value)
    return float(near if float(near) <= value else np.nextafter(near, np.float32(-np.inf)))
