"""Feature rows to probabilities: ONNX Runtime with everything allocated beforehand.

One thread: more gave tails of milliseconds and disturbed other processes. Rows go through a
buffer of 64, the fastest size measured; for tree models the bits do not depend on where batches
are cut, and a test holds us to it. The live path lets the kernel write into `rows` itself and
calls `run`. Not thread-safe: one per thread of work.
"""

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH, NAMES
from models.artifact import Artifact
from models.card import CLASSES

INPUT, OUTPUT = "rows", "probabilities"
BATCH = 64


class Predictor:
    """One loaded model.

    Args:
        model: a verified artefact, or the bytes of an ONNX graph.

    Raises:
        ModelError: not an ONNX graph, or made for another feature set.

    Attributes:
        rows: the bound input buffer, float32 [64, F]; write feature rows here, then `run`.
    """

    def __init__(self, model: Artifact | bytes) -> None:
        self._session = _session(model.onnx if isinstance(model, Artifact) else model)
        self.rows = np.zeros((BATCH, len(NAMES)), np.float32)
        self._probabilities = np.zeros((BATCH, len(CLASSES)), np.float32)
        self._bindings = [self._bind(count) for count in range(1, BATCH + 1)]

    def run(self, count: int) -> npt.NDArray[np.float32]:
        """Predict the first `count` (1 to 64) of `rows`.

        Returns:
            a view [count, 3] of down, flat, up, overwritten by the next call.
        """
        self._session.run_with_iobinding(self._bindings[count - 1])
        return self._probabilities[:count]

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities of down, flat, up, float32 [k, 3], for feature rows float32 [k, F]."""
        result = np.empty((len(rows), len(CLASSES)), np.float32)
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            self.rows[: len(some)] = some
            result[start : start + len(some)] = self.run(len(some))
        return result

    def _bind(self, count: int) -> ort.IOBinding:
        binding = self._session.io_binding()
        shape, place = (count, len(NAMES)), self.rows.ctypes.data
        binding.bind_input(INPUT, "cpu", 0, np.float32, shape, place)
        shape, place = (count, len(CLASSES)), self._probabilities.ctypes.data
        binding.bind_output(OUTPUT, "cpu", 0, np.float32, shape, place)
        return binding


def _session(onnx: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes share no other base
        raise ModelError(f"not a model ONNX Runtime can load ({error}); train again") from error
    made_for = session.get_modelmeta().custom_metadata_map.get("feature_set_hash", "none")
    if made_for != FEATURE_SET_HASH:
        raise ModelError(
            f"model made for feature set {made_for}, this is {FEATURE_SET_HASH}; "
            "train again: tickhouse train"
        )
    return session
