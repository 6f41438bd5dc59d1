"""Numbers of a strategy that a person may turn: declared once with a range, given as one text.

A strategy lists its parameters in its class (`parameters`) and takes their values when it is made:
`parameter_values(self.parameters, settings.parameters)`. The text stands in the setting
`signals.parameters`, so that a run's id, a session and a signature hold it like any other setting.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import UnsetType

from core.errors import SettingsError


class Parameter(NamedTuple):
    """One number of a strategy.

    Attributes:
        name: an identifier, unique within the strategy.
        default: what holds when nothing else is given; within the range.
        low, high: the range, ends included.
        meaning: what it does and its unit, in a few words.
        log: whether its size matters by ratio (as of a time) and not by difference.
    """

    name: str
    default: float
    low: float
    high: float
    meaning: str
    log: bool = False


def parameter_values(declared: Sequence[Parameter], text: str | UnsetType) -> dict[str, float]:
    """Values by name: those of a text like `entry_ranges=1.5,horizon_s=7200`, else the defaults.

    Raises:
        SettingsError: a name that is not declared or stands twice, no number, or out of range.
    """
    values = {parameter.name: parameter.default for parameter in declared}
    known, given = {parameter.name: parameter for parameter in declared}, set[str]()
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in known or name in given:
            names = ", ".join(known) or "none"
            what = "stands twice" if name in given else f"is no parameter of it; it has {names}"
            raise SettingsError(f"signals.parameters: {name!r} {what}")
        given.add(name)
        values[name] = _within(known[name], number)
    return values


def written(values: Mapping[str, float]) -> str:
    """The text of values, which `parameter_values` reads back to the last bit."""
    return ",".join(f"{name}={value!r}" for name, value in values.items())


def _within(parameter: Parameter, number: str) -> float:
    name, low, high = parameter.name, parameter.low, parameter.high
    try:
        value = float(number)
    except ValueError as error:
        raise SettingsError(f"signals.parameters: {name}={number!r} is no number") from error
    if not (low <= value <= high and math.isfinite(value)):
        raise SettingsError(f"signals.parameters: {name}={number} is not from {low:g} to {high:g}")
    return value
