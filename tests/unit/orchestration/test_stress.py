"""The nightly stress run starts by its schedule, or says why not."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from orchestration.defs.stress import stress_schedule

NIGHT = datetime(2026, 11, 23, 21, 45, tzinfo=UTC)


def night() -> dg.RunRequest | dg.SkipReason:
    with dg.build_schedule_context(scheduled_execution_time=NIGHT) as context:
        requested: dg.RunRequest | dg.SkipReason = stress_schedule(context)
    return requested


def test_each_night_is_one_run() -> None:
    request = night()
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "2026-11-23"


def test_without_figures_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKHOUSE_RISK__ENABLED", "false")
    skipped = night()
    assert isinstance(skipped, dg.SkipReason)
    assert "RISK__ENABLED" in str(skipped.skip_message)
