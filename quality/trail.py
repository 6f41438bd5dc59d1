"""What a verification of the audit trail found, as a row beside the checks of the data."""

from collections.abc import Sequence

from quality.check_result import CheckResult


def trail_result(events: int, breaks: Sequence[str], now_us: int) -> CheckResult:
    """One row per verification; boards and the alert "failed audit" read the newest."""
    return CheckResult(
        check_id="audit.trail",
        suite="audit",
        table_name="audit_event",
        run_id="",
        ts_event_us=now_us,
        ts_init_us=now_us,
        status="failed" if breaks else "passed",
        severity="error",
        observed=float(len(breaks)),
        expected="journal, warehouse and signed roots agree",
        rows_checked=events,
        rows_failed=len(breaks),
        detail="\n".join(breaks)[:2000],
    )
