"""What a suite is: rows of one subject and day, and the rules they are to keep.

A rule is an expectation of Great Expectations with a name of ours and a severity: an `error`
blocks what depends on the rows, a `warning` is shown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import pandas as pd
from clickhouse_connect.driver.client import Client
from great_expectations.expectations import Expectation

Severity = Literal["error", "warning"]


class Rule(NamedTuple):
    """One check; `expected` says in words what holds."""

    name: str
    severity: Severity
    expected: str
    expectation: Expectation


class Subject(NamedTuple):
    """What a suite is run on: a feed, or a run (whose rows are of one mode)."""

    name: str  # names it within check ids: "oanda.EURUSD", or the run
    run_id: str
    source: str
    symbol: str


class Suite(NamedTuple):
    """A table's checks."""

    table: str
    subjects: Callable[[Client, datetime, datetime], Sequence[Subject]]
    rows: Callable[[Client, Subject, datetime, datetime], pd.DataFrame]
    rules: Sequence[Rule]


def runs_of(table: str) -> Callable[[Client, datetime, datetime], Sequence[Subject]]:
    """Subjects of a table whose rows belong to runs: the runs of a day."""

    def subjects(client: Client, start: datetime, end: datetime) -> Sequence[Subject]:
        found = client.query(
            f"SELECT DISTINCT run_id FROM {table} "
            "WHERE ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)} "
            "ORDER BY run_id",
            parameters={"start": start, "end": end},
        ).result_rows
        return [Subject(str(run_id), str(run_id), "", "") for (run_id,) in found]

    return subjects
