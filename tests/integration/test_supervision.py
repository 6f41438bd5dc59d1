"""Real child processes, as small as they can be, under the real supervisor."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from cli.stack.process_spec import ProcessSpec
from cli.stack.process_state import ProcessState
from cli.stack.processes import Stack
from cli.stack.running import running
from core.errors import BusyError, SettingsError, TickhouseError
from tests.support.waiting import until

pytestmark = pytest.mark.process

_TINY_SERVICE = Path(__file__).with_name("tiny_service.py")
_ROOT = Path(__file__).parents[2]
T = TypeVar("T")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


def service(
    name: str, journal: Path, mode: str = "stays", needs: tuple[str, ...] = (), stage: int = 0
) -> ProcessSpec:
    command = (sys.executable, str(_TINY_SERVICE), name, str(journal), mode)
    ends = mode == "ends"
    return ProcessSpec(
        name, command, needs=needs, stop_stage=stage, stop_wait_s=2, ends_itself=ends
    )


def noted(journal: Path, what: str) -> list[str]:
    return [line.split()[1] for line in journal.read_text().splitlines() if line.startswith(what)]


def pids(journal: Path) -> list[int]:
    return [int(line.split()[2]) for line in journal.read_text().splitlines()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _replaced(stack: Stack, name: str, pid: int) -> bool:
    return stack.state()[name].pid not in (0, pid)


def test_each_process_starts_once_all_it_needs_are_ready(tmp_path: Path, journal: Path) -> None:
    specs = [
        service("last", journal, needs=("middle", "elsewhere")),
        service("middle", journal, needs=("first",)),
        service("first", journal),
    ]
    became_ready: list[str] = []
    with Stack(tmp_path / "home", {}, specs) as stack:
        stack.start_all(on_ready=became_ready.append)
        states = stack.state()
    assert noted(journal, "start") == became_ready == ["first", "middle", "last"]
    assert {(s.health, s.detail, s.restarts) for s in states.values()} == {
        ("ready", "all is well", 0)
    }


def test_of_the_late_ones_those_start_that_need_nobody_who_failed(
    tmp_path: Path, journal: Path
) -> None:
    specs = [
        service("store", journal),
        service("page", journal, "never ready"),
        service("frame", journal, needs=("page",)),
        service("code", journal, needs=("store",)),
        service("daemon", journal, needs=("code",)),
    ]
    late = [specs[0], *(msgspec.structs.replace(one, waited_for=False) for one in specs[1:])]
    became_ready: list[str] = []
    with Stack(tmp_path / "home", {}, late) as stack:
        stack.start_all()
        with pytest.raises(TickhouseError, match="page is not ready in time"):
            stack.start_late(became_ready.append, timeout_s=5)
    assert became_ready == ["code", "daemon"]
    started = noted(journal, "start")
    assert started[0] == "store"  # page and code need the same: whichever is quicker writes first
    assert started.index("code") < started.index("daemon")
    assert sorted(started) == ["code", "daemon", "page", "store"]


def test_drain_follows_the_stages_and_leaves_nothing(tmp_path: Path, journal: Path) -> None:
    specs = [
        service("store", journal, stage=2),
        service("worker", journal, stage=1),
        service("intake", journal),
    ]
    with Stack(tmp_path / "home", {}, specs) as stack:
        stack.start_all()
    assert noted(journal, "end") == ["intake", "worker", "store"]
    assert stack.drained is not None
    assert stack.drained.stopped == ("intake", "worker", "store")
    assert stack.drained.killed == ()
    assert not any(alive(pid) for pid in pids(journal))
    assert running(tmp_path / "home") is None


def test_a_process_that_does_not_end_in_time_is_killed(tmp_path: Path, journal: Path) -> None:
    with Stack(tmp_path / "home", {}, [service("mule", journal, "stubborn")]) as stack:
        stack.start_all()
    assert stack.drained is not None
    assert stack.drained.killed == ("mule",)
    assert not any(alive(pid) for pid in pids(journal))


def test_a_killed_process_is_restarted_and_becomes_ready(tmp_path: Path, journal: Path) -> None:
    with Stack(tmp_path / "home", {}, [service("phoenix", journal)]) as stack:
        stack.start_all()
        for kill in (1, 2, 3):
            killed = stack.kill9("phoenix")
            until(partial(_replaced, stack, "phoenix", killed))
            stack.wait_ready("phoenix")
            assert stack.state()["phoenix"].restarts == kill
    assert noted(journal, "start") == ["phoenix"] * 4


def test_a_process_that_somebody_else_told_to_end_comes_back(tmp_path: Path, journal: Path) -> None:
    with Stack(tmp_path / "home", {}, [service("phoenix", journal)]) as stack:
        stack.start_all()
        until(lambda: stack.state()["phoenix"].state == "running")  # its first second is over
        first = stack.state()["phoenix"].pid
        os.kill(first, signal.SIGTERM)  # it ends well, with exit code 0
        until(partial(_replaced, stack, "phoenix", first))
        stack.wait_ready("phoenix")
    assert noted(journal, "end") == ["phoenix"] * 2


def test_a_process_that_ends_well_is_left_alone(tmp_path: Path, journal: Path) -> None:
    services = [service("task", journal, "ends"), service("phoenix", journal)]
    with Stack(tmp_path / "home", {}, services) as stack:
        stack.start_all()
        stack.wait_exit("task", timeout_s=20)
        killed = stack.kill9("phoenix")
        until(partial(_replaced, stack, "phoenix", killed))  # supervisord looked at all since
        stack.wait_ready("phoenix")
        assert stack.state()["task"].ended
    assert sorted(noted(journal, "start")) == ["phoenix", "phoenix", "task"]


def test_wait_exit_outlasts_a_crash(tmp_path: Path, journal: Path) -> None:
    with Stack(tmp_path / "home", {}, [service("task", journal, "ends")]) as stack:
        stack.start_all()
        stack.kill9("task")
        stack.wait_exit("task", timeout_s=20)
    assert noted(journal, "start") == ["task", "task"]
    assert noted(journal, "end") == ["task"]


def test_a_crash_loop_is_given_up_and_its_last_words_are_told(
    tmp_path: Path, journal: Path
) -> None:
    fool = msgspec.structs.replace(service("fool", journal, "crashes"), start_retries=1)
    with Stack(tmp_path / "home", {}, [fool]) as stack:
        stack.start("fool")
        with pytest.raises(TickhouseError, match="given up") as caught:
            stack.wait_ready("fool", timeout_s=300)
        assert stack.state()["fool"].state == "fatal"
    assert "fool: no such market" in str(caught.value)
    assert str(tmp_path / "home" / "logs" / "fool.log") in str(caught.value)
    assert len(noted(journal, "start")) == 2


def test_a_process_that_is_never_ready_is_told(tmp_path: Path, journal: Path) -> None:
    with (
        Stack(tmp_path / "home", {}, [service("idler", journal, "never ready")]) as stack,
        pytest.raises(TickhouseError, match=r"idler is not ready in time \(starting\)"),
    ):
        stack.start_all(timeout_s=1)


def test_a_home_has_one_stack(tmp_path: Path, journal: Path) -> None:
    home = tmp_path / "home"
    with Stack(home, {}, [service("one", journal)]) as first:
        first.start_all()
        with pytest.raises(BusyError, match=f"process {os.getpid()}.*tickhouse status"):
            Stack(home, {}, [service("two", journal)]).__enter__()
        assert first.state()["one"].ready
    with Stack(home, {}, [service("two", journal)]) as second:
        second.start_all()
    assert noted(journal, "start") == ["one", "two"]


def test_others_find_a_running_stack(tmp_path: Path, journal: Path) -> None:
    home = tmp_path / "home"
    urls = {"warehouse": "http://127.0.0.1:1"}
    with Stack(home, {}, [service("one", journal)], command="up", urls=urls) as stack:
        stack.start_all()
        other = running(home)
        assert other is not None
        assert (other.pid, other.command, other.urls) == (os.getpid(), "up", urls)
        assert other.observe()["one"].pid == stack.state()["one"].pid


def test_an_interrupt_in_the_middle_of_a_call_leaves_the_stack_usable(
    tmp_path: Path, journal: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with Stack(tmp_path / "home", {}, [service("one", journal)]) as stack:
            stack.start_all()
            supervisord = int((tmp_path / "home" / "run" / "supervisord.pid").read_text())
            os.kill(supervisord, signal.SIGSTOP)  # so that the call is surely under way
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(KeyboardInterrupt):
                stack.state()
            os.kill(supervisord, signal.SIGCONT)
            assert stack.state()["one"].ready
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert stack.drained is not None
    assert stack.drained.stopped == ("one",)


def test_a_long_odd_home_works(tmp_path: Path, journal: Path) -> None:
    home = tmp_path / ("deep " * 20) / "100% it's mine" / ("x" * 100)
    with Stack(home, {"TICKHOUSE_RUN__RUN_ID": "a 'b' %s; #"}, [service("one", journal)]) as stack:
        stack.start_all()
        assert stack.state()["one"].ready


def test_a_value_the_supervisor_cannot_carry_is_refused(tmp_path: Path) -> None:
    spec = ProcessSpec("one", ("true",), environment={"NOTE": 'a "quote"'})
    with pytest.raises(SettingsError, match="NOTE"), Stack(tmp_path / "home", {}, [spec]):
        pass


_OWNER = """
import sys, time
from functools import partial
from pathlib import Path
from cli.stack.process_spec import ProcessSpec
from cli.stack.processes import Stack
from tests.support.waiting import until
service, journal, home = sys.argv[1:]
names = ("intake", "store")
specs = [ProcessSpec(n, (sys.executable, service, n, journal, "stays"), stop_stage=i)
         for i, n in enumerate(names)]
