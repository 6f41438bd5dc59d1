"""Compliance every night: yesterday's reports, yesterday sealed, the whole trail verified."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from clickhouse_connect.driver.client import Client

from core import audit_log
from core.audit_log import AuditLine
from core.clock import SystemClock
from core.settings import Settings
from execution.places import journals, placed_events
from orchestration.reporting import make
from orchestration.resources import Tickhouse
from quality.check_result import store
from quality.trail import trail_result
from reports import audit_trail, seal
from reports.base import Report
from reports.catalog import REPORTS
from reports.package import LAYOUT


def sources(settings: Settings) -> list[audit_trail.Source]:
    """The journals of the home."""
    live = settings.home_path / "execution"
    return [
        audit_trail.Source(name, path, placed_events, path.parent.parent == live)
        for name, path in journals(settings.home_path).items()
    ]


@dg.asset(group_name="audit", description="Yesterday (UTC) rooted, signed, exported for WORM.")
def sealed_day(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Needs TICKHOUSE_REPORTS__SIGNING_KEY; a day that is sealed already stays as it is."""
    settings, clock = tickhouse.settings(), SystemClock()
    day, kept = seal.last_day(clock.now_us()), audit_trail.archive(settings)
    if not settings.reports.signing_key:
        return dg.MaterializeResult(metadata={"sealed": "nothing: no signing key is set"})
    if (kept / str(day)).exists():
        return dg.MaterializeResult(metadata={"sealed": f"{day}, before"})
    key = Path(settings.reports.signing_key).expanduser()
    root = audit_trail.seal_home(settings, sources(settings), day, key, clock)
    detail, payload = "day sealed", {"streams": root.streams}
    line = AuditLine(clock.now_us(), "dagster", False, "seal", detail, str(day), "", payload)
    audit_log.append(settings.home_path, line)
    return dg.MaterializeResult(metadata={"sealed": str(day), "folder": str(kept / str(day))})


@dg.asset(
    group_name="audit", deps=[sealed_day], description="Journal, warehouse and signed roots agree."
)
def verified_trail(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Fails with the first break of each stream."""
    settings = tickhouse.settings()
    key = settings.reports.public_key
    client = tickhouse.client()
    try:
        found = audit_trail.verify_home(
            settings, sources(settings), client, audit_trail.archive(settings),
            Path(key).expanduser() if key else None, SystemClock(),
        )  # fmt: skip
        _note(client, found)
    finally:
        client.close()
    if found.breaks:
        told = "\n".join(str(b) for b in found.breaks)
        raise dg.Failure(f"the audit trail is broken; keep everything as it is:\n{told}")
    return dg.MaterializeResult(
        metadata={"events": sum(v.events for v in found.verdicts), "seals_checked": bool(key)}
    )


def _note(client: Client, found: audit_trail.Found) -> None:
    """For boards and alerts."""
    events, breaks = sum(v.events for v in found.verdicts), [str(b) for b in found.breaks]
    store(client, [trail_result(events, breaks, SystemClock().now_us())])


class ReportConfig(dg.Config):
    """Of which world."""

    mode: str = "live"


def _report(report: Report) -> dg.AssetsDefinition:
    """One report as an asset per UTC day; a person signs it, another releases it."""

    @dg.asset(
        name=f"report_{report.name.replace('-', '_')}",
        group_name="reports",
        partitions_def=DAYS,
        pool="dbt",
        description=f"{report.title}: {report.subtitle}. Layout {LAYOUT}, a draft.",
    )
    def made(
        context: dg.AssetExecutionContext, config: ReportConfig, tickhouse: Tickhouse
    ) -> dg.MaterializeResult:
        day = date.fromisoformat(context.partition_key)
        version, new = make(
            tickhouse.settings(), report, day, config.mode, None, "dagster", SystemClock()
        )
        manifest = version.manifest
        return dg.MaterializeResult(
            metadata={
                "folder": str(version.folder), "version": manifest.version, "new": new,
                "empty": manifest.empty, "breaks": manifest.breaks, "layout": manifest.layout,
            }
        )  # fmt: skip

    return made


DAYS = dg.DailyPartitionsDefinition("2010-01-01", timezone="UTC")
REPORT_ASSETS = [_report(report) for name, report in REPORTS.items() if name != "self-assessment"]
YEARLY = [_report(REPORTS["self-assessment"])]

audit_job = dg.define_asset_job("audit_job", dg.AssetSelection.groups("audit"))
reports_job = dg.define_asset_job(
    "reports_job", dg.AssetSelection.assets(*REPORT_ASSETS), partitions_def=DAYS
)
assessment_job = dg.define_asset_job(
    "assessment_job", dg.AssetSelection.assets(*YEARLY), partitions_def=DAYS
)


def _yesterday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The UTC day that is over; once, however often the schedule is looked at."""
    day = (context.scheduled_execution_time - timedelta(days=1)).strftime("%Y-%m-%d")
    return dg.RunRequest(run_key=day, partition_key=day)


@dg.schedule(job=reports_job, cron_schedule="0 1 * * *", execution_timezone="UTC")
def reports_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Every daily report."""
    return _yesterday(context)


@dg.schedule(job=assessment_job, cron_schedule="0 4 1 1 *", execution_timezone="UTC")
def assessment_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The pack of the year that is over."""
    return _yesterday(context)


ASSETS = [sealed_day, verified_trail, *REPORT_ASSETS, *YEARLY]
JOBS = [audit_job, reports_job, assessment_job]
SCHEDULES = [
    dg.ScheduleDefinition(job=audit_job, cron_schedule="30 0 * * *", execution_timezone="UTC"),
    reports_schedule,
    assessment_schedule,
]
