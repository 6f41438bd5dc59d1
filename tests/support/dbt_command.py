"""dbt as the product runs it, on any warehouse; the project is read once for all homes of a run."""

import json
import os
import shutil
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


def share_reading(home: Path, mode: str = "") -> None:
    """A new home's own dbt runs also find there what was read for another home.

    Args:
        mode: Dagster looks at the manifest of this mode, which it would have dbt write.
    """
    (home / "dbt").mkdir(exist_ok=True)
    (home / "dbt" / "parsed").symlink_to(reading())
    if mode:
        shutil.copy(_manifest(mode), home / "dbt")


def _manifest(mode: str) -> Path:
    def parse(home: Path) -> None:
        nowhere = ClickhouseSettings(url="http://127.0.0.1:9")  # parsing asks nobody
        done = dbt_command(nowhere, home, ("parse",), {"mode": mode})
        assert done.returncode == 0, done.stdout[-3000:]

    return shared_folder.once(f"manifest-{mode}", parse) / "dbt" / "manifest.json"


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
