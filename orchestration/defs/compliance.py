"""The audit trail every night: yesterday sealed, everything verified."""

from pathlib import Path

import dagster as dg

from core import audit_log
from core.audit_log import AuditLine
from core.clock import SystemClock
from core.settings import Settings
from execution.places import journals, placed_events
from orchestration.resources import Tickhouse
from reports import audit_trail, seal


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
    finally:
        client.close()
    if found.breaks:
        told = "\n".join(str(b) for b in found.breaks)
        raise dg.Failure(f"the audit trail is broken; keep everything as it is:\n{told}")
    return dg.MaterializeResult(
        metadata={"events": sum(v.events for v in found.verdicts), "seals_checked": bool(key)}
    )


audit_job = dg.define_asset_job("audit_job", dg.AssetSelection.groups("audit"))
ASSETS = [sealed_day, verified_trail]
JOBS = [audit_job]
SCHEDULES = [
    dg.ScheduleDefinition(job=audit_job, cron_schedule="30 0 * * *", execution_timezone="UTC")
]
