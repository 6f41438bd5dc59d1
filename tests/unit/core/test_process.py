"""What every process does alike: end on a signal whatever it is doing, and close in order."""

import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from core.errors import SettingsError, UnavailableError
from core.process import Process, Stopping

#: The moment at which `Event.wait` holds the event's lock, made as long as it takes.
WITHIN_WAIT = """
import signal, sys
from pathlib import Path
from threading import Event
from core.process import Process

with Process("tried", Path(sys.argv[1])) as process:
    process.closing(lambda: print(process.health.status))
    with process.stopping._cond:
        signal.raise_signal(getattr(signal, sys.argv[2]))
        signal.raise_signal(getattr(signal, sys.argv[2]))
    process.stopping.wait()
"""


#: What is imported, a minute long on a busy machine, and looks at no event.
PREPARING = """
import os, signal, sys, time
from pathlib import Path
from threading import Event
from core.process import Process

with Process("tried", Path(sys.argv[1])) as process:
    if sys.argv[2] == "before":
        signal.raise_signal(signal.SIGTERM)
        process.stopping.wait()
    with process.preparing():
        if sys.argv[2] == "within":
            signal.raise_signal(signal.SIGTERM)
        time.sleep(0 if sys.argv[2] == "after" else 600)
    signal.raise_signal(signal.SIGTERM)
    process.stopping.wait()
    print("ended in order")
"""


@pytest.mark.parametrize(
    ("moment", "said"), [("before", ""), ("within", ""), ("after", "ended in order\n")]
)
def test_who_is_told_to_stop_while_it_prepares_does_not_prepare_to_the_end(
    tmp_path: Path, moment: str, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PREPARING, str(tmp_path), moment],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_in_the_midst_of_a_wait_ends_the_process(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHIN_WAIT, str(tmp_path), name],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "stopping\n"), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"targets.json", "targets.lock"}
    assert (tmp_path / "targets.json").read_text() == "[]"


@pytest.mark.parametrize("signalled", [True, False])
def test_only_who_ends_by_itself_waits_until_the_supervisor_takes_that_for_a_good_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signalled: bool
) -> None:
    waited: list[bool] = []
    with Process("tried", tmp_path, Stopping()) as process:
        monkeypatch.setattr(process.health, "outlive_start", lambda: waited.append(True))
        if signalled:
            process.stopping.set()
    assert waited == [True] * (not signalled)


def test_it_closes_the_latest_first_and_then_stops_serving_health(tmp_path: Path) -> None:
    seen: list[str] = []
    with Process("tried", tmp_path, Stopping()) as process:
        process.health.started_us = 0  # long ago
        process.closing(lambda: seen.append(f"bus, {(tmp_path / 'tried.json').exists()}"))
        process.closing(lambda: seen.append(process.health.status))
    assert seen == ["stopping", "bus, True"]
    assert process.stopping.is_set()
    assert not (tmp_path / "tried.json").exists()


def test_the_error_that_ended_it_is_the_one_that_is_told(tmp_path: Path) -> None:
    def close() -> None:
        raise UnavailableError("and so nothing is flushed")

    def main() -> None:
        with Process("tried", tmp_path, Stopping()) as process:
            process.closing(close)
            raise SettingsError("no such flow")

    with pytest.raises(SettingsError, match="no such flow"):
        main()
    assert not (tmp_path / "tried.json").exists()


def test_what_is_to_be_done_then_is_done_also_when_it_is_late() -> None:
    stopping, seen = Stopping(), []
    stopping.then(lambda: seen.append("before"))
    stopping.soon()
    while "before" not in seen:
        stopping.wait()
    stopping.then(lambda: seen.append("after"))
    assert seen == ["before", "after"]


def test_what_only_a_start_needed_is_let_go_of_once_the_process_is_long_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.process._SETTLED_S", 0.2)
    settled = Event()
    with Process("tried", tmp_path, Stopping()) as process:
        process.settling(settled.set)
        assert settled.wait(30)
        process.stopping.set()
