"""The dbt project of the checkout, run as a process of its own.

A process, because dbt keeps global state and Dagster must survive it. Its address comes from our
settings; what it writes goes under the home, so that a checkout may be read-only.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import WarehouseError
from core.home_users import DBT, sign_in
from core.settings import Settings, environment_of
from core.shipped import shipped

_NOWHERE = "http://127.0.0.1:8123"  # parsing needs an address and does not use it
_SHOWN = 3000  # characters of dbt's output in an error
PROJECT = shipped("dbt")
_parsing = threading.Lock()


def run(
    settings: Settings,
    command: str,
    variables: Mapping[str, str | bool],
    *options: str,
    target_path: Path | None = None,
) -> str:
    """Run a dbt command to its end and return what it printed.

    Raises:
        WarehouseError: a model or test failed; carries the lines that say which.
    """
    where = sign_in(settings.clickhouse, DBT)
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "orchestration.dbt_child"),
            *(*command.split(), *options),
            *("--parsed", str(target(settings) / "parsed")),
            *("--project-dir", str(PROJECT)),
            *("--profiles-dir", str(PROJECT)),
            *("--target-path", str(target_path or target(settings))),
            *("--log-path", str(settings.home_path / "logs")),
            *("--vars", json.dumps(dict(variables))),
        ],
        env={
            **os.environ,
            **environment_of(
                "clickhouse", url=where.url or _NOWHERE, user=where.user,
                password=where.password, database=where.database, cluster=where.cluster,
            ),
            **({"SSL_CERT_FILE": where.ca} if where.ca else {}),  # dbt has no setting for it
            "PYTHONSAFEPATH": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise WarehouseError(
            f"dbt {command} failed; correct the model or the data it names and run it again:\n"
            f"{what_failed(done.stdout)}{done.stderr[-1000:]}"
        )
    return done.stdout


def what_failed(output: str) -> str:
    """The part of dbt's output that a person needs: its errors, else its end."""
    lines = output.splitlines()
    begins = [i for i, line in enumerate(lines) if "Error" in line or "Failure in" in line]
    return "\n".join(lines[begins[0] :] if begins else lines)[-_SHOWN:]


def target(settings: Settings) -> Path:
    """Where dbt leaves its manifest and results."""
    return settings.home_path / "dbt"


def manifest(settings: Settings) -> dict[str, Any]:
    """The project as dbt understands it; parsed again when a file of it is newer.

    Raises:
        WarehouseError: the project does not parse; what was understood before stays on disk.
    """
    path = target(settings) / "manifest.json"
    with _parsing:
        newest = max(file.stat().st_mtime for file in PROJECT.rglob("*") if file.is_file())
        if not path.exists() or path.stat().st_mtime < newest:
            target(settings).mkdir(parents=True, exist_ok=True)
            run(settings, "parse", {"mode": settings.marts_mode})
        parsed: dict[str, Any] = json.loads(path.read_text())
    return parsed
