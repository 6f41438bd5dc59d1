"""The warehouse's end, also when the engine holds on to a statement."""

import subprocess
import sys
from pathlib import Path

_HELD = """
import threading
from warehouse.process import leave_anyway

stopping = threading.Event()
leave_anyway(stopping, 0.2)
threading.Thread(target=threading.Event().wait).start()  # as a statement that hears no cancelling
stopping.set()
"""


def test_a_statement_that_cannot_be_cancelled_does_not_keep_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HELD], cwd=Path(__file__).parents[3], capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ends without it" in done.stderr
