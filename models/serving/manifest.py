"""What a model is made of: its members, and how their outputs become one prediction.

The SHA-256 of these bytes is the model's name, so nothing that decides a prediction can change
without the name changing: members by the hash of their ONNX graphs, calibration, weights, the
training range. Members are files of their own: one that is gone or damaged leaves the others.
"""

import hashlib

import msgspec

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH, NAMES


class MemberSpec(msgspec.Struct, frozen=True):
    """One member of an ensemble.

    Attributes:
        sha256: of its ONNX bytes.
        window: rows of the feed it looks at, the predicted one last.
        weight: its share while all members speak; they add up to 1.
        slope, offsets: calibration, a softmax of slope times log probability plus offset.
        low, high: per feature what this member has seen, with a margin (models.training.ranges); a
        row, or
            for a window any row of it, that lies outside is vetoed. Empty: of an older version,
            for which the model's own range stands.
    """

    name: str
    sha256: str
    window: int
    weight: float
    slope: float
    offsets: tuple[float, float, float]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class ModelManifest(msgspec.Struct, frozen=True):
    """A model without its members' graphs.

    Attributes:
        shares: class shares of the training part, the prediction when no member can speak.
        gains: mean size of a move down and up beyond costs, in units of `strategies.edge.scale_bp`.
        low, high: per feature, what a row may lie between without being vetoed, whoever speaks.
    """

    feature_set_hash: str
    horizon_s: float
    sample_ms: int
    simulated: bool
    shares: tuple[float, float, float]
    gains: tuple[float, float]
    low: tuple[float, ...]
    high: tuple[float, ...]
    members: tuple[MemberSpec, ...]

    def to_bytes(self) -> bytes:
        """Canonical: equal manifests have equal bytes."""
        return msgspec.json.encode(self)


def name_of(content: bytes) -> str:
    """SHA-256 in hex: of a manifest the model's name, of a graph the member's."""
    return hashlib.sha256(content).hexdigest()


def from_bytes(content: bytes, where: str) -> ModelManifest:
    """The manifest of its bytes.

    Raises:
        ModelError: damaged, or made for another feature set.
    """
    try:
        manifest = msgspec.json.decode(content, type=ModelManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{where}: damaged ({error}); train again or roll back") from error
    has_own = len(manifest.low) > len(NAMES)  # a person's: who predicts knows which are in use
    if manifest.feature_set_hash != FEATURE_SET_HASH and not has_own:
        raise ModelError(
            f"{where}: made for feature set {manifest.feature_set_hash}, this is "
            f"{FEATURE_SET_HASH}; train again: tickhouse train"
        )
    return manifest
