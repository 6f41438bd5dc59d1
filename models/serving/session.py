"""One ONNX graph in ONNX Runtime with everything allocated beforehand.

One thread: more gave tails of milliseconds and disturbed other processes. A graph of single rows
goes through a buffer of 64, the fastest size measured, and its bits do not depend on where
batches are cut (a test holds each member to it). A graph of windows is run one window at a time,
because convolutions of several windows give other bits. Not thread-safe: one per thread of work.

ONNX Runtime is imported with the first graph: who trades without a model needs none of it.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.errors import ModelError
from features.own import columns_of
from models.serving.card import CLASSES

if TYPE_CHECKING:
    import onnxruntime as ort

INPUT, OUTPUT = "rows", "probabilities"
BATCH = 64

Rows = npt.NDArray[np.float32]


class ModelSession:
    """A loaded graph of single rows: `rows` float32 [k, F] to `probabilities` float32 [k, 3].

    Raises:
        ModelError: not an ONNX graph, of another shape, or made for another feature set.

    Attributes:
        rows: the bound input buffer, float32 [64, F]; write feature rows here, then `run`.
    """

    def __init__(self, onnx: bytes) -> None:
        self._session, columns = open_session(onnx)
        self.rows = np.zeros((BATCH, columns), np.float32)
        self._probabilities = np.zeros((BATCH, len(CLASSES)), np.float32)
        counts = range(1, BATCH + 1)
        self._bindings = [
            _bind(self._session, self.rows[:count], self._probabilities[:count]) for count in counts
        ]

    def run(self, count: int) -> Rows:
        """Predict the first `count` (1 to 64) of `rows`.

        Returns:
            a view [count, 3] of down, flat, up, overwritten by the next call.
        """
        self._session.run_with_iobinding(self._bindings[count - 1])
        return self._probabilities[:count]

    def predict(self, rows: Rows, out: Rows) -> None:
        """Probabilities of rows float32 [k, F] into `out` float32 [k, 3]."""
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            self.rows[: len(some)] = some
            out[start : start + len(some)] = self.run(len(some))


class WindowSession:
    """A loaded graph of one window: `rows` float32 [1, window, F] to `probabilities` [1, 3]."""

    def __init__(self, onnx: bytes, window: int) -> None:
        self._session, columns = open_session(onnx, window)
        self._window = np.zeros((1, window, columns), np.float32)
        self._probabilities = np.zeros((1, len(CLASSES)), np.float32)
        self._binding = _bind(self._session, self._window, self._probabilities)

    def run(self, window: Rows) -> Rows:
        """Predict one window [window, F], the row asked for last; a view [3]."""
        self._window[0] = window
        self._session.run_with_iobinding(self._binding)
        probabilities: Rows = self._probabilities[0]
        return probabilities


def _bind(session: "ort.InferenceSession", rows: Rows, out: Rows) -> "ort.IOBinding":
    binding = session.io_binding()
    binding.bind_input(INPUT, "cpu", 0, np.float32, rows.shape, rows.ctypes.data)
    binding.bind_output(OUTPUT, "cpu", 0, np.float32, out.shape, out.ctypes.data)
    return binding


def open_session(onnx: bytes, *window: int) -> "tuple[ort.InferenceSession, int]":
    """A session of one thread and its columns, after looking at what the graph says of itself.

    Args:
        window: rows of one input item; nothing when it is a row.
    """
    import onnxruntime as ort

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
    columns = columns_of(made_for)
    _check_shape(session, (*window, columns))
    return session, columns


def _check_shape(session: "ort.InferenceSession", shape: tuple[int, ...]) -> None:
    inputs = {i.name: tuple(i.shape[1:]) for i in session.get_inputs()}
    outputs = {o.name for o in session.get_outputs()}
    if inputs != {INPUT: shape} or OUTPUT not in outputs:
        raise ModelError(
            f"a foreign model: it takes {inputs} and gives {sorted(outputs)}, not {INPUT} "
            f"{shape} and {OUTPUT}; train again: tickhouse train"
        )
