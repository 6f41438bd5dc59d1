"""A small causal convolution network over the last 64 rows of a feed.

Five layers of kernel 3 with dilations 1 to 16 see 63 rows back; only the last step is read. JAX
trains it and jax2onnx writes it; serving needs neither. Without JAX the ensemble is trained
without this member, and the card says so.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from core.sections import ModelSettings
from features.catalog import NAMES
from models.members.base import Progress, Rows, Trained, finished
from models.members.linear import standard
from models.serving.card import CLASSES
from models.serving.session import INPUT, OUTPUT
from models.training.examples import Examples

WINDOW = 64
_CHANNELS, _DILATIONS, _KERNEL = 16, (1, 2, 4, 8, 16), 3
_CLIP = 8.0
_BATCH, _PASSES, _RATE = 256, 3, 2e-3


class Sequence:
    """See models.members.base.Member."""

    name = "sequence"
    window = WINDOW
    packages = ("jax", "optax", "jax2onnx")

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
            parts = [compiled(windows[n : n + _BATCH]) for n in range(0, len(windows), _BATCH)]
            return np.concatenate([np.asarray(part) for part in parts])

        return Trained(_exported(network, parameters, metadata), reference, examples=some)


class _Network:
    """Windows [k, 64, F] to probabilities [k, 3]. Standardises and fills in by itself."""

    def __init__(self, mean: Rows, scale: Rows) -> None:
        self._mean, self._scale = mean, scale

    def parameters(self, seed: int) -> dict[str, Any]:
        random = np.random.default_rng(seed)
        parameters: dict[str, Any] = {}
        width = len(NAMES)
        for n, _ in enumerate(_DILATIONS):
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

        filled = jnp.where(jnp.isnan(windows), self._mean, windows)
        x = jnp.clip((filled - self._mean) / self._scale, -_CLIP, _CLIP)
        for n, dilation in enumerate(_DILATIONS):
            y = jax.lax.conv_general_dilated(
                x,
                parameters[f"w{n}"],
                window_strides=(1,),
                padding=[((_KERNEL - 1) * dilation, 0)],
                rhs_dilation=(dilation,),
                dimension_numbers=("NWC", "WIO", "NWC"),
            )
            y = jax.nn.relu(y + parameters[f"b{n}"])
            x = y if n == 0 else x + y
        return x[:, -1, :] @ parameters["w"] + parameters["b"]

    def __call__(self, parameters: dict[str, Any], windows: Any) -> Any:
        import jax

        return jax.nn.softmax(self.scores(parameters, windows), axis=-1)


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
    state = rule.init(parameters)
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


def _exported(network: _Network, parameters: dict[str, Any], metadata: Mapping[str, str]) -> bytes:
    from jax2onnx import to_onnx

    graph = to_onnx(
        lambda rows: network(parameters, rows),
        [(1, WINDOW, len(NAMES))],
        input_names=[INPUT],
        output_names=[OUTPUT],
        model_name="tickhouse",
        opset=18,
    )
    return finished(graph, metadata, WINDOW)
