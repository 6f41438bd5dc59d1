"""Minute bars of one feed and trading day: prices that fit each other, and none missing."""

from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Subject, Suite, between, feeds_of, parameters, zero

if TYPE_CHECKING:
    import pandas as pd

_SQL = resources.files("quality").joinpath("sql/minute_bars.sql").read_text()


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """The feed's minute bars, and how many minutes are missing before each."""
    return derived(client.query_df(_SQL, parameters=parameters(subject, start, end)))


def derived(bars: "pd.DataFrame") -> "pd.DataFrame":
    """The columns that the rules look at."""
    import pandas as pd

    if bars.empty:
        return bars
    minute = bars["s"].astype("int64") // 60
    missing = (minute.diff().fillna(1) - 1).clip(lower=0)
    inside = bars[["open", "close"]].max(axis=1).le(bars["high"])
    inside &= bars[["open", "close"]].min(axis=1).ge(bars["low"])
    return bars.assign(
        at=pd.to_datetime(bars["s"].astype("int64"), unit="s", utc=True).astype(str),
        outside=(~inside).astype(int),
        missing_share=float(missing.sum()) / float(minute.iloc[-1] - minute.iloc[0] + 1),
    )


BARS = Suite(
    name="bar",
    table="bar",
    subjects=feeds_of,
    rows=rows,
    label="at",
    rules=(
        zero("ohlc", "error", "open and close lie between low and high", "outside"),
        between("empty", "error", "a bar has a tick", "tick_count", low=1),
        between("positive", "error", "low above zero", "low", low=0, strict_min=True),
        between(
            "missing", "warning",
            f"at most {limit.MISSING_BARS_SHARE:.0%} of minutes between first and last have no bar",
            "missing_share", high=limit.MISSING_BARS_SHARE,
        ),
    ),
)  # fmt: skip
