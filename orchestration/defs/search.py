"""The weekly search for better settings: `tickhouse search`, as a process of its own.

A process, because the search starts workers, which a run of Dagster may not. It resumes what it
found before on the same rows; what it finds is a proposal that a person trains with.
"""

import os
import subprocess
import sys

import dagster as dg

from core.settings import environment_of
from orchestration.defs.streams import TABLES, key_of
from orchestration.defs.training import POOL, run_of
from orchestration.resources import Tickhouse, plain_failures

_FEATURE = next(streamed for streamed in TABLES if streamed.table == "feature")
_LONGEST_ERROR = 2000


class SearchConfig(dg.Config):
    """On which rows, and for how long."""

    run_id: str = ""  # empty: orchestration.run_id, or the run of the settings
    minutes: float = 60.0
    trials: int = 1000


@dg.asset(
    group_name="search",
    pool=POOL,
    deps=[key_of(_FEATURE)],
    kinds={"optuna"},
    description="Settings that did better in walk-forward folds; the best of many is lucky, too.",
)
def better_settings(config: SearchConfig, tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Run the command and keep what it says."""
    with plain_failures():
        settings = tickhouse.settings()
    run_id = run_of(settings, config.run_id)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cli.main", "search", "--run", run_id),
            *("--minutes", str(config.minutes), "--trials", str(config.trials)),
        ],
        env={**os.environ, **environment_of("clickhouse", url=settings.clickhouse.url)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise dg.Failure(done.stderr[-_LONGEST_ERROR:] or done.stdout[-_LONGEST_ERROR:])
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return dg.MaterializeResult(
        metadata={"run": run_id, "found": dg.MetadataValue.md("\n\n".join(lines[-10:]))}
    )
