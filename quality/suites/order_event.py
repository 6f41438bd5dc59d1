"""Orders of a run with an event on a trading day: each has its signal and fills what it asked.

Positions that the broker or a person closed at the venue are events of the order that opened them,
so nothing has to be left out for them.
"""

from datetime import datetime

import great_expectations.expectations as gxe
import pandas as pd
from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Rule, Subject, Suite, runs_of

_SQL = """
SELECT
    order_id,
    count() AS events,
    sumIf(volume, kind IN ('partially_filled', 'filled')) AS filled,
    maxIf(volume, kind = 'submitted') AS submitted,
    any(signal_id) IN (SELECT signal_id FROM signal WHERE run_id = {run:String}) AS has_signal
FROM order_event FINAL
WHERE run_id = {run:String} AND kind != 'booked'
GROUP BY order_id
HAVING max(ts_event) >= {start:DateTime64(6)} AND min(ts_event) < {end:DateTime64(6)}
"""


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> pd.DataFrame:
    """The run's orders."""
    found = client.query_df(
        _SQL, parameters={"run": subject.run_id, "start": start, "end": end}
    )  # fmt: skip
    return found.assign(
        overfilled=found["filled"] - found["submitted"], has_signal=found["has_signal"].astype(int)
    )


ORDERS = Suite(
    table="order_event",
    subjects=runs_of("order_event"),
    rows=rows,
    rules=(
        Rule(
            "fill_without_order", "error", "no order fills more than was submitted",
            gxe.ExpectColumnValuesToBeBetween(
                column="overfilled", max_value=limit.FILL_TOLERANCE_LOTS
            ),
        ),
        Rule(
            "order_without_signal", "error", "every order names a stored signal of its run",
            gxe.ExpectColumnValuesToBeInSet(column="has_signal", value_set=[1]),
        ),
    ),
)  # fmt: skip
