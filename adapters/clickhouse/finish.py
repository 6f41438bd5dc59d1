"""Completes corrections that a kill cut short, or that a stream left to who may delete."""

from pathlib import Path

from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.writer import Writer
from core.clock import SystemClock
from core.errors import BusyError
from core.sections import ClickhouseSettings


def finish(where: ClickhouseSettings, home: Path, process: str) -> int:
    """Complete them; how many. `where` is signed in as who may delete.

    Does nothing while somebody of this home corrects: they finish first what they meet.
    """
    with Writer(where) as writer:
        corrections = Corrections(writer, home, SystemClock(), process, restates=True)
        try:
            with corrections.alone(timeout_s=0.0):
                return corrections.finish()
        except BusyError:
            return 0
