"""A replay that takes long enough for something to go wrong in it."""

import os
import signal
import subprocess
from pathlib import Path

from tests.e2e.replay_runs import environment, pid_of
from tests.support.waiting import until

SLICES = {"TICKHOUSE_COLLECTOR__SLICE_TICKS": "500"}
PACE = {"TICKHOUSE_COLLECTOR__SPEED": "200"}


def started(home: Path, command: list[str], settings: dict[str, str]) -> "subprocess.Popen[str]":
    """A command that replays on a home; returns when its execution works."""
    process = subprocess.Popen(
        [*command, "--json"], env=environment(home, **(SLICES | PACE | settings)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def works() -> bool:
        assert process.poll() is None, process.communicate()[1][-3000:]
        return (home / "run" / "execution.json").exists()

    until(works, 120, every_s=0.1)
    return process


def kill(home: Path, name: str) -> None:
    """SIGKILL one of its processes."""
    pid = pid_of(home, name)
    assert pid, f"{name} had ended already: the replay is too short"
    os.kill(pid, signal.SIGKILL)
