"""A model that is what it claims to be: manifest, card, and the graphs of its members.

The name of a model is the SHA-256 of its manifest, which names its members by their hashes, so a
swapped card or graph cannot make a model look like another. A member whose file is gone or
changed is left out and said (`problems`); without any member there is no model.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import ModelError
from models.serving.card import ModelCard
from models.serving.manifest import MemberSpec, ModelManifest, from_bytes, name_of
from models.training import booster


class Graphs(NamedTuple):
    """What predicts: a manifest, its members' ONNX bytes, and why others are missing."""

    manifest: ModelManifest
    members: dict[str, bytes]
    problems: dict[str, str] = {}  # noqa: RUF012 # never written


class Artifact(NamedTuple):
    """A verified model.

    Attributes:
        manifest: its bytes, whose SHA-256 is the model's name.
        members: ONNX bytes by member name, of those that are whole.
        problems: why a member is missing, by its name.
        boosters: the trainers' own form of tree members, when kept; see models.training.booster.
    """

    manifest: bytes
    card: ModelCard
    members: dict[str, bytes]
    problems: dict[str, str] = {}  # noqa: RUF012 # never written
    boosters: dict[str, bytes] = {}  # noqa: RUF012 # never written

    @property
    def graphs(self) -> Graphs:
        """What predicts.

        Raises:
            ModelError: made for another feature set.
        """
        manifest = from_bytes(self.manifest, f"model {self.card.sha256[:12]}")
        return Graphs(manifest, self.members, self.problems)


def load(directory: Path, sha256: str) -> Artifact:
    """Read and verify `<sha256>.model`, `<sha256>.json` and the members' `<sha256>.onnx`.

    Raises:
        ModelError: missing, corrupt, made for another feature set, or no member is left.
    """
    card = read_card(directory / f"{sha256}.json")
    path = directory / f"{sha256}.model"
    content = _read(path)
    if not name_of(content) == sha256 == card.sha256:
        raise ModelError(
            f"{path}: corrupt, its SHA-256 is {name_of(content)}; train again or roll back"
        )
    members, problems = {}, {}
    for spec in from_bytes(content, str(path)).members:
        try:
            members[spec.name] = _member(directory, spec)
        except ModelError as error:
            problems[spec.name] = str(error)
    if not members:
        raise ModelError("; ".join(problems.values()))
    kept = {name: booster.load(directory, name_of(onnx)) for name, onnx in members.items()}
    boosters = {name: trees for name, trees in kept.items() if trees}
    return Artifact(content, card, members, problems, boosters)


def require_complete(model: Artifact) -> Artifact:
    """The model itself.

    Raises:
        ModelError: a member is missing.
    """
    if model.problems:
        raise ModelError("; ".join(model.problems.values()))
    return model


def read_card(path: Path) -> ModelCard:
    """The card at `path`.

    Raises:
        ModelError: missing or damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ModelCard)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; see: tickhouse models list") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: damaged ({error}); train again or roll back") from error


def _member(directory: Path, spec: MemberSpec) -> bytes:
    path = directory / f"{spec.sha256}.onnx"
    onnx = _read(path)
    if name_of(onnx) != spec.sha256:
        raise ModelError(
            f"{path}: corrupt, member {spec.name} has SHA-256 {name_of(onnx)}; "
            "train again or roll back"
        )
    return onnx


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; train again or roll back") from error
