"""Members trained on the past, calibrated and weighed on what came after it.

Three parts of market time never overlap: one to train the members, a later one that decides how
far each is believed, and the latest (held back by the caller) that alone gives figures.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.absent import DATA_FRAMES, absent
from core.errors import ModelError
from core.sections import ModelSettings
from features.catalog import FEATURE_SET_HASH
from models.members.base import Progress, Trained
from models.members.select import select
from models.serving.artifact import Graphs
from models.serving.card import CLASSES
from models.serving.manifest import MemberSpec, ModelManifest, name_of
from models.serving.predictor import Outputs, Predictor
from models.training.calibrate import IDENTITY, Calibration, applied, calibrate
from models.training.evaluate import shares
from models.training.examples import Examples
from models.training.export import check_parity
from models.training.ranges import Range, range_of
from models.training.weights import member_weights, recent_skill
from strategies.edge import mean_gains

Floats = npt.NDArray[np.float64]

_LEAST_ROWS = 200  # for calibration; fewer leave the outputs as they are


class Trainees(NamedTuple):
    """The parts of a dataset: examples to train on, and later ones to calibrate and weigh with.

    `later_us` and `moves_bp` belong to the rows: times of `later`, mid's moves of `first`.
    """

    first: Examples
    later: Examples
    later_us: npt.NDArray[np.int64]
    moves_bp: Floats


class Ensemble(NamedTuple):
    """Trained members with their manifest, and what there is to say of each.

    `later`: what they said of the later rows, those that decided how far each is believed.
    """

    graphs: Graphs
    parity: dict[str, float]
    left_out: dict[str, str]
    packages: tuple[str, ...]
    boosters: dict[str, bytes]  # of tree members, see models.training.booster
    later: Outputs


class Kind(NamedTuple):
    """What a manifest says of the whole model."""

    horizon_s: float
    sample_ms: int
    simulated: bool
    set_hash: str = FEATURE_SET_HASH

    def metadata(self) -> Mapping[str, str]:
        """What each graph says of itself, under its own hash."""
        return {
            "feature_set_hash": self.set_hash,
            "horizon_s": str(self.horizon_s),
            "simulated": str(self.simulated).lower(),
            "classes": ",".join(CLASSES),
        }


@absent(*DATA_FRAMES)  # which trainers import where they are there, and are given none
def train_ensemble(
    parts: Trainees, settings: ModelSettings, kind: Kind, progress: Progress
) -> Ensemble:
    """Train, gate, calibrate and weigh every member that can be trained here.

    Raises:
        ModelError: none can be trained, or ONNX and a trainer disagree.
        SettingsError: a member has an unknown name.
    """
    trained: dict[str, Trained] = {}
    parity, left_out, packages, windows = {}, {}, list[str](), {}
    for member in select(settings.members):
        reason = member.unavailable() or _too_few(parts.first, member.window)
        if reason:
            left_out[member.name] = reason
            progress(f"without {member.name}: {reason}", 0.0)
            continue
        fitted = member.train(parts.first, settings, kind.metadata(), progress)
        progress(f"checking {member.name} against its trainer", 0.0)
        parity[member.name] = check_parity(member.name, fitted, member.window, parts.later)
        trained[member.name], windows[member.name] = fitted, member.window
        packages += member.packages
    if not trained:
        raise ModelError("no member can be trained: " + "; ".join(left_out.values()))
    onnx = {name: fitted.onnx for name, fitted in trained.items()}
    ranges = {
        name: range_of((fitted.examples or parts.first).rows_in_windows(windows[name]))
        for name, fitted in trained.items()
    }
    manifest = _manifest(parts, settings, kind, onnx, windows, ranges)
    weighed, said = _weighed(manifest, onnx, parts)
    boosters = {name: fitted.booster for name, fitted in trained.items() if fitted.booster}
    packages_ = tuple(dict.fromkeys(packages))
    return Ensemble(Graphs(weighed, onnx), parity, left_out, packages_, boosters, said)


def _too_few(examples: Examples, window: int) -> str:
    known = len(examples.having(window).at)
    return "" if known >= _LEAST_ROWS else f"only {known} rows have {window - 1} before them"


def _manifest(
    parts: Trainees,
    settings: ModelSettings,
    kind: Kind,
    onnx: dict[str, bytes],
    windows: dict[str, int],
    ranges: dict[str, Range],
) -> ModelManifest:
    """With equal weights and outputs as they are."""
    rows, label = parts.first.rows, parts.first.label
    low, high = range_of(rows)
    members = tuple(
        MemberSpec(name, name_of(graph), windows[name], 1.0 / len(onnx), *IDENTITY, *ranges[name])
        for name, graph in onnx.items()
    )
    return ModelManifest(
        feature_set_hash=kind.set_hash,
        horizon_s=kind.horizon_s,
        sample_ms=kind.sample_ms,
        simulated=kind.simulated,
        shares=shares(label),
        gains=mean_gains(rows, parts.moves_bp, label, settings.horizon_s),
        low=low,
        high=high,
        members=members,
    )


def _weighed(
    manifest: ModelManifest, onnx: dict[str, bytes], parts: Trainees
) -> tuple[ModelManifest, Outputs]:
    """The manifest with each member's calibration and weight, from the later rows; and what the
    members said of those.
    """
    later, predictor = parts.later, Predictor(Graphs(manifest, onnx))
    said = predictor.outputs_at(later.table, later.at, later.first)
    raw = predictor.predict_at(later.table, later.at, later.first, said).members
    truth = np.eye(len(CLASSES))[later.label]
    of_shares = ((np.array(manifest.shares) - truth) ** 2).sum(axis=1)
    skill: dict[str, float] = {}
    calibrations: dict[str, Calibration] = {}
    for index, spec in enumerate(manifest.members):
        spoke = np.isfinite(raw[index]).all(axis=1)
        calibrations[spec.name], skill[spec.name] = IDENTITY, 0.0
        if spoke.sum() < _LEAST_ROWS:
            continue
        how = calibrate(raw[index][spoke], later.label[spoke])
        squares = ((applied(raw[index][spoke], how) - truth[spoke]) ** 2).sum(axis=1)
        calibrations[spec.name] = how
        skill[spec.name] = recent_skill(squares, of_shares[spoke], parts.later_us[spoke])
    weight = member_weights(skill)
    members = tuple(
        msgspec.structs.replace(
            m,
            weight=weight[m.name],
            slope=calibrations[m.name].slope,
            offsets=calibrations[m.name].offsets,
        )
        for m in manifest.members
    )
    return msgspec.structs.replace(manifest, members=members), said
