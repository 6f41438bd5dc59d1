"""Predictions of one run and trading day: probabilities that are ones."""

from datetime import datetime

import great_expectations.expectations as gxe
import pandas as pd
from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Rule, Subject, Suite, runs_of

_COLUMNS = ("p_down", "p_flat", "p_up")


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> pd.DataFrame:
    """The run's predictions, with the sum of their probabilities."""
    found = client.query_df(
        "SELECT p_down, p_flat, p_up FROM prediction FINAL WHERE run_id = {run:String} "
        "AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}",
        parameters={"run": subject.run_id, "start": start, "end": end},
    )
    return found.assign(total=found[list(_COLUMNS)].sum(axis=1))


PREDICTIONS = Suite(
    table="prediction",
    subjects=runs_of("prediction"),
    rows=rows,
    rules=(
        *(
            Rule(
                name, "error", "between 0 and 1",
                gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0, max_value=1),
            )
            for name in _COLUMNS
        ),
        Rule(
            "probability_sum", "error", "the three probabilities add up to 1",
            gxe.ExpectColumnValuesToBeBetween(
                column="total",
                min_value=1 - limit.PROBABILITY_SUM_TOLERANCE,
                max_value=1 + limit.PROBABILITY_SUM_TOLERANCE,
            ),
        ),
    ),
)  # fmt: skip
