"""The linear baseline: what the trees and the network must beat to be worth their trouble.

Multinomial logistic regression on standardised features; a missing value counts as the mean. As
a plain matrix product its bits do not depend on how many rows it is given; ONNX Runtime's sum
over an axis did (a third of all rows).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from core.sections import ModelSettings
from models.members.base import Progress, Rows, Trained, finished
from models.serving.card import CLASSES
from models.serving.session import INPUT, OUTPUT
from models.training.examples import Examples

_ROWS = 30_000  # more change little and cost seconds
_CLIP = 8.0  # standard deviations
_NEVER = -30.0  # log odds of a class that the examples lack

Floats = npt.NDArray[np.float64]


class Linear:
    """See models.members.base.Member."""

    name = "linear"
    window = 1
    packages = ("scikit-learn",)

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
        """Fit on at most 30,000 examples, evenly thinned."""
        progress("training linear", 0.0)
        some = examples.thinned(_ROWS)
        mean, scale = standard(some.rows)
        ready = standardised(some.rows, mean, scale)
        fitted = LogisticRegression(C=0.05, max_iter=100, tol=1e-3)
        # One thread: how BLAS divides a product among more decides its last bits.
        with threadpool_limits(1, user_api="blas"):
            fitted.fit(ready, some.label, sample_weight=some.weight)
        weights, bias = _all_classes(fitted)
        progress("training linear", 1.0)

        def reference(rows: Rows) -> Rows:
            score = standardised(rows, mean, scale) @ weights.T + bias
            power = np.exp(score - score.max(axis=1, keepdims=True))
            probabilities: Rows = (power / power.sum(axis=1, keepdims=True)).astype(np.float32)
            return probabilities

        return Trained(finished(_graph(mean, scale, weights, bias), metadata, len(mean)), reference)


def standard(rows: Rows) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each feature's values; 0 and 1 where it has none."""
    known = np.isfinite(rows)
    count = np.maximum(known.sum(axis=0), 1)
    values = np.where(known, rows, 0.0)
    mean = values.sum(axis=0, dtype=np.float64) / count
    squares = np.where(known, values - mean, 0.0) ** 2
    scale = np.sqrt(squares.sum(axis=0) / count)
    scale[scale == 0] = 1.0
    # as the graph has them
    return mean.astype(np.float32).astype(np.float64), scale.astype(np.float32).astype(np.float64)


def standardised(rows: Rows, mean: Floats, scale: Floats) -> Floats:
    """Rows in standard deviations from the mean, within 8; 0 where a value is missing."""
    filled = np.where(np.isnan(rows), mean, rows)
    scaled: Floats = np.clip((filled - mean) / scale, -_CLIP, _CLIP)
    return scaled


def _all_classes(fitted: LogisticRegression) -> tuple[Floats, Floats]:
    weights = np.zeros((len(CLASSES), fitted.coef_.shape[1]))
    bias = np.full(len(CLASSES), _NEVER)
    if len(fitted.classes_) == 2:  # scikit-learn gives the second against the first
        weights[fitted.classes_[1]] = fitted.coef_[0]
        bias[fitted.classes_] = [0.0, fitted.intercept_[0]]
    else:
        weights[fitted.classes_], bias[fitted.classes_] = fitted.coef_, fitted.intercept_
    return weights, bias


def _graph(mean: Floats, scale: Floats, weights: Floats, bias: Floats) -> onnx.ModelProto:
    constants = {
        "mean": np.float32(mean),
        "scale": np.float32(scale),
        "low": np.float32(-_CLIP),
        "high": np.float32(_CLIP),
        "weights": np.float32(weights.T),
        "bias": np.float32(bias),
    }
    nodes = [
        helper.make_node("IsNaN", [INPUT], ["missing"]),
        helper.make_node("Where", ["missing", "mean", INPUT], ["filled"]),
        helper.make_node("Sub", ["filled", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "low", "high"], ["ready"]),
        helper.make_node("MatMul", ["ready", "weights"], ["sums"]),
        helper.make_node("Add", ["sums", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], [OUTPUT], axis=1),
    ]
    rows = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, len(mean)])
    out = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, len(CLASSES)])
    values = [numpy_helper.from_array(v, name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "tickhouse", [rows], [out], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
