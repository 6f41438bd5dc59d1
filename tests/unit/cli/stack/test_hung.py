"""A process that hangs is ended; one that starts, works, or slept with the machine is not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from cli.stack.hung import QUESTIONS, SILENT_S, Hung
from cli.stack.process_state import ProcessState

READY = ("ready", "")
SILENT = ("silent", "no answer at http://127.0.0.1:1/health: timed out")
FOREIGN = ("starting", "no answer at http://127.0.0.1:1/ready: timed out")


@pytest.fixture
def child() -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


class Watched:
    """One process as its watcher finds it, question by question, on a clock of its own."""

    def __init__(self, pid: int) -> None:
        self.pid, self.time = pid, 0.0
        self.hung = Hung(lambda: self.time)

    def ask(self, answer: tuple[str, str], count: int, every_s: float = 1.0) -> list[str]:
        ended: list[str] = []
        for _ in range(count):
            self.time += every_s
            health, detail = answer
            state = ProcessState(
                name="flow", state="running", pid=self.pid, uptime_s=9, restarts=0, exit_code=0,
                health=health, detail=detail, log="flow.log",
            )  # fmt: skip
            ended += self.hung.end({"flow": state})
        return ended


@pytest.mark.parametrize("silence", [SILENT, FOREIGN])
def test_who_was_ready_and_is_silent_for_long_is_killed(
    child: "subprocess.Popen[bytes]", silence: tuple[str, str]
) -> None:
    watched = Watched(child.pid)
    watched.ask(READY, 1)
    assert watched.ask(silence, int(SILENT_S)) == []
    assert watched.ask(silence, 1) == ["flow"]
    assert child.wait(30) < 0


def test_one_answer_begins_the_count_anew(child: "subprocess.Popen[bytes]") -> None:
    watched = Watched(child.pid)
    for _ in range(3):
        watched.ask(READY, 1)
        assert watched.ask(SILENT, int(SILENT_S)) == []
    assert watched.ask(("degraded", "the bus does not answer"), 300) == []
    assert child.poll() is None


def test_who_was_never_ready_and_who_slept_with_the_machine_live(
    child: "subprocess.Popen[bytes]",
) -> None:
    starting = Watched(child.pid)
    assert starting.ask(SILENT, 300) == []
    slept = Watched(child.pid)
    slept.ask(READY, 1)
    assert slept.ask(SILENT, QUESTIONS - 1, every_s=3_600.0) == []
    assert child.poll() is None
