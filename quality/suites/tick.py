"""Ticks of one feed and trading day.

The rules look at columns that the frame derives: how long the feed was silent while its market was
open, for how long its quote stood still, how far its spread lies from the day's, which prints stand
alone. A day is cut at 17:00 New York, where weekends and daily breaks begin or end.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client

from core.instruments import instrument
from quality import anomaly
from quality import thresholds as limit
from quality.suites.base import SPAN, Rule, Subject, Suite, between, feeds_of, parameters, zero

if TYPE_CHECKING:
    import pandas as pd

_SQL = f"""
SELECT
    toUnixTimestamp64Micro(ts_event) AS us, toFloat64(bid) AS bid, toFloat64(ask) AS ask, quality
FROM tick FINAL
WHERE source = {{source:String}} AND symbol = {{symbol:String}} AND {SPAN}
ORDER BY ts_event, seq
"""


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """The feed's ticks in order, with what the rules look at."""
    ticks = client.query_df(_SQL, parameters=parameters(subject, start, end))
    return derived(ticks, *session(subject.symbol, start, end))


def session(symbol: str, start: datetime, end: datetime) -> tuple[int, int]:
    """When the market opens within the day and closes, microseconds UTC; metals rest an hour."""
    known = instrument(symbol, round(end.timestamp() * 1e6))
    rest = timedelta(hours=1 if known is not None and known.session == "metal" else 0)
    return round((start + rest).timestamp() * 1e6), round(end.timestamp() * 1e6)


def derived(ticks: "pd.DataFrame", open_us: int, close_us: int) -> "pd.DataFrame":
    """`us`, `bid`, `ask`, `quality` and the columns that the rules look at."""
    import pandas as pd

    if ticks.empty:
        return ticks
    quote = ticks[["bid", "ask"]]
    changed = quote.ne(quote.shift()).any(axis=1)
    since_change = ticks["us"] - ticks["us"].where(changed).ffill()
    spread = ticks["ask"] - ticks["bid"]
    step = ticks["us"].diff().fillna(0)
    deviation = (spread - spread.median()).abs()
    scale = max(1.4826 * float(deviation.median()), float(spread.abs().median()) / 10, 1e-12)
    edge = pd.Series(0.0, index=ticks.index)
    edge.iloc[0] = max(0, ticks["us"].iloc[0] - open_us) / 1e6
    edge.iloc[-1] = max(edge.iloc[-1], (close_us - ticks["us"].iloc[-1]) / 1e6)
    return ticks.assign(
        at=pd.to_datetime(ticks["us"], unit="us", utc=True).astype(str),
        step_s=step / 1e6,
        silence_s=(ticks["us"] - ticks["us"].shift().clip(lower=open_us)).fillna(0) / 1e6,
        edge_s=edge,
        unchanged_s=since_change / 1e6,
        spread_z=deviation / scale,
        repeats=((step == 0) & ~changed).astype(int),
        out_of_order=(ticks["quality"].astype(int) // 8) % 2,
        bad_print=anomaly.bad_prints(quote["bid"].to_numpy(), quote["ask"].to_numpy()),
    )


TICKS = Suite(
    name="tick",
    table="tick",
    subjects=feeds_of,
    rows=rows,
    label="at",
    rules=(
        Rule(
            "crossed", "error", f"ask below bid in at most {limit.CROSSED_SHARE:.1%} of ticks",
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {
                "column_A": "ask", "column_B": "bid", "or_equal": True,
                "mostly": 1 - limit.CROSSED_SHARE,
            },
        ),
        between("positive", "error", "bid above zero", "bid", low=0, strict_min=True),
        zero(
            "out_of_order", "error",
            f"at most {limit.OUT_OF_ORDER_SHARE:.1%} of ticks came after a later one",
            "out_of_order", mostly=1 - limit.OUT_OF_ORDER_SHARE,
        ),
        between("monotonic", "error", "time never goes back", "step_s", low=0),
        zero(
            "duplicate", "error",
            f"at most {limit.DUPLICATE_SHARE:.0%} repeat time and prices of the tick before",
            "repeats", mostly=1 - limit.DUPLICATE_SHARE,
        ),
        between(
            "gap", "error", f"no silence above {limit.GAP_S:.0f} s while the market is open",
            "silence_s", high=limit.GAP_S,
        ),
        between(
            "session", "warning",
            f"quotes from at most {limit.EDGE_S:.0f} s after the open until before the close",
            "edge_s", high=limit.EDGE_S,
        ),
        between(
            "stale", "warning", f"no quote unchanged for {limit.STALE_S:.0f} s while ticks come",
            "unchanged_s", high=limit.STALE_S,
        ),
        between(
            "spread_outlier", "warning",
            f"robust z of the spread above {limit.SPREAD_Z:.0f} in at most "
            f"{limit.SPREAD_OUTLIER_SHARE:.0%} of ticks",
            "spread_z", high=limit.SPREAD_Z, mostly=1 - limit.SPREAD_OUTLIER_SHARE,
        ),
        zero(
            "bad_print", "warning",
            f"at most {limit.BAD_PRINT_SHARE:.2%} of ticks stand alone, far from their neighbours",
            "bad_print", mostly=1 - limit.BAD_PRINT_SHARE,
        ),
    ),
)  # fmt: skip
