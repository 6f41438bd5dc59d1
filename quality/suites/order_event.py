"""Orders of a run with an event on a trading day: each has its signal and fills what it asked.

What the broker or a person did at the venue is left out: closings are events of the order that
opened the position, and what never asked for a signal (a flattening, a stop) needs none.
"""

from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client

from quality import thresholds as limit
from quality.suites.base import Subject, Suite, between, parameters, runs_of, zero

if TYPE_CHECKING:
    import pandas as pd


def rows(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """The run's orders."""
    orders = client.query_df(_sql("orders_of_day"), parameters=parameters(subject, start, end))
    if orders.empty:
        return orders
    without = ~(orders["has_signal"].astype(bool) | orders["by_others"].astype(bool))
    return orders.assign(
        overfilled=(orders["filled"] - orders["submitted"]).where(orders["submitted"] > 0, 0.0),
        orphan=((orders["filled"] > 0) & (orders["submitted"] == 0)).astype(int),
        without_signal=without.astype(int),
    )


def money(client: Client, subject: Subject, start: datetime, end: datetime) -> "pd.DataFrame":
    """The run's account states, and how far each is from the money that was booked."""
    return client.query_df(_sql("money_of_day"), parameters=parameters(subject, start, end))


def _sql(name: str) -> str:
    return resources.files("quality").joinpath(f"sql/{name}.sql").read_text()


ORDERS = Suite(
    name="order_event",
    table="order_event",
    subjects=runs_of("order_event"),
    rows=rows,
    label="order_id",
    rules=(
        zero("fill_without_order", "error", "what was filled had been submitted", "orphan"),
        between(
            "overfilled", "error", "no order fills more than was submitted", "overfilled",
            high=limit.FILL_TOLERANCE_LOTS,
        ),
        zero(
            "order_without_signal", "error", "every order of ours names a stored signal",
            "without_signal",
        ),
    ),
)  # fmt: skip

MONEY = Suite(
    name="money",
    table="account_state",
    subjects=runs_of("account_state"),
    rows=money,
    label="account",
    rules=(
        between(
            "profit_identity", "warning",
            "the balance changes by what the journal booked: fills, and the broker's own",
            "difference", low=-limit.MONEY_TOLERANCE, high=limit.MONEY_TOLERANCE,
        ),
    ),
)  # fmt: skip
