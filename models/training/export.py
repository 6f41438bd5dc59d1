"""The gate between training and the registry: ONNX Runtime must give what the trainer gives."""

import numpy as np

from core.errors import ModelError
from models.members.base import Rows, Trained
from models.serving.session import Session, WindowSession
from models.training.examples import Examples

#: Largest difference of any probability that is a rounding error and not another model.
PARITY = 1e-5
_ROWS = 20_000
_BLANKED_ROWS = 5_000
_WINDOWS = 500


def check_parity(name: str, trained: Trained, window: int, examples: Examples) -> float:
    """The largest difference on examples, and on some of them with a fifth of the values missing.

    Raises:
        ModelError: it exceeds PARITY; the model must not be registered.
    """
    if window == 1:
        rows = examples.thinned(_ROWS).rows
        session = Session(trained.onnx)
    else:
        rows = examples.having(window).thinned(_WINDOWS).windows(window)
    blanked = rows[:: max(1, len(rows) // _BLANKED_ROWS)].copy()
    blanked[np.random.default_rng(7).random(blanked.shape) < 0.2] = np.nan
    worst = 0.0
    for some in (rows, blanked):
        if not len(some):
            continue
        probabilities = np.empty((len(some), 3), np.float32)
        if window == 1:
            session.predict(some, probabilities)
        else:
            probabilities[:] = _one_by_one(WindowSession(trained.onnx, window), some)
        worst = max(worst, float(np.abs(trained.reference(some) - probabilities).max()))
    if not worst <= PARITY:
        raise ModelError(
            f"{name}: ONNX and trainer differ by {worst:.2g}, more than {PARITY:g}: not registered;"
            " check the versions of the trainer, its converter and onnxruntime"
        )
    return worst


def _one_by_one(session: WindowSession, windows: Rows) -> Rows:
    return np.stack([session.run(window).copy() for window in windows])
