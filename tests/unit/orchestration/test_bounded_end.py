"""Dagster's processes end in time, whatever their threads are at."""

import subprocess
import sys

import pytest

from cli.stack.process_spec import STOP_WAIT_S
from orchestration.bounded_end import END_WITHIN_S

#: As its daemon: a handler that has the main thread wait for a thread, which takes an hour.
WAITING = """
import signal, threading, time
from orchestration.bounded_end import end_within

end_within(0.1)
sensor = threading.Thread(target=time.sleep, args=(3600,), daemon=True)
sensor.start()
for one in (signal.SIGTERM, signal.SIGINT):  # who was begun in the background ignores the latter
    signal.signal(one, signal.default_int_handler)
signal.signal(signal.SIGCHLD, lambda *_: print("another signal", flush=True))
signal.raise_signal(signal.SIGCHLD)
try:
    signal.raise_signal(getattr(signal, "{name}"))
except KeyboardInterrupt:
    print("told to end", flush=True)
    sensor.join(timeout=3600)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_thread_that_takes_an_hour_does_not_hold_up_the_end(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAITING.format(name=name)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "another signal\ntold to end\n"), done.stderr


def test_the_bound_leaves_a_busy_machine_twice_its_time_before_the_kill() -> None:
    assert 3 * END_WITHIN_S <= STOP_WAIT_S
