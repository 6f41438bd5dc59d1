"""Feature rows to one calibrated prediction: every member in ONNX Runtime, then the combination.

A member that cannot speak (its file gone, its graph not loadable, no number in its output, too
few rows before a row for its window) is left out of that row and the others' weights make up for
it. That is never silent: `problems` and the bits of `Predictions.absent` say which, and whoever
serves the model passes them on. Not thread-safe: one per thread of work.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH
from features.own import columns_of
from models.serving.artifact import Artifact, Graphs
from models.serving.card import CLASSES
from models.serving.combine import combine
from models.serving.manifest import ModelManifest
from models.serving.session import ModelSession, WindowSession
from models.training.ranges import windows_outside

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


class Predictions(NamedTuple):
    """Predictions of k rows.

    Attributes:
        probabilities: down, flat, up, float32 [k, 3].
        agreement: 1 minus the members' mean distance from it, 0 to 1, float32 [k].
        veto: the row lies outside the training range of a member that has a say, or nobody could
            speak, bool [k].
        absent: bit m: member m (in the order of `Predictor.names`) had no part, uint32 [k].
        members: calibrated outputs float32 [M, k, 3], NaN where absent.
        outside: bit m: the row, or one of its window, leaves member m's training range, uint32 [k].
        set_hash: of the feature set that the model was given.
    """

    probabilities: Rows
    agreement: Rows
    veto: npt.NDArray[np.bool_]
    absent: npt.NDArray[np.uint32]
    members: Rows
    outside: npt.NDArray[np.uint32]
    set_hash: str = FEATURE_SET_HASH


class Outputs(NamedTuple):
    """Before calibration and weights: of M members and k rows.

    Attributes:
        raw: down, flat, up, float32 [M, k, 3]; NaN where a member is silent.
        beyond: whether what a member looked back at is outside what it knows, [M, k].
    """

    raw: Rows
    beyond: npt.NDArray[np.uint8]


class Predictor:
    """A loaded model.

    Raises:
        ModelError: made for another feature set, or no member can be loaded.

    Attributes:
        names: of all members, in the manifest's order.
        problems: why a member is missing, by its name.
        past: how many earlier rows of a feed its members need to see.
    """

    def __init__(self, model: Artifact | Graphs) -> None:
        graphs = model.graphs if isinstance(model, Artifact) else model
        self.manifest = manifest = graphs.manifest
        columns_of(manifest.feature_set_hash)
        self.names = tuple(spec.name for spec in manifest.members)
        self.problems = dict(graphs.problems)
        self._single: dict[int, ModelSession] = {}
        self._windowed: dict[int, tuple[int, WindowSession]] = {}
        for index, spec in enumerate(manifest.members):
            if spec.name in graphs.members:
                self._open(index, spec.name, spec.window, graphs.members[spec.name])
        if not self._single and not self._windowed:
            raise ModelError("; ".join(self.problems.values()) or "a model without members")
        self.past = max((window - 1 for window, _ in self._windowed.values()), default=0)
        self._slopes = np.array([spec.slope for spec in manifest.members])
        self._offsets = np.array([spec.offsets for spec in manifest.members])
        self._weights = np.array([spec.weight for spec in manifest.members])
        self._low, self._high = _ranges(manifest)
        self._shares = np.array(manifest.shares)

    def probabilities(self, rows: Rows) -> Rows:
        """Probabilities of down, flat, up, float32 [k, 3], for consecutive rows of one feed."""
        return self.predict(rows).probabilities

    def predict(self, rows: Rows, past: Rows | None = None) -> Predictions:
        """Predict consecutive rows float32 [k, F] of one feed.

        Args:
            past: the feed's rows before them, float32 [p, F], as far as they are known.

        Columns beyond those that the model was trained on are left out.
        """
        rows, past = self._known(rows), None if past is None else self._known(past)
        raw, beyond = self._raw(rows), self._none_beyond(len(rows))
        if self._windowed:
            known = np.concatenate([past, rows]) if past is not None and len(past) else rows
            before = len(known) - len(rows)
            at = np.arange(before, len(known))
            self._windows(known, at, np.zeros(len(rows), np.int64), raw, beyond)
        return self._combined(rows, raw, beyond)

    def predict_at(
        self, rows: Rows, at: Indices, first: Indices, outputs: Outputs | None = None
    ) -> Predictions:
        """Predict chosen rows of many.

        Args:
            at: places in `rows`.
            first: for each the place of its feed's first row; windows do not reach before it.
            outputs: what `outputs_at` gave for the same, of the same members.
        """
        raw, beyond = outputs or self.outputs_at(rows, at, first)
        return self._combined(self._known(rows)[at], raw, beyond)

    def outputs_at(self, rows: Rows, at: Indices, first: Indices) -> Outputs:
        """What the members say of chosen rows of many, see `predict_at`: most of its work."""
        rows = self._known(rows)
        raw, beyond = self._raw(rows[at]), self._none_beyond(len(at))
        self._windows(rows, at, first, raw, beyond)
        return Outputs(raw, beyond)

    def _known(self, rows: Rows) -> Rows:
        width = self._low.shape[1]
        return rows if rows.shape[1] == width else np.ascontiguousarray(rows[:, :width])

    def _open(self, index: int, name: str, window: int, onnx: bytes) -> None:
        try:
            if window == 1:
                self._single[index] = ModelSession(onnx)
            else:
                self._windowed[index] = window, WindowSession(onnx, window)
        except ModelError as error:
            self.problems[name] = f"member {name}: {error}"

    def _raw(self, rows: Rows) -> Rows:
        """Outputs of the members of single rows; NaN for all others."""
        raw = np.full((len(self.names), len(rows), len(CLASSES)), np.nan, np.float32)
        for index, session in self._single.items():
            session.predict(rows, raw[index])
        return raw

    def _none_beyond(self, count: int) -> npt.NDArray[np.uint8]:
        return np.zeros((len(self.names), count), np.uint8)

    def _windows(
        self, rows: Rows, at: Indices, first: Indices, raw: Rows, beyond: npt.NDArray[np.uint8]
    ) -> None:
        """Outputs of members that look back, and whether what they looked at is known to them."""
        for index, (window, session) in self._windowed.items():
            low, high = self._low[index], self._high[index]
            beyond[index] = windows_outside(rows, at, first, window, low, high)
            for k in np.flatnonzero(at - first >= window - 1).tolist():
                raw[index, k] = session.run(rows[at[k] - window + 1 : at[k] + 1])

    def _combined(self, rows: Rows, raw: Rows, beyond: npt.NDArray[np.uint8]) -> Predictions:
        count = len(rows)
        out = np.empty((count, len(CLASSES)), np.float32)
        agreement, members = np.empty(count, np.float32), np.empty_like(raw)
        veto = np.empty(count, np.uint8)
        absent, outside = np.empty(count, np.uint32), np.empty(count, np.uint32)
        combine(
            raw, self._slopes, self._offsets, self._weights, rows, self._low, self._high, beyond,
            self._shares, members, out, agreement, veto, absent, outside,
        )  # fmt: skip
        return Predictions(
            out, agreement, veto.view(np.bool_), absent, members, outside,
            self.manifest.feature_set_hash,
        )  # fmt: skip


def _ranges(manifest: ModelManifest) -> tuple[Rows, Rows]:
    """Low and high of each member, float32 [M, F], never wider than the model's own."""
    own = [np.array(side, np.float32) for side in (manifest.low, manifest.high)]
    low, high = (np.tile(side, (len(manifest.members), 1)) for side in own)
    for index, spec in enumerate(manifest.members):
        if spec.low:
            low[index] = np.maximum(low[index], np.array(spec.low, np.float32))
            high[index] = np.minimum(high[index], np.array(spec.high, np.float32))
    return low, high
