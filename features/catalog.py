"""What every feature means, in the order of a row's columns.

The catalogue is the one source for column names: the kernel writes in this order, the
warehouse's columns are made from it, and a model carries the hash of it. Any change of meaning,
order or arithmetic changes FEATURE_SET_HASH, and with it old states and models are refused
instead of being misread.
"""

import hashlib
import json
from typing import NamedTuple

#: Raise it when the kernel's arithmetic changes while every definition below stays.
KERNEL_VERSION = 1


class Feature(NamedTuple):
    """One column of a feature row.

    Attributes:
        name: column in the table `feature`.
        family: the kernel's part that computes it.
        unit: `bp` is 1e-4 of the mid price.
        window: what it looks back over.
        warm_up: the value is NaN before this.
        definition: how it is computed. Every value uses its own and earlier ticks only.
        source: where the formula comes from.
    """

    name: str
    family: str
    unit: str
    window: str
    warm_up: str
    definition: str
    source: str


_WILDER = "Wilder, New Concepts in Technical Trading Systems (1978); seeds as in TA-Lib"
_APPEL = "Appel, The MACD (1979); seeds and alignment as in TA-Lib"
_MEAN = "seeds as in TA-Lib"
_BOLLINGER = "Bollinger on Bollinger Bands (2001); population deviation as in TA-Lib"
_VOLATILITY = "Andersen and Bollerslev, Answering the Skeptics (1998)"
_OURS = "this catalogue"
_BARS = "closed 1-minute bars of mid closes; a minute without a tick has no bar"


def _returns(seconds: int) -> Feature:
    return Feature(
        name=f"return_{seconds}s",
        family="return",
        unit="bp",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition=f"log of mid over the mid in force {seconds} s ago (to 100 ms)",
        source=_OURS,
    )


def _volatility(seconds: int) -> Feature:
    return Feature(
        name=f"volatility_{seconds}s",
        family="volatility",
        unit="bp",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="root of the summed squares of log returns between ends of seconds with a tick",
        source=_VOLATILITY,
    )


def _imbalance(seconds: int) -> Feature:
    return Feature(
        name=f"imbalance_{seconds}s",
        family="imbalance",
        unit="share, -1 to 1",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="ticks that raised mid minus ticks that lowered it, over all ticks",
        source=_OURS,
    )


def _rate(seconds: int) -> Feature:
    return Feature(
        name=f"rate_{seconds}s",
        family="rate",
        unit="ticks/s",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="ticks in the window over its length",
        source=_OURS,
    )


def _bar(name: str, family: str, unit: str, bars: int, definition: str, source: str) -> Feature:
    warm_up = f"{bars} closed bars"
    return Feature(name, family, unit, _BARS, warm_up, definition, source)


FEATURES: tuple[Feature, ...] = (
    _bar("rsi_14", "rsi", "0 to 100", 15, "relative strength index, 14 bars", _WILDER),
    _bar("macd_bp", "macd", "bp", 26, "EMA(12) minus EMA(26), over mid", _APPEL),
    _bar("macd_signal_bp", "macd", "bp", 34, "EMA(9) of the MACD line, over mid", _APPEL),
    _bar("macd_histogram_bp", "macd", "bp", 34, "MACD line minus its signal, over mid", _APPEL),
    _bar("sma_20_bp", "average", "bp", 20, "mid minus SMA(20), over mid", _MEAN),
    _bar("ema_20_bp", "average", "bp", 20, "mid minus EMA(20), over mid", _MEAN),
    _bar(
        "bollinger_position",
        "bollinger",
        "0 at the lower band, 1 at the upper",
        20,
        "mid's place between the bands (20, 2); 0.5 when they coincide",
        _BOLLINGER,
    ),
    _bar("bollinger_width_bp", "bollinger", "bp", 20, "upper minus lower, over mid", _BOLLINGER),
    _returns(1),
    _returns(5),
    _returns(15),
    _returns(30),
    _returns(60),
    _returns(300),
    _volatility(60),
    _volatility(300),
    Feature("spread_bp", "spread", "bp", "this tick", "none", "ask minus bid, over mid", _OURS),
    Feature(
        name="spread_z",
        family="spread",
        unit="standard deviations",
        window="300 s",
        warm_up="300 s",
        definition="spread_bp against its mean over the window's ticks; 0 when it never moved",
        source=_OURS,
    ),
    _imbalance(15),
    _imbalance(60),
    _rate(10),
    _rate(60),
    Feature(
        "time_sin", "time", "-1 to 1", "this tick", "none", "sine of the UTC minute of day", _OURS
    ),
    Feature(
        "time_cos", "time", "-1 to 1", "this tick", "none", "cosine of the UTC minute of day", _OURS
    ),
)

#: Column names in row order.
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def feature_set_hash(features: tuple[Feature, ...], kernel_version: int) -> str:
    """First 16 hex digits of the SHA-256 over definitions and kernel version."""
    text = json.dumps([kernel_version, *features], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


#: Identity of this feature set: in every feature row, state snapshot and model.
FEATURE_SET_HASH: str = feature_set_hash(FEATURES, KERNEL_VERSION)
