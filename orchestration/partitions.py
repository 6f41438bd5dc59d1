"""Days as partitions, and days of firms.

A trading day ends at 17:00 New York, and its key is the date it ends on. Reports are of a UTC day
and a firm (reports/firms.py); of a home that is one firm the key of the firm is `home`.
"""

from datetime import date

import dagster as dg

from core import settings as product
from core.errors import TickhouseError
from reports import firms

HOME = "home"
_FIRST = "2010-01-01"

# Dagster's windows begin where they are named; a day here is run after its own close, so the
# calendar day is the key and schedules wait for 17:00.
TRADING_DAYS = dg.DailyPartitionsDefinition(_FIRST, timezone="America/New_York", end_offset=1)
DAYS = dg.DailyPartitionsDefinition(_FIRST, timezone="UTC")


def firm_keys() -> list[str]:
    """Of the settings that the code is loaded with; wrong ones are said by every run."""
    try:
        return [firm or HOME for firm in firms.firms(product.load())]
    except TickhouseError:
        return [HOME]


REPORT_DAYS = dg.MultiPartitionsDefinition(
    {"day": DAYS, "firm": dg.StaticPartitionsDefinition(firm_keys())}
)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run; a backfill of many is one run."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def report_day(context: dg.AssetExecutionContext) -> tuple[date, str]:
    """UTC day and firm of a run; the firm is "" when the home is one."""
    key = context.partition_key
    assert isinstance(key, dg.MultiPartitionKey)
    of = key.keys_by_dimension
    return date.fromisoformat(of["day"]), "" if of["firm"] == HOME else of["firm"]


def report_key(day: str, firm: str) -> dg.MultiPartitionKey:
    """The partition of a UTC day and a firm's key."""
    return dg.MultiPartitionKey({"day": day, "firm": firm})
