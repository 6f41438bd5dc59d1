"""A small causal convolution network over the last 64 rows of a feed.

Five layers of kernel 3, each over twice the distance of the one before, see 63 rows back. Only the
last step is read, so of every layer only what leads to it is computed: 31, 15, 7, 3 steps and one,
a fifth of the work of whole layers. JAX trains it; serving needs only the graph. Without JAX the
ensemble is trained without this member, and the card says so.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from core.sections import ModelSettings
from models.members.base import Progress, Rows, Trained, finished
from models.members.linear import standard
from models.serving.card import CLASSES
from models.serving.session import INPUT, OUTPUT
from models.training.examples import Examples

WINDOW = 64
_CHANNELS, _LAYERS, _KERNEL = 16, 5, 3
_STEPS = 2 ** (_LAYERS + 1) - 1  # rows that the last step depends on
_CLIP = 8.0
_BATCH, _PASSES, _RATE = 256, 3, 2e-3


class Sequence:
    """See models.members.base.Member."""

    name = "sequence"
    window = WINDOW
    packages = ("jax", "optax")

    def unavailable(self) -> str:
        """What is missing of the extra `sequence`."""
        missing = [name for name in self.packages if find_spec(name) is None]
        if not missing:
            return ""
        how = "the extra `sequence` brings them: uv pip install -e '.[sequence]'"
        return f"{', '.join(missing)} not installed; {how}"

    def train(
        self,
        examples: Examples,
        settings: ModelSettings,
        metadata: Mapping[str, str],
        progress: Progress,
    ) -> Trained:
        """Adam over three passes of at most `sequence_rows` windows, in a fixed random order."""
        import jax

        some = examples.having(WINDOW).thinned(settings.sequence_rows)
        mean, scale = standard(examples.rows)
        network = _Network(mean.astype(np.float32), scale.astype(np.float32))
        parameters = _fit(network, some, progress)
        compiled = jax.jit(lambda windows: network(parameters, windows))

        def reference(windows: Rows) -> Rows:
            return np.asarray(compiled(windows))  # at once: each shape takes a second to compile

        graph = finished(network.graph(parameters), metadata, WINDOW, len(mean))
        return Trained(graph, reference, examples=some)


class _Network:
    """Windows [k, 64, F] to probabilities [k, 3]. Standardises and fills in by itself."""

    def __init__(self, mean: Rows, scale: Rows) -> None:
        self._mean, self._scale = mean, scale

    def parameters(self, seed: int) -> dict[str, Any]:
        random = np.random.default_rng(seed)
        parameters: dict[str, Any] = {}
        width = len(self._mean)
        for n in range(_LAYERS):
            spread = np.sqrt(2.0 / (_KERNEL * width))
            shape = (_KERNEL, width, _CHANNELS)
            parameters[f"w{n}"] = np.float32(random.normal(0, spread, shape))
            parameters[f"b{n}"] = np.zeros(_CHANNELS, np.float32)
            width = _CHANNELS
        parameters["w"] = np.float32(random.normal(0, 0.01, (_CHANNELS, len(CLASSES))))
        parameters["b"] = np.zeros(len(CLASSES), np.float32)
        return parameters

    def scores(self, parameters: dict[str, Any], windows: Any) -> Any:
        import jax
        import jax.numpy as jnp

        rows = windows[:, -_STEPS:]
        filled = jnp.where(jnp.isnan(rows), self._mean, rows)
        x = jnp.clip((filled - self._mean) / self._scale, -_CLIP, _CLIP)
        for n in range(_LAYERS):
            kernel = parameters[f"w{n}"]
            y = x[:, :-2:2] @ kernel[0] + x[:, 1:-1:2] @ kernel[1] + x[:, 2::2] @ kernel[2]
            y = jax.nn.relu(y + parameters[f"b{n}"])
            x = y if n == 0 else x[:, 2::2] + y
        return x[:, 0] @ parameters["w"] + parameters["b"]

    def __call__(self, parameters: dict[str, Any], windows: Any) -> Any:
        import jax

        return jax.nn.softmax(self.scores(parameters, windows), axis=-1)

    def graph(self, parameters: Mapping[str, Rows]) -> onnx.ModelProto:
        """One window as ONNX: `rows` [1, 64, F] to `probabilities` [1, 3], by the same layers."""
        constants = {
            "mean": self._mean, "scale": self._scale, "w": parameters["w"], "b": parameters["b"],
            "low": np.float32(-_CLIP), "high": np.float32(_CLIP), "from": np.array([-_STEPS]),
            "second": np.array([2]), "end": np.array([WINDOW]), "time": np.array([1]),
            "last": np.array(0),
        }  # fmt: skip
        make = helper.make_node
        nodes = [
            make("Slice", [INPUT, "from", "end", "time"], ["seen"]),
            make("IsNaN", ["seen"], ["missing"]),
            make("Where", ["missing", "mean", "seen"], ["filled"]),
            make("Sub", ["filled", "mean"], ["centred"]),
            make("Div", ["centred", "scale"], ["scaled"]),
            make("Clip", ["scaled", "low", "high"], ["clipped"]),
            make("Transpose", ["clipped"], ["x0"], perm=[0, 2, 1]),
        ]
        for n in range(_LAYERS):
            constants[f"w{n}"] = np.ascontiguousarray(parameters[f"w{n}"].transpose(2, 1, 0))
            constants[f"b{n}"] = parameters[f"b{n}"]
            nodes += _layer(n)
        nodes += [
            make("Gather", [f"x{_LAYERS}", "last"], ["step"], axis=2),
            make("Gemm", ["step", "w", "b"], ["sums"]),
            make("Softmax", ["sums"], [OUTPUT], axis=1),
        ]
        rows = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, WINDOW, len(self._mean)])
        out = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, len(CLASSES)])
        values = [numpy_helper.from_array(v, k) for k, v in constants.items()]
        graph = helper.make_graph(nodes, "tickhouse", [rows], [out], values)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])


def _layer(n: int) -> list[onnx.NodeProto]:
    """Convolution, rectified; from the second on added to every second step of what went in."""
    make, out = helper.make_node, f"x{n + 1}"
    convolved = make("Conv", [f"x{n}", f"w{n}", f"b{n}"], [f"y{n}"], strides=[2])
    if n == 0:
        return [convolved, make("Relu", [f"y{n}"], [out])]
    return [
        convolved,
        make("Relu", [f"y{n}"], [f"r{n}"]),
        make("Slice", [f"x{n}", "second", "end", "second", "second"], [f"s{n}"]),
        make("Add", [f"s{n}", f"r{n}"], [out]),
    ]


def _fit(network: _Network, examples: Examples, progress: Progress) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp
    import optax

    count = len(examples.at)
    steps = max(1, _PASSES * count // _BATCH)
    rule = optax.adamw(optax.cosine_decay_schedule(_RATE, steps), weight_decay=1e-3)

    def loss(parameters: Any, windows: Any, label: Any, weight: Any) -> Any:
        each = optax.softmax_cross_entropy_with_integer_labels(
            network.scores(parameters, windows), label
        )
        return jnp.mean(each * weight)

    def step(parameters: Any, state: Any, windows: Any, label: Any, weight: Any) -> Any:
        slope = jax.grad(loss)(parameters, windows, label, weight)
        change, state = rule.update(slope, state, parameters)
        return optax.apply_updates(parameters, change), state

    compiled = jax.jit(step)
    parameters: Any = network.parameters(seed=7)
    state = jax.jit(rule.init)(parameters)  # together: one thing to compile instead of seven
    random = np.random.default_rng(7)
    for n in range(steps):
        which = np.sort(random.integers(0, count, min(_BATCH, count)))
        some = examples.chosen(which)
        weight = np.float32(some.weight)
        windows, label = some.windows(WINDOW), some.label.astype(np.int32)
        parameters, state = compiled(parameters, state, windows, label, weight)
        if n % 20 == 0 or n == steps - 1:
            progress("training sequence", (n + 1) / steps)
    return {name: np.asarray(value) for name, value in parameters.items()}
