"""Every report there is, by the name people call it."""

from core.errors import SettingsError
from reports import (
    clock_sync,
    controls,
    emir,
    execution_quality,
    incidents,
    market_abuse,
    order_records,
    reconciliation,
    retention,
    risk,
    rts22,
)
from reports.base import Report

REPORTS: dict[str, Report] = {report.name: report for report in (
    rts22.REPORT, reconciliation.REPORT, order_records.REPORT, controls.REPORT, controls.ASSESSMENT,
    clock_sync.REPORT, execution_quality.REPORT, execution_quality.QUARTER, risk.REPORT,
    market_abuse.REPORT, incidents.REPORT, emir.REPORT, retention.REPORT,
)}  # fmt: skip


def named(name: str) -> Report:
    """A report.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in REPORTS:
        raise SettingsError(f"no report {name!r}; there are: {', '.join(REPORTS)}")
    return REPORTS[name]
