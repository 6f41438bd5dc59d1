"""Labels of one run's feed and trading day: what a model would learn from is not of one kind.

A class that never comes, or is all there is, teaches nothing; it is usually a feed whose spread is
wrong.
"""

from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Subject, Suite, between, parameters, run_feeds_of

if TYPE_CHECKING:
    import pandas as pd

_LOW, _HIGH = limit.LABEL_SHARE


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """A row per class with its share; none when there are too few labels to say."""
    import pandas as pd

    sql = resources.files("quality").joinpath("sql/labels.sql").read_text()
    bound = {**parameters(subject, start, end), "horizon": limit.LABEL_HORIZON_S}
    counted = client.query(sql, parameters=bound).result_rows[0]
    total = sum(counted)
    if total < limit.LABEL_MIN_ROWS:
        return pd.DataFrame()
    shares = [count / total for count in counted]
    return pd.DataFrame({"label": ["down", "flat", "up"], "share": shares})


LABELS = Suite(
    name="label",
    table="feature",
    subjects=run_feeds_of("feature"),
    rows=rows,
    label="label",
    rules=(
        between(
            "balance", "warning", f"each class between {_LOW:.1%} and {_HIGH:.1%} of labels",
            "share", low=_LOW, high=_HIGH,
        ),
    ),
)  # fmt: skip
