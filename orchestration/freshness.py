"""By when what is made on a schedule has to be there; Dagster shows what is late, and tells.

A deadline stands some time after its schedule in compliance_schedules.py and schedules.py, so that
a run has its time; what was made since the bound before it is in time.
"""

from datetime import timedelta

import dagster as dg


def _by(deadline: str, hours: int, timezone: str = "UTC") -> dg.FreshnessPolicy:
    """Made within so many hours before the deadline."""
    return dg.FreshnessPolicy.cron(deadline, timedelta(hours=hours), timezone)


NIGHTLY = _by("0 3 * * *", 3)
#: Trading days end at 17:00 New York.
MARTS = _by("0 19 * * 1-5", 2, "America/New_York")
SELDOM = {
    "self-assessment": _by("0 8 1 1 *", 8), "retention": _by("0 9 1 * *", 9),
    "execution-quality-quarter": _by("0 8 1 1,4,7,10 *", 8),
}  # fmt: skip
