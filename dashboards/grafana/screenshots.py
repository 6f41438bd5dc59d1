"""Pictures of the boards in somebody's Grafana, where a Chromium is on PATH.

By the browser's own switches, without a driver. It signs in nowhere: a Grafana that lets nobody
look without a login shows its login page, and the picture says so.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dashboards.grafana.check import Finding
from dashboards.grafana.push import boards

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = (
    *("--headless=new", "--hide-scrollbars", "--no-first-run", "--disable-extensions"),
    *("--window-size=1600,2600", "--virtual-time-budget=20000", "--disable-dev-shm-usage"),
)
_PATIENCE_S = 90.0


def take(url: str, folder: Path) -> Iterator[Finding]:
    """One PNG per board into the folder, which is made when missing."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        yield Finding("screenshots", "note", "no Chromium on PATH: none taken")
        return
    folder.mkdir(parents=True, exist_ok=True)
    # As root, as in containers, Chromium runs only without its sandbox.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    for board in boards():
        picture = (folder / f"{board['uid']}.png").resolve()
        picture.unlink(missing_ok=True)
        page = f"{url.rstrip('/')}/d/{board['uid']}?kiosk"
        with tempfile.TemporaryDirectory() as profile:
            _run([program, *_FLAGS, *root, f"--user-data-dir={profile}",
                  f"--screenshot={picture}", page])  # fmt: skip
        there = picture.exists()
        yield Finding(
            "screenshots", "good" if there else "bad", str(picture) if there else f"none of {page}"
        )


def _run(line: list[str]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):  # that there is no picture tells
        subprocess.run(line, capture_output=True, check=False, timeout=_PATIENCE_S)
