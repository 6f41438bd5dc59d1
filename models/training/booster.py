"""The trainer's own form of a tree model, kept beside the ONNX artefact to explain predictions.

ONNX keeps no counts per node, which TreeSHAP needs. The file is `<sha256>.booster`, named by the
ONNX graph it belongs to; that it does belong is checked by its own prediction of the row at hand,
so a wrong or damaged one explains nothing.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from core import durable
from core.absent import DATA_FRAMES, absent
from core.errors import ModelError

#: Probabilities of booster and ONNX of one model differ by no more.
_PARITY = 1e-5

#: What trainers take along where it is there, and one row has no use for: three quarters of their
#: import, a second of CPU.
_COMPANY = ("sklearn", *DATA_FRAMES)

Floats = npt.NDArray[np.float32]


def save(directory: Path, sha256: str, content: bytes) -> None:
    """Keep a booster (XGBoost's UBJSON, LightGBM's text), whole or not at all."""
    durable.write(directory / f"{sha256}.booster", content)


def load(directory: Path, sha256: str) -> bytes:
    """The booster of a model; empty when none is kept."""
    path = directory / f"{sha256}.booster"
    return path.read_bytes() if path.exists() else b""


def contributions(content: bytes, row: Floats, probabilities: Floats) -> Floats:
    """SHAP values of one row: log-odds per class and feature, the bias last. Shape (3, F + 1).

    Exact path-dependent TreeSHAP (Lundberg et al., "From local explanations to global
    understanding with explainable AI for trees", 2020), as the trainer computes it.

    Args:
        row: shape (F,).
        probabilities: what ONNX Runtime gave for it, before calibration, shape (3,).

    Raises:
        ModelError: the booster is damaged, or predicts something else than the model.
    """
    explain = _of_lightgbm if content.startswith(b"tree\n") else _of_xgboost
    try:
        own, shap = explain(content, row)
    except Exception as error:  # the trainers' own classes share no other base
        raise ModelError(f"the booster kept beside the model is damaged: {error}") from error
    if not np.abs(own - probabilities).max() <= _PARITY:
        raise ModelError("the booster kept beside the model predicts something else: not its own")
    return shap


def _of_xgboost(content: bytes, row: Floats) -> tuple[Floats, Floats]:
    with absent(*_COMPANY):
        import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    data = xgboost.DMatrix(row[None])
    shap = booster.predict(data, pred_contribs=True)[0]
    return booster.predict(data)[0], np.asarray(shap, np.float32)


def _of_lightgbm(content: bytes, row: Floats) -> tuple[Floats, Floats]:
    with absent(*_COMPANY):
        import lightgbm

    booster = lightgbm.Booster(model_str=content.decode())
    shap = np.asarray(booster.predict(row[None], pred_contrib=True)[0], np.float32)
    own = np.asarray(booster.predict(row[None])[0], np.float32)
    return own, shap.reshape(len(own), len(row) + 1)
