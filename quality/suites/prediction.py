"""Predictions of one run and trading day: probabilities that are ones."""

from datetime import datetime
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import SPAN, Subject, Suite, between, parameters, runs_of

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("p_down", "p_flat", "p_up")


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """The run's predictions, with the sum of their probabilities."""
    predictions = client.query_df(
        "SELECT prediction_id, p_down, p_flat, p_up FROM prediction FINAL "
        f"WHERE run_id = {{run:String}} AND {SPAN}",
        parameters=parameters(subject, start, end),
    )
    return predictions.assign(total=predictions[list(_COLUMNS)].sum(axis=1))


PREDICTIONS = Suite(
    name="prediction",
    table="prediction",
    subjects=runs_of("prediction"),
    rows=rows,
    label="prediction_id",
    rules=(
        *(between(name, "error", "between 0 and 1", name, low=0, high=1) for name in _COLUMNS),
        between(
            "probability_sum", "error", "the three probabilities add up to 1", "total",
            low=1 - limit.PROBABILITY_SUM_TOLERANCE, high=1 + limit.PROBABILITY_SUM_TOLERANCE,
        ),
    ),
)  # fmt: skip
