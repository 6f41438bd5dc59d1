"""What a member of the ensemble is: one file with a name, a window, and a way to train it.

A new member is one file in this folder and one line in `select.py`. It is served as an ONNX graph
by the same two sessions as all others, and passes the same gate: its graph must give what its
trainer gives.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import onnx

from core.sections import ModelSettings
from models.serving.session import INPUT, OUTPUT
from models.training.examples import Examples

Rows = npt.NDArray[np.float32]

#: Called with what is being done and how much of it, 0 to 1.
Progress = Callable[[str, float], None]


class Trained(NamedTuple):
    """A trained member: its graph, and its trainer's own probabilities for the gate.

    Attributes:
        onnx: `rows` float32 [k, F] (or [1, window, F]) to `probabilities` float32 [k, 3].
        reference: the trainer's probabilities [k, 3] of rows, or windows, without ONNX.
        booster: of trees, in the trainer's own form, to explain predictions with.
        examples: those it was trained on; None: all it was given.
    """

    onnx: bytes
    reference: Callable[[Rows], Rows]
    booster: bytes = b""
    examples: Examples | None = None


class Member(Protocol):
    """A kind of member. The same examples and settings give the same bytes."""

    name: str
    window: int  # rows it looks at, the predicted one last
    packages: tuple[str, ...]  # whose versions belong on the card

    def unavailable(self) -> str:
        """Why it cannot be trained here; "" when it can."""
        ...

    def train(
        self,
        examples: Examples,
        settings: ModelSettings,
        metadata: Mapping[str, str],
        progress: Progress,
    ) -> Trained:
        """Fit it and write it as ONNX with this metadata."""
        ...


def finished(graph: onnx.ModelProto, metadata: Mapping[str, str], *shape: int) -> bytes:
    """A graph's bytes with its metadata, checked; nothing random or dated goes in.

    `shape`: of one input item: columns, or rows of a window and columns.

    `ir_version` stays at what the oldest supported ONNX Runtime reads.
    """
    outputs = [output for output in graph.graph.output if output.name == OUTPUT]
    del graph.graph.output[:]
    graph.graph.output.extend(outputs)
    graph.ir_version = min(graph.ir_version, 10)
    declared = graph.graph.input[0].type.tensor_type.shape
    for dimension, size in zip(declared.dim[1:], shape, strict=True):
        dimension.dim_value = size
    assert graph.graph.input[0].name == INPUT
    # A converter lists them in the order of a set of strings, which each process hashes anew.
    opsets = sorted(graph.opset_import, key=lambda opset: opset.domain)
    del graph.opset_import[:]
    graph.opset_import.extend(opsets)
    onnx.helper.set_model_props(graph, dict(sorted(metadata.items())))
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))
