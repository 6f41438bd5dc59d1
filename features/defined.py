"""A person's feature as one expression over a tick's quote and windows of market time.

`drift = 1e4 * (mid / mean(mid, 300) - 1)` says all of it: names are the tick's, functions the
windows of features.sliding, and from the expression follow what is remembered and for how long
there is no value. It becomes the `update()` that a person would have written, and is checked,
hashed and served like one.
"""

import ast
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from features import sliding

#: Of a tick. Prices in quote currency, `volume` in lots, 0 in ticks without a trade.
TICK_NAMES = {
    "bid": "tick.bid", "ask": "tick.ask", "last": "tick.last", "volume": "tick.volume",
    "mid": "((tick.bid + tick.ask) / 2.0)", "spread": "(tick.ask - tick.bid)",
}  # fmt: skip
PLAIN = {"log": math.log, "sqrt": math.sqrt, "exp": math.exp, "abs": abs, "min": min, "max": max}
WINDOWED = ("mean", "deviation", "high", "low", "lag", "ticks")
AVERAGED = "ema"
_LONGEST_S = 7 * 86_400.0
_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Call, ast.Name,
    ast.Load, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.And, ast.Or, ast.Not,
)  # fmt: skip


class Built(NamedTuple):
    """What follows from an expression; as of features.own.OwnFeature and `update()`."""

    warm_up_s: float
    state: tuple[tuple[str, Any], ...]
    update: Callable[..., None]


def build(value: str) -> Built:
    """The state and function of an expression.

    Raises:
        ValueError: what is wrong with it.
    """
    try:
        tree = ast.parse(value, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"{value!r} is no expression: {error.msg}") from error
    written = _Written()
    text, warm_up_s = written.text_of(tree.body)
    windows = [name for name, dtype in written.state if dtype is sliding.WINDOW]
    known = [f"if not ready(state.{name}):\n            continue" for name in windows]
    lines = [*written.lines, *known, f"out[n] = {text}"]
    body = "".join(f"        {line}\n" for line in lines)
    source = (
        "def update(state, ticks, out):\n"
        "    for n in range(len(ticks)):\n        tick = ticks[n]\n" + body
    )
    names: dict[str, Any] = {**PLAIN, "sliding_take": sliding.take, "average": sliding.average}
    names["ready"] = sliding.ready
    names |= {f"window_{name}": getattr(sliding, name) for name in WINDOWED}
    exec(compile(source, f"<{value}>", "exec"), names)  # noqa: S102 # of nodes that were let through
    return Built(warm_up_s, tuple(written.state), names["update"])


class _Written:
    """Lines that bring the windows up to the tick, in the order in which they need each other."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.state: list[tuple[str, Any]] = []
        self._known: dict[tuple[str, str, float], str] = {}

    def text_of(self, node: ast.expr) -> tuple[str, float]:
        """Python text of a part, and how many seconds it may be NaN."""
        if not isinstance(node, _NODES):
            raise ValueError(f"{ast.unparse(node)!r} may not stand in a definition")
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name):
            return self._name(node), 0.0
        if isinstance(node, ast.Constant):
            return self._number(node), 0.0
        parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        texts = [self.text_of(part) for part in parts]
        for part, (text, _) in zip(parts, texts, strict=True):
            _replace(node, part, ast.parse(text, mode="eval").body)
        return f"({ast.unparse(node)})", max((warm_up for _, warm_up in texts), default=0.0)

    def _name(self, node: ast.Name) -> str:
        if node.id not in TICK_NAMES:
            known = ", ".join(TICK_NAMES)
            raise ValueError(f"{node.id!r} is nothing of a tick; there are {known}")
        return TICK_NAMES[node.id]

    def _number(self, node: ast.Constant) -> str:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{value!r} is no number")
        return repr(float(value))

    def _call(self, node: ast.Call) -> tuple[str, float]:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            raise ValueError(f"{ast.unparse(node)!r}: arguments stand by their places")
        if name in PLAIN:
            parts = [self.text_of(part) for part in node.args]
            texts = ", ".join(text for text, _ in parts)
            return f"{name}({texts})", max((warm_up for _, warm_up in parts), default=0.0)
        if name in WINDOWED or name == AVERAGED:
            return self._window(name, node)
        known = ", ".join((*PLAIN, *WINDOWED, AVERAGED))
        raise ValueError(f"{name!r} is no function of a definition; there are {known}")

    def _window(self, name: str, node: ast.Call) -> tuple[str, float]:
        seconds = _seconds(node)
        if seconds is None or not 1 <= seconds <= _LONGEST_S:
            raise ValueError(
                f"{ast.unparse(node)!r}: {name}(value, seconds), seconds a number from 1 to"
                f" {_LONGEST_S:,.0f}"
            )
        text, warm_up_s = self.text_of(node.args[0])
        if name == AVERAGED:
            return self._average(text, seconds), warm_up_s
        key = ("window", text, seconds)
        if key not in self._known:
            field = self._field(key, sliding.WINDOW)
            slot_ms = max(math.ceil(seconds * 1000 / sliding.SLOTS), 1)
            self.lines.append(f"sliding_take({field}, tick.time_msc, {text}, {slot_ms})")
        # A slot more than its length, and a tick to open the slot after it.
        warm_up_s += seconds * (1 + 2 / sliding.SLOTS) + 60.0
        return f"window_{name}({self._known[key]})", warm_up_s

    def _average(self, text: str, seconds: float) -> str:
        key = (AVERAGED, text, seconds)
        if key not in self._known:
            field = self._field(key, sliding.AVERAGE)
            local = field.removeprefix("state.")
            self.lines.append(f"{local} = average({field}, tick.time_msc, {text}, {seconds!r})")
            self._known[key] = local
        return self._known[key]

    def _field(self, key: tuple[str, str, float], dtype: np.dtype[Any]) -> str:
        name = f"part_{len(self.state)}"
        self.state.append((name, dtype))
        self._known[key] = f"state.{name}"
        return self._known[key]


def _seconds(node: ast.Call) -> float | None:
    """The second of two arguments, where it is a number."""
    given = node.args[1] if len(node.args) == 2 else None
    value = given.value if isinstance(given, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) else None


def _replace(node: ast.AST, part: ast.expr, by: ast.expr) -> None:
    """Put another expression in the place of a child."""
    for field, value in ast.iter_fields(node):
        if value is part:
            setattr(node, field, by)
        elif isinstance(value, list):
            setattr(node, field, [by if one is part else one for one in value])
