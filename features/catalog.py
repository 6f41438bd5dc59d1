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
KERNEL_VERSION = 2


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
_KELTNER = "Carter, Mastering the Trade (2005): Bollinger bands inside Keltner's channel"
_DONCHIAN = "Donchian's channel, as in Kaufman, Trading Systems and Methods (2013)"
_ORDER_FLOW = "Chordia, Roll and Subrahmanyam, Order Imbalance (2002)"
_QUOTES = "Cont, Kukanov and Stoikov, The Price Impact of Order Book Events (2014), without sizes"
_LEAD = "Lo and MacKinlay, When Are Contrarian Profits Due to Stock Market Overreaction? (1990)"
_VOL_OF_VOL = "Corsi, Mittnik, Pigorsch and Pigorsch, The Volatility of Realized Volatility (2008)"
_TRADES = "; NaN in a feed that never had a trade, 0 in a window without one"
_PEERS = (
    "the other symbols of the same source, by their last mid of each second up to two seconds"
    " before this tick's; NaN without such a symbol"
)


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


def _frame(name: str, family: str, unit: str, frame: str, bars: int, text: str) -> Feature:
    """A column of closed bars of `frame` (of mid: high, low, close)."""
    window, warm_up = f"closed {frame} bars of mid", f"{bars} closed {frame} bars"
    source = _MEAN if family == "average" else _WILDER
    return Feature(name, family, unit, window, warm_up, text, source)


def _windowed(name: str, family: str, unit: str, seconds: int, text: str, source: str) -> Feature:
    return Feature(name, family, unit, f"{seconds} s", f"{seconds} s", text, source)


def _peer(name: str, unit: str, seconds: int, text: str) -> Feature:
    """A column that `features.peers` fills in: the kernel knows one feed only."""
    return Feature(
        name, "peers", unit, f"{seconds} s", f"{seconds + 2} s", f"{text}; {_PEERS}", _LEAD
    )


_SLOW: tuple[Feature, ...] = (
    _frame("rsi_14_5m", "rsi", "0 to 100", "5-minute", 15, "relative strength index, 14 bars"),
    _frame("rsi_14_1h", "rsi", "0 to 100", "1-hour", 15, "relative strength index, 14 bars"),
    _frame("ema_20_5m_bp", "average", "bp", "5-minute", 20, "mid minus EMA(20), over mid"),
    _frame("ema_20_1h_bp", "average", "bp", "1-hour", 20, "mid minus EMA(20), over mid"),
    _frame("atr_14_bp", "range", "bp", "1-minute", 15, "average true range, 14 bars, over mid"),
    _frame("atr_14_5m_bp", "range", "bp", "5-minute", 15, "average true range, 14 bars, over mid"),
    _frame("atr_14_1h_bp", "range", "bp", "1-hour", 15, "average true range, 14 bars, over mid"),
    _bar("return_15m", "return", "bp", 15, "log of mid over the close of 15 bars ago", _OURS),
    _bar("return_60m", "return", "bp", 60, "log of mid over the close of 60 bars ago", _OURS),
    _bar(
        "vol_of_vol_30m",
        "volatility",
        "share",
        30,
        "standard deviation over mean of the 1-minute realised volatilities of 30 bars;"
        " 0 when nothing moved",
        _VOL_OF_VOL,
    ),
    _windowed(
        "volatility_ratio",
        "volatility",
        "ratio",
        300,
        "volatility_60s per root of time over volatility_300s per root of time; 1 when it is 0",
        _VOLATILITY,
    ),
)

_BREAKOUT: tuple[Feature, ...] = (
    _bar(
        "squeeze_ratio",
        "squeeze",
        "ratio",
        20,
        "width of the Bollinger bands (20, 2) over that of Keltner's channel (3 average true"
        " ranges); below 1 is a squeeze; 1 when nothing moved",
        _KELTNER,
    ),
    _bar(
        "squeeze_confidence",
        "squeeze",
        "0 to 1",
        39,
        "share of the last 20 bars that closed in a squeeze",
        _KELTNER,
    ),
    _bar(
        "channel_position",
        "breakout",
        "0 at the low, 1 at the high",
        20,
        "mid's place between the lowest low and the highest high of 20 bars; 0.5 without a range",
        _DONCHIAN,
    ),
    _bar(
        "breakout",
        "breakout",
        "average true ranges",
        20,
        "how far mid is above the highest high of 20 bars, negative below the lowest low, else 0",
        _DONCHIAN,
    ),
    _bar(
        "breakout_confidence",
        "breakout",
        "0 to 1",
        39,
        "size of breakout over 1 plus itself, halved unless a squeeze came before it:"
        " times (1 + squeeze_confidence) / 2",
        _OURS,
    ),
)

_PRESSURE: tuple[Feature, ...] = (
    *(
        _windowed(
            f"quote_pressure_{seconds}s",
            "pressure",
            "share, -1 to 1",
            seconds,
            "moves up of bid and of ask minus moves down, over all moves; 0 without a move",
            _QUOTES,
        )
        for seconds in (15, 60)
    ),
    _windowed(
        "spread_ratio_60s",
        "spread",
        "ratio",
        60,
        "spread_bp over its mean over the window's ticks; 1 when that is not positive",
        _OURS,
    ),
    *(
        _windowed(
            f"flow_imbalance_{seconds}s",
            "flow",
            "share, -1 to 1",
            seconds,
            "volume bought minus volume sold over both, by the trade's flag, else by its price"
            " against mid" + _TRADES,
            _ORDER_FLOW,
        )
        for seconds in (15, 60)
    ),
    _windowed("trade_rate_60s", "flow", "trades/s", 60, "trades per second" + _TRADES, _ORDER_FLOW),
)

_LEAD_LAG: tuple[Feature, ...] = (
    _peer("peer_return_5s", "bp", 5, "mean over peers of the log return of 5 s"),
    _peer("peer_return_30s", "bp", 30, "mean over peers of the log return of 30 s"),
    _peer(
        "peer_lead_60s",
        "-1 to 1",
        62,
        "mean over peers of the correlation, about zero, of 60 one-second returns of this symbol"
        " with the peer's of a second before",
    ),
    _peer(
        "peer_pull_bp",
        "bp",
        62,
        "mean over peers of the peer's last one-second return times this symbol's regression on"
        " it, a second later, over 60 s",
    ),
)

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
    *_SLOW,
    *_BREAKOUT,
    *_PRESSURE,
    *_LEAD_LAG,
)

#: How many columns the kernel fills; the rest, at the end, are those of features.peers.
KERNEL_COLUMNS = len(FEATURES) - len(_LEAD_LAG)

#: Column names in row order.
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def feature_set_hash(features: tuple[Feature, ...], kernel_version: int) -> str:
    """First 16 hex digits of the SHA-256 over definitions and kernel version."""
    text = json.dumps([kernel_version, *features], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


#: Identity of this feature set: in every feature row, state snapshot and model.
FEATURE_SET_HASH: str = feature_set_hash(FEATURES, KERNEL_VERSION)
