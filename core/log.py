"""How a process begins: its log, one line per record on standard error, and what others may read.

The supervisor keeps a file per process.
"""

import logging
import sys
import time
from collections.abc import Callable

from core import secrets
from core.errors import TickhouseError, UnavailableError
from core.private import keep_private


class _Masking(logging.Formatter):
    """Lines and tracebacks without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return secrets.masked(super().format(record))


def setup(process: str, level: int = logging.INFO) -> None:
    """Configure the root logger of a process, and keep its files private. Times are UTC."""
    keep_private()
    handler = logging.StreamHandler(sys.stderr)
    formatter = _Masking(
        f"%(asctime)s.%(msecs)03dZ {process} %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)


def exit_code(main: Callable[[], int]) -> int:
    """A process's exit code; what a person can mend or wait for is one line and no traceback.

    1 when something stayed away (start again), 2 for an error that a person must mend.
    """
    try:
        return main()
    except TickhouseError as error:
        logging.getLogger("tickhouse").error("%s", error)
        return 1 if isinstance(error, UnavailableError) else 2
