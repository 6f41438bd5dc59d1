"""The pages' scripts are what their TypeScript builds, checked by the compiler."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.warehouse_server import ROOT

pytestmark = pytest.mark.heavy(suite="browser")


def test_the_committed_scripts_are_what_their_source_builds(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing = "npm is not here: scripts/system-packages installs it"
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail(missing)
        pytest.skip(missing)
    page = ROOT / "dashboards" / "live"
    source = tmp_path / "front"
    shutil.copytree(page / "front", source, ignore=shutil.ignore_patterns("node_modules"))
    for words in (("ci", "--no-audit", "--no-fund"), ("run", "check"), ("run", "build")):
        done = subprocess.run(
            [npm, *words], cwd=source, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("live.js", "compliance.js", "ask.js"):
        built = (tmp_path / "static" / name).read_bytes()
        assert built == (page / "static" / name).read_bytes(), "run: make front-end"
