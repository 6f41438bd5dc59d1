"""What the kernel knows of its clock: whether it is disciplined, and the error it vouches for.

adjtimex reports the correction that is still to come and an upper bound of the error, which grows
while nobody disciplines the clock. It names no reference: which one it is only a daemon knows.
"""

import ctypes
import sys

from adapters.clocks.reading import ClockReading

_UNSYNCHRONISED, _NANOSECONDS = 0x0040, 0x2000


class _Timex(ctypes.Structure):
    """struct timex of 64-bit Linux, as far as it is read, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )  # fmt: skip


def read() -> ClockReading | None:
    """The kernel's word; None where there is no adjtimex."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) != 8:
        return None
    state = _Timex()  # modes 0: nothing is changed, so no privilege is needed
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else reading(state.offset, state.maxerror, state.status)


def reading(offset: int, maxerror_us: int, status: int) -> ClockReading:
    """What the fields mean."""
    offset_us = offset / 1000 if status & _NANOSECONDS else float(offset)
    synchronised = not status & _UNSYNCHRONISED
    discipline = "disciplined" if synchronised else "nobody disciplines this clock"
    detail = f"{discipline}; status {status:#06x}"
    # What is still to be added to the clock is what it lacks.
    return ClockReading(
        source="kernel",
        method="kernel",
        stratum=0,
        offset_us=-offset_us + 0.0,
        uncertainty_us=float(maxerror_us),
        traceable=True,
        synchronised=synchronised,
        detail=detail,
    )
