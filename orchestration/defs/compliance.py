"""Compliance every night: yesterday's reports, yesterday sealed, the whole trail verified."""

from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from audit import seal, trail
from audit.records import export as records
from audit.retention import census
from core import audit_log
from core.audit_log import AuditLine
from core.clock import SystemClock
from core.errors import UnavailableError
from core.settings import Settings
from execution.journal import segments
from execution.journal.reader import journals, placed_events
from execution.risk.controls import problem_of
from orchestration import compliance_ready, freshness, reporting
from orchestration.partitions import REPORT_DAYS, report_day
from orchestration.resources import Tickhouse, plain_failures
from quality.check_result import store
from quality.trail import trail_result
from reports import mail
from reports.base import Report
from reports.catalog import REPORTS
from reports.package import LAYOUT
from surveillance.abuse import scan


def sources(settings: Settings) -> list[trail.Source]:
    """The journals of the home."""
    live = settings.home_path / "execution"
    return [
        trail.Source(name, path, placed_events, path.parent.parent == live, segments.pieces)
        for name, path in journals(settings.home_path).items()
    ]


_SATURDAY = 5  # what was over when Sunday's run begins


@dg.asset(
    group_name="audit", freshness_policy=freshness.NIGHTLY,
    description="Yesterday (UTC) rooted, signed, exported for WORM.",
)  # fmt: skip
def sealed_day(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Needs TICKHOUSE_REPORTS__SIGNING_KEY; a day that is sealed already stays as it is."""
    settings, clock = tickhouse.settings(), SystemClock()
    day, kept = seal.last_day(clock.now_us()), trail.archive(settings)
    if not settings.reports.signing_key:
        return dg.MaterializeResult(metadata={"sealed": f"nothing: {compliance_ready.NO_KEY}"})
    if (kept / str(day)).exists():
        return dg.MaterializeResult(metadata={"sealed": f"{day}, before"})
    key = Path(settings.reports.signing_key).expanduser()
    root = trail.seal_home(settings, sources(settings), day, key, clock)
    detail, payload = "day sealed", {"streams": root.streams}
    line = AuditLine(
        ts_us=clock.now_us(), by="dagster", authenticated=False, action="seal", detail=detail,
        subject=str(day), reason="", payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line)
    return dg.MaterializeResult(metadata={"sealed": str(day), "folder": str(kept / str(day))})


@dg.asset(
    group_name="audit", deps=[sealed_day], freshness_policy=freshness.NIGHTLY,
    description="Journal, warehouse and signed roots agree.",
)  # fmt: skip
def verified_trail(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Fails with the first break of each stream. On Sundays (UTC) every event is walked again."""
    settings, clock = tickhouse.settings(), SystemClock()
    key, kept = settings.reports.public_key, trail.archive(settings)
    public = Path(key).expanduser() if key else None
    client = tickhouse.client()
    try:
        verification = trail.verify_home(
            settings, sources(settings), client, kept, public, clock,
            problem_of(settings, clock), full=seal.last_day(clock.now_us()).weekday() == _SATURDAY,
        )  # fmt: skip
        _note(client, verification)
        if public and not verification.breaks:
            trail.remember(settings, sources(settings), client, kept, public, "dagster", clock)
    finally:
        client.close()
    if verification.breaks:
        listed = "\n".join(str(b) for b in verification.breaks)
        raise dg.Failure(f"the audit trail is broken; keep everything as it is:\n{listed}")
    return dg.MaterializeResult(
        metadata={
            "events": sum(v.events for v in verification.verdicts),
            "seals": "checked" if key else f"NOT checked: {compliance_ready.NO_PUBLIC_KEY}",
        }
    )


@dg.asset(
    group_name="audit", deps=[sealed_day], freshness_policy=freshness.NIGHTLY,
    description="Records up to yesterday (UTC), sealed as Parquet elsewhere.",
)  # fmt: skip
def exported_records(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Where TICKHOUSE_REPORTS__RECORDS says; nothing without it."""
    settings, clock = tickhouse.settings(), SystemClock()
    if not settings.reports.records:
        return dg.MaterializeResult(metadata={"exported": "nothing: reports.records is not set"})
    with plain_failures(), tickhouse.connected() as client:
        root = records.export(client, settings, seal.last_day(clock.now_us()), clock)
    return dg.MaterializeResult(
        metadata={"exported": f"export {root.number}" if root else "nothing new"}
    )


def _note(client: Client, verification: trail.Verification) -> None:
    """For boards and alerts."""
    events, breaks = (
        sum(v.events for v in verification.verdicts),
        [str(b) for b in verification.breaks],
    )
    store(client, [trail_result(events, breaks, SystemClock().now_us())])


#: Reports that are not made nightly, and the job that makes each.
SELDOM = {
    "self-assessment": "assessment_job", "execution-quality-quarter": "quarter_job",
    "retention": "retention_job",
}  # fmt: skip


class ReportConfig(dg.Config):
    """Of which world."""

    mode: str = "live"


@dg.asset(
    group_name="reports", partitions_def=REPORT_DAYS,
    freshness_policy=freshness.NIGHTLY,
    description="A UTC day's own orders, looked at by every scenario of market abuse.",
)  # fmt: skip
def abuse_alerts(
    context: dg.AssetExecutionContext, config: ReportConfig, tickhouse: Tickhouse
) -> dg.MaterializeResult:
    """Alerts are cases from now on: `tickhouse abuse list`."""
    settings, (day, _) = tickhouse.settings(), report_day(context)
    with plain_failures(), tickhouse.connected() as client:
        done = scan.scan(client, settings.home_path, config.mode, day, SystemClock().now_us())
    return dg.MaterializeResult(metadata={"events": done.events, **done.alerts})


@dg.asset(
    group_name="reports", partitions_def=REPORT_DAYS, pool="dbt", deps=[abuse_alerts],
    freshness_policy=freshness.NIGHTLY,
    description="The marts that all daily reports of a UTC day are made from, built once.",
)  # fmt: skip
def report_marts(
    context: dg.AssetExecutionContext, config: ReportConfig, tickhouse: Tickhouse
) -> dg.MaterializeResult:
    """Reports of the same run are rendered from them."""
    day, firm = report_day(context)
    daily = [report.of_firm(firm) for report in REPORTS.values() if report.every == "day"]
    with plain_failures():
        built = reporting.build(tickhouse.settings(), daily, day, config.mode, context.run_id)
    return dg.MaterializeResult(
        metadata={"invocation": built.invocation, "marts": len(built.marts)}
    )


@dg.asset(
    group_name="reports", partitions_def=REPORT_DAYS,
    freshness_policy=freshness.SELDOM["retention"],
    description="What is kept, since when, and what of it is due, held and destroyed.",
)  # fmt: skip
def retention_census(
    context: dg.AssetExecutionContext, tickhouse: Tickhouse
) -> dg.MaterializeResult:
    """Counted when it runs, as of the partition's day."""
    (day, _), clock = report_day(context), SystemClock()
    with plain_failures(), tickhouse.connected() as client:
        taken = census.take(client, tickhouse.settings(), day, clock)
        census.store(client, taken, clock.now_us())
    counts = {one.subject: one.due for one in taken.counted if one.due}
    return dg.MaterializeResult(metadata={"due": counts, "breaks": len(taken.breaks())})


#: What a report that is made alone is made from, besides its marts.
_BEFORE = {"retention": [retention_census]}


def _report(report: Report) -> dg.AssetsDefinition:
    """One report as an asset per UTC day and firm; a person signs it, another releases it."""

    @dg.asset(
        name=f"report_{report.name.replace('-', '_')}",
        group_name="reports",
        partitions_def=REPORT_DAYS,
        pool="dbt",
        freshness_policy=freshness.SELDOM.get(report.name, freshness.NIGHTLY),
        deps=_BEFORE.get(report.name, []) if report.name in SELDOM else [report_marts],
        description=f"{report.title}: {report.subtitle}. Layout {LAYOUT}, a draft.",
    )
    def rendered(
        context: dg.AssetExecutionContext, config: ReportConfig, tickhouse: Tickhouse
    ) -> dg.MaterializeResult:
        day, firm = report_day(context)
        with plain_failures():
            version, new = reporting.render(
                tickhouse.settings(), report.of_firm(firm), day, config.mode, context.run_id,
                "dagster", SystemClock(),
            )  # fmt: skip
        manifest = version.manifest
        return dg.MaterializeResult(
            metadata={
                "folder": str(version.folder), "version": manifest.version, "new": new,
                "empty": manifest.empty, "breaks": manifest.breaks, "layout": manifest.layout,
            }
        )  # fmt: skip

    return rendered


REPORT_ASSETS = {name: _report(report) for name, report in REPORTS.items()}


@dg.asset(
    group_name="reports", partitions_def=REPORT_DAYS, freshness_policy=freshness.NIGHTLY,
    deps=[asset for name, asset in REPORT_ASSETS.items() if name not in SELDOM],
    description="Reports up to a UTC day that were not sent yet, by e-mail.",
    retry_policy=dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL),
)  # fmt: skip
def mailed_pack(
    context: dg.AssetExecutionContext, config: ReportConfig, tickhouse: Tickhouse
) -> dg.MaterializeResult:
    """To TICKHOUSE_REPORTS__MAIL_TO; tried again, then told as every failure is."""
    settings, (day, _) = tickhouse.settings(), report_day(context)
    if not settings.reports.mail_to:
        return dg.MaterializeResult(metadata={"mailed": "nothing: reports.mail_to is not set"})
    with plain_failures():
        try:
            outcome = mail.send(settings, day, config.mode, SystemClock())
        except UnavailableError as error:  # this alone is worth another try
            raise dg.Failure(str(error)) from error
    if outcome.doubt:
        raise dg.Failure(outcome.doubt, allow_retries=False)
    return dg.MaterializeResult(metadata={"mailed": len(outcome.versions)})


def _job(name: str, *assets: dg.AssetsDefinition) -> Any:
    return dg.define_asset_job(name, dg.AssetSelection.assets(*assets))


audit_job = dg.define_asset_job("audit_job", dg.AssetSelection.groups("audit"))
ASSETS = [
    sealed_day, verified_trail, exported_records, abuse_alerts, report_marts, retention_census,
    *REPORT_ASSETS.values(), mailed_pack,
]  # fmt: skip
JOBS = [
    audit_job,
    _job(
        "reports_job",
        abuse_alerts,
        report_marts,
        *(asset for name, asset in REPORT_ASSETS.items() if name not in SELDOM),
        mailed_pack,
    ),
    *(_job(job, *_BEFORE.get(name, []), REPORT_ASSETS[name]) for name, job in SELDOM.items()),
]
