"""Memory that a process has freed or needed only to start, given back to the machine.

The C library keeps what large arrays left for the next ones, which in a process that makes them
once a day come a day later. A library's file stays mapped wherever it was once touched.
"""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

_PAGE_OUT = 21  # madvise's, since Linux 5.4; Python's mmap does not name it


def give_back() -> None:
    """Do it now; takes milliseconds. Nothing where the C library has no such call."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def page_out(library: str) -> None:
    """Let go of a loaded library's pages, by its file's name: what is used is read again.

    The kernel keeps those that other processes have mapped, too, and all of them where the file
    is not this user's: it then knows better.
    """
    if sys.platform != "linux":
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in unwritten(library):
        advise(begin, end - begin, _PAGE_OUT)  # an older kernel refuses, and nothing is lost


def unwritten(library: str) -> Iterator[tuple[int, int]]:
    """Where its code and constants lie: begin and end of each stretch."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        where, rights, *_, name = line.split()
        if "w" not in rights and Path(name).name == library:
            begin, end = where.split("-")
            yield int(begin, 16), int(end, 16)