with Stack(Path(home), {}, specs) as stack:
    stack.start_all()
    print("ready", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def owner(tmp_path: Path, journal: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(_TINY_SERVICE), str(journal), str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


def _children(home: Path) -> dict[str, ProcessState]:
    other = running(home)
    assert other is not None
    return other.observe()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of a parent's death")
def test_nothing_outlives_a_killed_owner_and_all_drains_in_order(
    tmp_path: Path, journal: Path, owner: "subprocess.Popen[str]"
) -> None:
    supervisord = int((tmp_path / "home" / "run" / "supervisord.pid").read_text())
    owner.kill()
    owner.wait()
    until(lambda: not any(alive(pid) for pid in (*pids(journal), supervisord)))
    assert noted(journal, "end") == ["intake", "store"]
    with Stack(tmp_path / "home", {}, [service("next", journal)]) as stack:
        stack.start_all()  # the home is free again


def test_a_supervisor_that_somebody_else_ends_drains_and_its_owner_waits_for_it(
    tmp_path: Path, journal: Path
) -> None:
    home = tmp_path / "home"
    with Stack(home, {}, [service("store", journal), service("intake", journal)]) as stack:
        stack.start_all()
        os.kill(int((home / "run" / "supervisord.pid").read_text()), signal.SIGTERM)
    assert sorted(noted(journal, "end")) == ["intake", "store"]
    with Stack(home, {}, [service("next", journal)]) as again:
        again.start_all()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of a parent's death")
def test_nothing_outlives_a_killed_supervisor(
    tmp_path: Path, journal: Path, owner: "subprocess.Popen[str]"
) -> None:
    supervisord = int((tmp_path / "home" / "run" / "supervisord.pid").read_text())
    assert all(state.ready for state in _children(tmp_path / "home").values())
    os.kill(supervisord, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in pids(journal)))
    owner.kill()
    owner.wait()
    assert noted(journal, "end") == []
