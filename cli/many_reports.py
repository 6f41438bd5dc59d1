"""Reports of many days at once, and all that is new by e-mail: words of `tickhouse report`."""

import argparse
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from cli.stack.warehouse_client import at_hand, warehouse_settings
from core.clock import SystemClock
from core.errors import SettingsError, TickhouseError
from core.home_users import COMMANDS
from core.identity import this_user
from core.settings import Settings
from reports import catalog, deadlines, firms, mail
from reports.base import Report


def remake(namespace: argparse.Namespace, settings: Settings) -> int:
    """Every report whose period ends in a span of days, of each firm; 1 when one could not be.

    A day that fails is said, and the others go on; the same data again make no new version.
    """
    if namespace.date is None:
        raise SettingsError("report remake: --date D, the first day, and --until D, the last")
    until, failed = namespace.until or yesterday(), 0
    with at_hand(settings):
        settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
        for back in range((until - namespace.date).days + 1):
            day = namespace.date + timedelta(days=back)
            for firm in firms.firms(settings):
                failed += not _day(namespace, settings, day, _of_day(day, firm))
    return 1 if failed else 0


def _of_day(day: date, firm: str) -> list[Report]:
    return [
        report.of_firm(firm)
        for report in catalog.REPORTS.values()
        if deadlines.ends_on(report.every, day)
    ]


def _day(
    namespace: argparse.Namespace, settings: Settings, day: date, reports: list[Report]
) -> bool:
    from orchestration import reporting

    by, clock = namespace.by or this_user(), SystemClock()
    run, new = f"remake {day} {clock.now_us()}", 0
    try:
        reporting.build(settings, reports, day, namespace.mode, run)
        for report in reports:
            new += reporting.render(settings, report, day, namespace.mode, run, by, clock)[1]
    except TickhouseError as error:
        print(f"{day}: not all made: {error}")
        return False
    print(f"{day}: {len(reports)} reports{f' of {reports[0].firm}' * bool(reports[0].firm)},"
          f" {new} of them new versions")  # fmt: skip
    return True


def send(namespace: argparse.Namespace, settings: Settings) -> int:
    """One mail with what was not sent yet; 1 when nobody knows whether something was."""
    until = namespace.date or yesterday()
    outcome = mail.send(settings, until, namespace.mode, SystemClock(), again=namespace.again)
    print(f"{len(outcome.versions)} reports sent to {settings.reports.mail_to}.")
    if outcome.doubt:
        print(outcome.doubt)
    return 1 if outcome.doubt else 0


def yesterday() -> date:
    """UTC."""
    return datetime.fromtimestamp(SystemClock().now_us() / 1e6, UTC).date() - timedelta(days=1)
