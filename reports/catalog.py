"""Every report there is, by the name people call it."""

from core.errors import SettingsError
from core.settings import Settings
from reports import (
    client_money_report,
    clock_sync,
    controls,
    emir,
    execution_quality,
    firms,
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
    rts22.REPORT, reconciliation.REPORT, client_money_report.REPORT, order_records.REPORT,
    controls.REPORT, controls.ASSESSMENT, clock_sync.REPORT, execution_quality.REPORT,
    execution_quality.QUARTER, risk.REPORT,
    market_abuse.REPORT, incidents.REPORT, emir.REPORT, retention.REPORT,
)}  # fmt: skip


def get(name: str) -> Report | None:
    """A report by its name, or a firm's by `NAME@PARTY`; None when there is none."""
    kind, at, firm = name.partition("@")
    report = REPORTS.get(kind)
    return report.of_firm(firm) if report and bool(at) == bool(firm) else None


def named(name: str) -> Report:
    """A report.

    Raises:
        SettingsError: there is none of that name.
    """
    report = get(name)
    if report is None:
        raise SettingsError(f"no report {name!r}; there are: {', '.join(REPORTS)}")
    return report


def expected(settings: Settings) -> list[Report]:
    """Every report that a home makes: each once, or once for each of its firms.

    Raises:
        SettingsError: see `firms.firms`.
    """
    return [report.of_firm(firm) for report in REPORTS.values() for firm in firms.firms(settings)]
