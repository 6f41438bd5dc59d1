"""Jobs through Dagster in their own process: `python -m tests.support.dagster_runs HOME STEP...`.

A step is `job`, `job:2014-05-06`, `job:2014-05-06|firm` or `job:2014-05-06:2014-05-07` (a range as
one run); `NAME=VALUE` is a setting of the steps after it, for loading the graph takes as long as a
step. Dagster warns about its own beta functions, and the tests take warnings for errors; hence the
process. Prints one JSON object per step.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.replay_runs import environment
from tests.support.warehouse_server import ROOT


def dagster_runs(home: Path, *steps: str, project: str = "", **more: str) -> list[dict[str, Any]]:
    """What became of each step, in order."""
    (home / "dagster").mkdir(exist_ok=True)
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.dagster_runs", *steps],
        env=environment(
            home,
            **more,
            DAGSTER_HOME=str(home / "dagster"),
            PYTHONPATH=str(ROOT),
            DBT_PROJECT_FOR_TEST=project,
        ),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-6000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"job"')]


def main(steps: list[str]) -> None:
    """Execute and tell."""
    import dagster as dg

    from orchestration import dbt_project
    from orchestration.definitions import definitions

    if project := os.environ["DBT_PROJECT_FOR_TEST"]:
        dbt_project.PROJECT = Path(project)
    code_location = definitions()
    dg.Definitions.validate_loadable(code_location)
    with dg.DagsterInstance.get() as instance:
        for step in steps:
            name, is_setting, value = step.partition("=")
            if is_setting:
                os.environ[name] = value
                continue
            print(json.dumps(executed(code_location, instance, *step.split(":"))), flush=True)


def executed(
    code_location: Any, instance: Any, job: str, first: str = "", last: str = ""
) -> dict[str, Any]:
    """One run; a failure of it is a result."""
    tags = {}
    if last:
        keys = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
        tags = dict(zip(keys, (first, last), strict=True))
    defined = code_location.resolve_job_def(job)
    result = defined.execute_in_process(
        instance=instance,
        partition_key=_key(defined, first) if first and not last else None,
        tags=tags,
        raise_on_error=False,
    )
    events = result.all_events
    return {
        "job": job,
        "success": result.success,
        "made": sorted({e.asset_key.path[-1] for e in events if e.is_step_materialization}),
        "failed_checks": sorted(
            e.check_name for e in result.get_asset_check_evaluations() if not e.passed
        ),
        "checks": len(result.get_asset_check_evaluations()),
        "failures": [text_of(e) for e in events if e.is_step_failure],
        "skipped": sorted(e.step_key for e in events if e.is_step_skipped),
        "metadata": {
            "/".join(e.asset_key.path): {
                name: str(value.value)[:2000]
                for name, value in e.step_materialization_data.materialization.metadata.items()
            }
            for e in events
            if e.is_step_materialization
        },
    }


def _key(defined: Any, key: str) -> Any:
    """Of a report's job the day stands for the home's, or `DAY|FIRM` is written out."""
    from orchestration.partitions import HOME, REPORT_DAYS, report_key

    if defined.partitions_def != REPORT_DAYS:
        return key
    day, _, firm = key.partition("|")
    return report_key(day, firm or HOME)


def text_of(event: Any) -> str:
    """Why a step failed, all causes."""
    error, messages = event.event_specific_data.error, []
    while error is not None:
        messages.append(error.message)
        error = error.cause
    return f"{event.step_key}: {' <- '.join(messages)}"


if __name__ == "__main__":
    main(sys.argv[1:])
