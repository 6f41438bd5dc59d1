"""Trading days as partitions: a day ends at 17:00 New York, and its key is the date it ends on."""

from datetime import date

import dagster as dg

# Dagster's windows begin where they are named; a day here is run after its own close, so the
# calendar day is the key and schedules wait for 17:00.
TRADING_DAYS = dg.DailyPartitionsDefinition("2010-01-01", timezone="America/New_York", end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of a run; a backfill of many is one run."""
    return [date.fromisoformat(key) for key in context.partition_keys]
