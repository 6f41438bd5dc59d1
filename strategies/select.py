"""A strategy by its name: one that ships, or a plug-in in the form that its methods say."""

import importlib
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from core.sections import SignalSettings
from strategies import plugins
from strategies.folded import CheckedFolded, remembers
from strategies.pairs_form import CheckedPairs, sees_several
from strategies.parameters import Parameter
from strategies.protocol import CheckedStrategy, Strategy

#: What ships, by name: module and class.
_SHIPPED = {
    "model": ("strategies.protocol", "ModelStrategy"),
    "scripted": ("strategies.protocol", "ScriptedStrategy"),
    "ema_cross": ("strategies.ema_cross", "EmaCross"),
    "breakout": ("strategies.breakout", "Breakout"),
    "trend": ("strategies.trend", "Trend"),
    "mean_reversion": ("strategies.mean_reversion", "MeanReversion"),
    "session_breakout": ("strategies.session_breakout", "SessionBreakout"),
    "volatility_target": ("strategies.volatility_target", "VolatilityTarget"),
    "pairs": ("strategies.pairs", "Pairs"),
}


def shipped() -> tuple[str, ...]:
    """Names that no plug-in may take."""
    return tuple(_SHIPPED)


def select(name: str, settings: SignalSettings, folder: Path | None = None) -> Any:
    """The strategy of a name: a Strategy, one that remembers (strategies.folded), or one that sees
    several symbols (strategies.pairs_form).

    Args:
        folder: where a person's own lie, HOME/strategies; None when only the shipped ones count.

    Raises:
        SettingsError: no such strategy, or a plug-in that is broken.
    """
    if name in _SHIPPED:
        strategy: Strategy = _shipped_class(name)(settings)
        _refuse_unheard(strategy, settings)
        return strategy
    plug_in = plugins.load(name, folder)
    if plug_in is None:
        known = ", ".join([*_SHIPPED, *plugins.names(folder)])
        raise SettingsError(
            f"no strategy {name!r}; known: {known}. Your own: --strategy path/to/{name}.py"
        )
    try:
        own = plug_in(settings)
        _refuse_unheard(own, settings)
        if sees_several(own):
            return CheckedPairs(name, own)
        return CheckedFolded(name, own) if remembers(own) else CheckedStrategy(name, own)
    except SettingsError:
        raise
    except Exception as error:  # whatever the person's code raises
        raise SettingsError(f"strategy {name!r}: cannot be made: {error!r}") from error


def declared(name: str, folder: Path | None = None) -> tuple[Parameter, ...]:
    """The parameters of a strategy's class; empty when it declares none, or there is no such.

    Raises:
        SettingsError: a plug-in that is broken.
    """
    one = _shipped_class(name) if name in _SHIPPED else plugins.load(name, folder)
    return tuple(getattr(one, "parameters", ()))


def _shipped_class(name: str) -> Any:
    module, own = _SHIPPED[name]
    return getattr(importlib.import_module(module), own)


def _refuse_unheard(strategy: Any, settings: SignalSettings) -> None:
    """Values that nobody reads would look as if they held."""
    if settings.parameters and not getattr(strategy, "parameters", ()):
        raise SettingsError(
            f"signals.parameters is {settings.parameters!r}, and strategy {strategy.name!r}"
            " declares no parameters: take the setting away, or declare them"
        )
