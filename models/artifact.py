"""An ONNX artefact that is what it claims to be.

The name of a model is the SHA-256 of its bytes, and the bytes themselves carry the feature set
and whether the data were simulated, so a swapped card cannot make a model look like another.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH
from models import booster
from models.card import ModelCard


class Artifact(NamedTuple):
    """A verified model: its ONNX bytes and its card.

    `booster`: the trainer's own form when it was kept; see models.booster.
    """

    onnx: bytes
    card: ModelCard
    booster: bytes = b""


def load(directory: Path, sha256: str) -> Artifact:
    """Read and verify `<sha256>.onnx` and `<sha256>.json`.

    Raises:
        ModelError: missing, corrupt, or made for another feature set.
    """
    card = read_card(directory / f"{sha256}.json")
    path = directory / f"{sha256}.onnx"
    try:
        onnx = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; train again or roll back") from error
    found = hashlib.sha256(onnx).hexdigest()
    if not found == sha256 == card.sha256:
        raise ModelError(f"{path}: corrupt, its SHA-256 is {found}; train again or roll back")
    if card.feature_set_hash != FEATURE_SET_HASH:
        raise ModelError(
            f"{path}: made for feature set {card.feature_set_hash}, this is {FEATURE_SET_HASH}; "
            "train again: tickhouse train"
        )
    return Artifact(onnx, card, booster.load(directory, sha256))


def read_card(path: Path) -> ModelCard:
    """The card at `path`.

    Raises:
        ModelError: missing or damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelCard)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; see: tickhouse models list") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: damaged ({error}); train again or roll back") from error
