"""The dbt project of the checkout, run as a process of its own.

A process, because dbt keeps global state and Dagster must survive it. Its address comes from our
settings; what it writes goes under the home, so that a checkout may be read-only.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import WarehouseError
from core.settings import Settings, environment_of

_NOWHERE = "http://127.0.0.1:8123"  # parsing needs an address and does not use it
PROJECT = Path(__file__).resolve().parents[1] / "dbt"


def run(
    settings: Settings, command: str, variables: Mapping[str, str], words: Sequence[str] = ()
) -> str:
    """Run a dbt command to its end and return what it printed.

    Raises:
        WarehouseError: a model or test failed; carries the end of dbt's output.
    """
    where = settings.clickhouse
    done = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors", command),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(target(settings))),
            *("--log-path", str(settings.home_path / "logs")),
            *("--vars", json.dumps(dict(variables))),
            *words,
        ],
        env={
            **os.environ,
            **environment_of(
                "clickhouse", url=where.url or _NOWHERE, user=where.user,
                password=where.password, database=where.database,
            ),
            "PYTHONSAFEPATH": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise WarehouseError(
            f"dbt {command} failed; correct the model or the data it names and run it again:\n"
            f"{done.stdout[-3000:]}{done.stderr[-1000:]}"
        )
    return done.stdout


def target(settings: Settings) -> Path:
    """Where dbt leaves its manifest and results."""
    return settings.home_path / "dbt"


def manifest(settings: Settings) -> dict[str, Any]:
    """The project as dbt understands it; parsed again when a file of it is newer."""
    path = target(settings) / "manifest.json"
    newest = max(file.stat().st_mtime for file in PROJECT.rglob("*") if file.is_file())
    if not path.exists() or path.stat().st_mtime < newest:
        target(settings).mkdir(parents=True, exist_ok=True)
        run(settings, "parse", {})
    parsed: dict[str, Any] = json.loads(path.read_text())
    return parsed
