"""What a suite is: rows of one subject and day, and the rules they are to keep.

A rule names an expectation of Great Expectations and its arguments: plain data, so that whoever
lists the rules (Dagster, a page of the docs) need not load that library. An `error` blocks what
depends on the rows, a `warning` is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from clickhouse_connect.driver.client import Client

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["error", "warning"]


class Rule(NamedTuple):
    """One check; `expected` says in words what holds."""

    name: str
    severity: Severity
    expected: str
    expectation: str  # its class in great_expectations.expectations
    arguments: Mapping[str, Any]


class Subject(NamedTuple):
    """What a suite is run on: a feed, or a run (whose rows are of one mode), or a run's feed."""

    name: str  # names it within check ids: "oanda.EURUSD", or the run
    run_id: str
    source: str
    symbol: str


class Suite(NamedTuple):
    """A table's checks."""

    name: str
    table: str
    subjects: Callable[[Client, datetime, datetime], Sequence[Subject]]
    rows: Callable[[Client, Subject, datetime, datetime], "pd.DataFrame"]
    rules: Sequence[Rule]
    label: str = ""  # column that names a row among the examples of a failure


SPAN = "ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}"


def between(
    name: str,
    severity: Severity,
    expected: str,
    column: str,
    low: float | None = None,
    high: float | None = None,
    mostly: float = 1.0,
    strict_min: bool = False,
) -> Rule:
    """A column's values lie within bounds, of at least the share `mostly` of rows."""
    bounds = {"min_value": low, "max_value": high, "mostly": mostly, "strict_min": strict_min}
    return Rule(
        name, severity, expected, "ExpectColumnValuesToBeBetween", {"column": column, **bounds}
    )


def zero(name: str, severity: Severity, expected: str, column: str, mostly: float = 1.0) -> Rule:
    """A column is 0 in at least the share `mostly` of rows."""
    arguments = {"column": column, "value_set": [0], "mostly": mostly}
    return Rule(name, severity, expected, "ExpectColumnValuesToBeInSet", arguments)


def feeds_of(client: Client, start: datetime, end: datetime) -> Sequence[Subject]:
    """Subjects of ticks and bars: the feeds that quoted."""
    feeds = client.query(
        f"SELECT DISTINCT source, symbol FROM tick WHERE {SPAN} ORDER BY source, symbol",
        parameters={"start": start, "end": end},
    ).result_rows
    return [Subject(f"{source}.{symbol}", "", source, symbol) for source, symbol in feeds]


def runs_of(table: str) -> Callable[[Client, datetime, datetime], Sequence[Subject]]:
    """Subjects of a table whose rows belong to runs: the runs of a day."""

    def subjects(client: Client, start: datetime, end: datetime) -> Sequence[Subject]:
        runs = client.query(
            f"SELECT DISTINCT run_id FROM {table} WHERE {SPAN} ORDER BY run_id",
            parameters={"start": start, "end": end},
        ).result_rows
        return [Subject(str(run_id), str(run_id), "", "") for (run_id,) in runs]

    return subjects


def run_feeds_of(table: str) -> Callable[[Client, datetime, datetime], Sequence[Subject]]:
    """Subjects whose rows are compared within a feed of a run."""

    def subjects(client: Client, start: datetime, end: datetime) -> Sequence[Subject]:
        feeds = client.query(
            f"SELECT DISTINCT run_id, source, symbol FROM {table} WHERE {SPAN} ORDER BY ALL",
            parameters={"start": start, "end": end},
        ).result_rows
        return [Subject(f"{run}.{feed}.{symbol}", run, feed, symbol) for run, feed, symbol in feeds]

    return subjects


def parameters(subject: Subject, start: datetime, end: datetime) -> dict[str, Any]:
    """What the queries of suites bind."""
    return {
        "run": subject.run_id, "source": subject.source, "symbol": subject.symbol,
        "start": start, "end": end,
    }  # fmt: skip
