"""Features of one run's feed and trading day: one row per feature, with what its values are like.

Drift is measured against the days before, of the same run and feed; without any it is 0. It is a
warning: the market may well have changed, and what follows is a new training, not a stop.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.drift import psi
from quality.suites.base import SPAN, Subject, Suite, between, parameters, run_feeds_of, zero

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = """
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = 'feature' AND type = 'Float32' ORDER BY position
"""


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """A row per feature."""
    names = [str(name) for (name,) in client.query(_COLUMNS).result_rows]
    before = start - timedelta(days=limit.DRIFT_DAYS + 2)
    return derived(
        _values(client, names, subject, start, end),
        _values(client, names, subject, before, start),
    )


def derived(values: "pd.DataFrame", reference: "pd.DataFrame") -> "pd.DataFrame":
    """`feature`, the share of nulls and of values out of range, and the drift."""
    import pandas as pd

    compared = min(len(values), len(reference)) >= limit.DRIFT_MIN_ROWS
    rows = []
    for name in values.columns if len(values) else ():
        column = values[name].to_numpy(np.float64)
        known = column[np.isfinite(column)]
        low, high = range_of(name)
        drift = 0.0
        if compared and not any(part in name for part in limit.DRIFT_EXEMPT):
            drift = psi(reference[name].to_numpy(np.float64), column, limit.DRIFT_BINS)
        outside = int(((known < low) | (known > high)).sum())
        rows.append((name, null_share(column, reference.get(name)), outside, drift))
    return pd.DataFrame(rows, columns=["feature", "null_share", "out_of_range", "drift"])


def null_share(column: npt.NDArray[np.float64], before: "pd.Series | None") -> float:
    """Share of values that are missing although the feature had been known.

    A warm-up is no gap, and what has never been known (there is no peer, nobody trades) is absent.
    """
    finite = np.isfinite(column)
    warm = before is not None and bool(np.isfinite(before.to_numpy(np.float64)).any())
    begin = 0 if warm else int(finite.argmax())
    return float(1 - finite[begin:].mean()) if warm or finite.any() else 0.0


def range_of(name: str) -> tuple[float, float]:
    """The bounds of a feature."""
    ranges = [bounds for begin, bounds in limit.FEATURE_RANGES.items() if name.startswith(begin)]
    return ranges[0] if ranges else limit.OTHER_RANGE


def _values(
    client: Client, names: list[str], subject: Subject, start: datetime, end: datetime
) -> "pd.DataFrame":
    return client.query_df(
        f"SELECT {', '.join(names)} FROM feature FINAL WHERE run_id = {{run:String}} "
        f"AND source = {{source:String}} AND symbol = {{symbol:String}} AND {SPAN} "
        "ORDER BY ts_event, seq",
        parameters=parameters(subject, start, end),
    )


FEATURES = Suite(
    name="feature",
    table="feature",
    subjects=run_feeds_of("feature"),
    rows=rows,
    label="feature",
    rules=(
        zero("range", "error", "values within the bounds of their feature", "out_of_range"),
        between(
            "null_rate", "warning", f"at most {limit.NULL_SHARE:.0%} of values missing once known",
            "null_share", high=limit.NULL_SHARE,
        ),
        between(
            "drift", "warning",
            f"stability index against the {limit.DRIFT_DAYS} days before at most {limit.DRIFT_PSI}",
            "drift", high=limit.DRIFT_PSI,
        ),
    ),
)  # fmt: skip
