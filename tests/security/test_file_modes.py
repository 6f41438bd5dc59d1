"""What is in a home is for its owner's eyes, whatever the umask of whoever started it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.replay_runs import cut, environment

pytestmark = [
    pytest.mark.process,
    pytest.mark.heavy(suite="security"),
    pytest.mark.skipif(os.name != "posix", reason="other systems have no umask"),
]


def open_to_others(home: Path) -> Iterator[str]:
    """Whatever is made for more than its owner, with its mode."""
    for path in (home, *home.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o077 and not path.is_symlink():
            yield f"{path.relative_to(home)} {mode:o}"


def tickhouse(home: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment(home), capture_output=True, text=True, check=False, umask=0o022,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_nothing_in_a_home_is_for_others(tmp_path: Path, recordings: Path) -> None:
    home = tmp_path / "home"
    ticks = cut(recordings / "ticks" / "EURUSD_oanda.parquet", tmp_path / "ticks", 52_000, 20_000)
    tickhouse(home, "replay", str(ticks), "--strategy", "scripted")
    tickhouse(home, "halt", "--by", "ann", "--reason", "news")
    assert (home / "control.json").exists()
    assert any((home / "runs").rglob("journal"))
    assert list(open_to_others(home)) == []
