"""A trained booster as ONNX bytes, and the gate that compares the two.

The same booster gives the same bytes: names are fixed and nothing random or dated goes in. The
booster never stops early, because a raw booster that did exports every round it tried.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from core.errors import ModelError
from features.catalog import NAMES
from models.predictor import INPUT, OUTPUT, Predictor

#: Largest difference of any probability that is a rounding error and not another model.
PARITY = 1e-5
_BLANKED_ROWS = 5_000


def to_onnx(booster: xgboost.Booster, metadata: Mapping[str, str]) -> bytes:
    """The booster as an ONNX graph: `rows` float32 [k, F] to `probabilities` float32 [k, 3]."""
    inputs = [(INPUT, FloatTensorType([None, len(NAMES)]))]
    model = convert_xgboost(booster, name="tickhouse", initial_types=inputs, target_opset=15)
    outputs = [output for output in model.graph.output if output.name == OUTPUT]
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    onnx.helper.set_model_props(model, dict(sorted(metadata.items())))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def check_parity(
    booster: xgboost.Booster,
    predictor: Predictor,
    rows: npt.NDArray[np.float32],
    predicted: npt.NDArray[np.float32],
) -> float:
    """The largest difference on `rows`, and on rows with a fifth of the values missing.

    Args:
        predicted: the predictor's probabilities of `rows`.

    Raises:
        ModelError: it exceeds PARITY; the model must not be registered.
    """
    blanked = rows[:: max(1, len(rows) // _BLANKED_ROWS)].copy()
    blanked[np.random.default_rng(7).random(blanked.shape) < 0.2] = np.nan
    pairs = ((rows, predicted), (blanked, predictor.predict(blanked)))
    worst = max(float(np.abs(booster.inplace_predict(r) - p).max()) for r, p in pairs)
    if not worst <= PARITY:
        raise ModelError(
            f"ONNX and trainer differ by {worst:.2g}, more than {PARITY:g}: not registered; "
            "check the versions of xgboost, onnxmltools and onnxruntime"
        )
    return worst
