"""dbt as the product runs it, on any warehouse; the project is read once for all homes of a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from core.sections import ClickhouseSettings
from core.settings import environment_of
from tests.support import shared_folder
from tests.support.warehouse_server import ROOT


def reading() -> Path:
    """A folder that keeps the project as dbt read it, for all processes of the run."""
    folder = shared_folder.folder() / "dbt"
    folder.mkdir(exist_ok=True)
    return folder


def share_reading(home: Path) -> None:
    """A new home's own dbt runs also find there what was read for another home."""
    (home / "dbt").mkdir(exist_ok=True)
    (home / "dbt" / "parsed").symlink_to(reading())


def dbt_command(
    where: ClickhouseSettings, home: Path, words: tuple[str, ...], variables: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run it; it writes into the home only."""
    return subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "orchestration.dbt_child", *words),
            *("--parsed", str(reading())),
            *("--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt")),
            *("--target-path", str(home / "dbt"), "--log-path", str(home / "logs")),
            *("--vars", json.dumps(variables)),
        ],
        env={
            **os.environ,
            **environment_of("clickhouse", **msgspec.structs.asdict(where)),
            "PYTHONSAFEPATH": "1",
        },
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
