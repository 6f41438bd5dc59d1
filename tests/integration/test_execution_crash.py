"""Execution killed with SIGKILL at its own commit points leaves the records of a run that was not.

The replay runs in a process of its own over the real simulated terminal, journal and engine; a
second process on the same files is the restart.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import replays

POINTS = ("journal.before", "journal.after", "send.before", "send.after")
CASES = [(point, count) for point in POINTS for count in (1, 97)] + [
    ("publish.before", 1), ("publish.before", 4), ("publish.after", 4),
]  # fmt: skip

PROGRAM = """
import sys
from pathlib import Path
from core import crashpoint
from tests.support import replays
home = Path(sys.argv[1])
crashpoint.arm_for("execution", sys.argv[2], home)
assert replays.run(home, replays.filled_bus())
"""


def life(home: Path, crash_at: str) -> int:
    """One process's life; its exit code."""
    line = [sys.executable, "-c", PROGRAM, str(home), crash_at]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("unkilled")
    assert replays.run(home, replays.filled_bus())
    return home


@pytest.mark.process
@pytest.mark.parametrize(("point", "count"), CASES)
def test_a_killed_run_journals_and_sends_what_an_unkilled_one_does(
    unkilled: Path, tmp_path: Path, point: str, count: int
) -> None:
    crash_at = f"execution.{point}:{count}"
    assert life(tmp_path, crash_at) == -9
    assert life(tmp_path, crash_at) == 0
    assert replays.events(tmp_path) == replays.events(unkilled)
    for name in ("journal", "account.log"):  # the same orders, once each, and the same records
        assert (tmp_path / name).read_bytes() == (unkilled / name).read_bytes()
