"""Memory that a process has freed, given back to the machine.

The C library keeps what large arrays left for the next ones, which in a process that makes them
once a day come a day later.
"""

import ctypes
import sys


def give_back() -> None:
    """Do it now; takes milliseconds. Nothing where the C library has no such call."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
