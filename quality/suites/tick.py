"""Ticks of one feed and trading day.

The rules look at columns that the frame derives: how long the feed was silent, for how long its
quote stood still, how far its spread lies from the day's. Weekends and daily breaks begin or end at
17:00 New York, where days are cut, so silence within a day is a gap.
"""

from collections.abc import Sequence
from datetime import datetime

import great_expectations.expectations as gxe
import pandas as pd
from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Rule, Subject, Suite

_SPAN = "ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}"


def subjects(client: Client, start: datetime, end: datetime) -> Sequence[Subject]:
    """The feeds that quoted."""
    found = client.query(
        f"SELECT DISTINCT source, symbol FROM tick WHERE {_SPAN} ORDER BY source, symbol",
        parameters={"start": start, "end": end},
    ).result_rows
    return [Subject(f"{source}.{symbol}", "", source, symbol) for source, symbol in found]


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> pd.DataFrame:
    """The feed's ticks in order, with what the rules look at."""
    ticks = client.query_df(
        "SELECT toUnixTimestamp64Micro(ts_event) AS us, toFloat64(bid) AS bid,"
        " toFloat64(ask) AS ask, quality FROM tick FINAL "
        "WHERE source = {source:String} AND symbol = {symbol:String} AND " + _SPAN + " "
        "ORDER BY ts_event, seq",
        parameters={
            "source": subject.source, "symbol": subject.symbol, "start": start, "end": end,
        },
    )  # fmt: skip
    return derived(ticks)


def derived(ticks: pd.DataFrame) -> pd.DataFrame:
    """`us`, `bid`, `ask`, `quality` and the columns that the rules look at."""
    quote = ticks[["bid", "ask"]]
    changed = quote.ne(quote.shift()).any(axis=1)
    since_change = ticks["us"] - ticks["us"].where(changed).ffill()
    spread = ticks["ask"] - ticks["bid"]
    step = ticks["us"].diff().fillna(0)
    deviation = (spread - spread.median()).abs()
    scale = max(1.4826 * float(deviation.median()), float(spread.abs().median()) / 10, 1e-12)
    return ticks.assign(
        silence_s=step / 1e6,
        unchanged_s=since_change / 1e6,
        spread_z=deviation / scale,
        repeats=((step == 0) & ~changed).astype(int),
        out_of_order=(ticks["quality"].astype(int) // 8) % 2,
    )


TICKS = Suite(
    table="tick",
    subjects=subjects,
    rows=rows,
    rules=(
        Rule(
            "crossed", "error", f"ask below bid in at most {limit.CROSSED_SHARE:.1%} of ticks",
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="ask", column_B="bid", or_equal=True, mostly=1 - limit.CROSSED_SHARE
            ),
        ),
        Rule(
            "positive", "error", "bid above zero",
            gxe.ExpectColumnValuesToBeBetween(column="bid", min_value=0, strict_min=True),
        ),
        Rule(
            "out_of_order", "error",
            f"at most {limit.OUT_OF_ORDER_SHARE:.1%} of ticks came after a later one",
            gxe.ExpectColumnValuesToBeInSet(
                column="out_of_order", value_set=[0], mostly=1 - limit.OUT_OF_ORDER_SHARE
            ),
        ),
        Rule(
            "monotonic", "error", "time never goes back",
            gxe.ExpectColumnValuesToBeBetween(column="silence_s", min_value=0),
        ),
        Rule(
            "duplicate", "warning",
            f"at most {limit.DUPLICATE_SHARE:.0%} repeat time and prices of the tick before",
            gxe.ExpectColumnValuesToBeInSet(
                column="repeats", value_set=[0], mostly=1 - limit.DUPLICATE_SHARE
            ),
        ),
        Rule(
            "gap", "warning", f"no silence above {limit.GAP_S:.0f} s",
            gxe.ExpectColumnValuesToBeBetween(column="silence_s", max_value=limit.GAP_S),
        ),
        Rule(
            "stale", "warning", f"no quote unchanged for {limit.STALE_S:.0f} s while ticks come",
            gxe.ExpectColumnValuesToBeBetween(column="unchanged_s", max_value=limit.STALE_S),
        ),
        Rule(
            "spread_outlier", "warning",
            f"robust z of the spread above {limit.SPREAD_Z:.0f} in at most "
            f"{limit.SPREAD_OUTLIER_SHARE:.0%} of ticks",
            gxe.ExpectColumnValuesToBeBetween(
                column="spread_z", max_value=limit.SPREAD_Z, mostly=1 - limit.SPREAD_OUTLIER_SHARE
            ),
        ),
    ),
)  # fmt: skip
