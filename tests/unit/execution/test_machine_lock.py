"""Two processes of one machine never hold one name: one of them would trade the other's account."""

import subprocess
import sys

import pytest

from execution.machine_lock import TakenError, held

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="an abstract socket is Linux's")

HOLDING = """
import sys
from execution.machine_lock import held
with held("acc1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_name_that_another_process_holds_is_taken_until_that_one_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TakenError), held("acc1"):
            raise AssertionError("two hold it")
        with held("acc2"):
            pass
        other.kill()
        other.wait()
    with held("acc1"):
        pass


def test_an_error_while_it_is_held_gives_it_back() -> None:
    with pytest.raises(ValueError, match="in between"), held("acc3"):
        raise ValueError("in between")
    with held("acc3"):
        pass
