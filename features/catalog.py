"""What every feature means, in the order of a row's columns.

The catalogue is the one source for column names: the kernel writes in this order, the
warehouse's columns are made from it, and a model carries the hash of it. Any change of meaning,
order or arithmetic changes FEATURE_SET_HASH, and with it old states and models are refused
instead of being misread.
"""

import hashlib
import json

from features.definitions import (
    APPEL,
    BOLLINGER,
    DONCHIAN,
    KELTNER,
    MEAN,
    ORDER_FLOW,
    OURS,
    QUOTES,
    TRADES,
    VOL_OF_VOL,
    VOLATILITY,
    WILDER,
    Feature,
    bar,
    frame,
    imbalance,
    peer,
    rate,
    returns,
    volatility,
    windowed,
)

#: Raise it when the kernel's arithmetic changes while every definition below stays.
KERNEL_VERSION = 2

_SLOW: tuple[Feature, ...] = (
    frame("rsi_14_5m", "rsi", "0 to 100", "5-minute", 15, "relative strength index, 14 bars"),
    frame("rsi_14_1h", "rsi", "0 to 100", "1-hour", 15, "relative strength index, 14 bars"),
    frame("ema_20_5m_bp", "average", "bp", "5-minute", 20, "mid minus EMA(20), over mid"),
    frame("ema_20_1h_bp", "average", "bp", "1-hour", 20, "mid minus EMA(20), over mid"),
    frame("atr_14_bp", "range", "bp", "1-minute", 15, "average true range, 14 bars, over mid"),
    frame("atr_14_5m_bp", "range", "bp", "5-minute", 15, "average true range, 14 bars, over mid"),
    frame("atr_14_1h_bp", "range", "bp", "1-hour", 15, "average true range, 14 bars, over mid"),
    bar("return_15m", "return", "bp", 15, "log of mid over the close of 15 bars ago", OURS),
    bar("return_60m", "return", "bp", 60, "log of mid over the close of 60 bars ago", OURS),
    bar(
        "vol_of_vol_30m",
        "volatility",
        "share",
        30,
        "standard deviation over mean of the 1-minute realised volatilities of 30 bars;"
        " 0 when nothing moved",
        VOL_OF_VOL,
    ),
    windowed(
        "volatility_ratio",
        "volatility",
        "ratio",
        300,
        "volatility_60s per root of time over volatility_300s per root of time; 1 when it is 0",
        VOLATILITY,
    ),
)

_BREAKOUT: tuple[Feature, ...] = (
    bar(
        "squeeze_ratio",
        "squeeze",
        "ratio",
        20,
        "width of the Bollinger bands (20, 2) over that of Keltner's channel (3 average true"
        " ranges); below 1 is a squeeze; 1 when nothing moved",
        KELTNER,
    ),
    bar(
        "squeeze_confidence",
        "squeeze",
        "0 to 1",
        39,
        "share of the last 20 bars that closed in a squeeze",
        KELTNER,
    ),
    bar(
        "channel_position",
        "breakout",
        "0 at the low, 1 at the high",
        20,
        "mid's place between the lowest low and the highest high of 20 bars; 0.5 without a range",
        DONCHIAN,
    ),
    bar(
        "breakout",
        "breakout",
        "average true ranges",
        20,
        "how far mid is above the highest high of 20 bars, negative below the lowest low, else 0",
        DONCHIAN,
    ),
    bar(
        "breakout_confidence",
        "breakout",
        "0 to 1",
        39,
        "size of breakout over 1 plus itself, halved unless a squeeze came before it:"
        " times (1 + squeeze_confidence) / 2",
        OURS,
    ),
)

_PRESSURE: tuple[Feature, ...] = (
    *(
        windowed(
            f"quote_pressure_{seconds}s",
            "pressure",
            "share, -1 to 1",
            seconds,
            "moves up of bid and of ask minus moves down, over all moves; 0 without a move",
            QUOTES,
        )
        for seconds in (15, 60)
    ),
    windowed(
        "spread_ratio_60s",
        "spread",
        "ratio",
        60,
        "spread_bp over its mean over the window's ticks; 1 when that is not positive",
        OURS,
    ),
    *(
        windowed(
            f"flow_imbalance_{seconds}s",
            "flow",
            "share, -1 to 1",
            seconds,
            "volume bought minus volume sold over both, by the trade's flag, else by its price"
            " against mid" + TRADES,
            ORDER_FLOW,
        )
        for seconds in (15, 60)
    ),
    windowed("trade_rate_60s", "flow", "trades/s", 60, "trades per second" + TRADES, ORDER_FLOW),
)

_LEAD_LAG: tuple[Feature, ...] = (
    peer("peer_return_5s", "bp", 5, "mean over peers of the log return of 5 s"),
    peer("peer_return_30s", "bp", 30, "mean over peers of the log return of 30 s"),
    peer(
        "peer_lead_60s",
        "-1 to 1",
        62,
        "mean over peers of the correlation, about zero, of 60 one-second returns of this symbol"
        " with the peer's of a second before",
    ),
    peer(
        "peer_pull_bp",
        "bp",
        62,
        "mean over peers of the peer's last one-second return times this symbol's regression on"
        " it, a second later, over 60 s",
    ),
)

FEATURES: tuple[Feature, ...] = (
    bar("rsi_14", "rsi", "0 to 100", 15, "relative strength index, 14 bars", WILDER),
    bar("macd_bp", "macd", "bp", 26, "EMA(12) minus EMA(26), over mid", APPEL),
    bar("macd_signal_bp", "macd", "bp", 34, "EMA(9) of the MACD line, over mid", APPEL),
    bar("macd_histogram_bp", "macd", "bp", 34, "MACD line minus its signal, over mid", APPEL),
    bar("sma_20_bp", "average", "bp", 20, "mid minus SMA(20), over mid", MEAN),
    bar("ema_20_bp", "average", "bp", 20, "mid minus EMA(20), over mid", MEAN),
    bar(
        "bollinger_position",
        "bollinger",
        "0 at the lower band, 1 at the upper",
        20,
        "mid's place between the bands (20, 2); 0.5 when they coincide",
        BOLLINGER,
    ),
    bar("bollinger_width_bp", "bollinger", "bp", 20, "upper minus lower, over mid", BOLLINGER),
    returns(1),
    returns(5),
    returns(15),
    returns(30),
    returns(60),
    returns(300),
    volatility(60),
    volatility(300),
    Feature("spread_bp", "spread", "bp", "this tick", "none", "ask minus bid, over mid", OURS),
    Feature(
        name="spread_z",
        family="spread",
        unit="standard deviations",
        window="300 s",
        warm_up="300 s",
        definition="spread_bp against its mean over the window's ticks; 0 when it never moved",
        source=OURS,
    ),
    imbalance(15),
    imbalance(60),
    rate(10),
    rate(60),
    Feature(
        "time_sin", "time", "-1 to 1", "this tick", "none", "sine of the UTC minute of day", OURS
    ),
    Feature(
        "time_cos", "time", "-1 to 1", "this tick", "none", "cosine of the UTC minute of day", OURS
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
