"""What chrony says of the clock, by `chronyc -c tracking`, where chrony runs."""

import shutil
import subprocess

from adapters.clocks.reading import ClockReading

_FIELDS = 14


def read() -> ClockReading | None:
    """Its word; None where there is no chronyc, or its daemon does not answer."""
    program = shutil.which("chronyc")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-c", "tracking"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return reading(done.stdout) if done.returncode == 0 else None


def reading(line: str) -> ClockReading | None:
    """One line: reference, name, stratum, time, correction, ..., root delay, dispersion, leap.

    The fifth field is how far the system clock is from chrony's estimate, in seconds, positive
    when the system clock is slow.
    """
    fields = line.strip().split(",")
    if len(fields) < _FIELDS:
        return None
    correction, delay, dispersion = (float(fields[n]) for n in (4, 10, 11))
    leap = fields[13]
    return ClockReading(
        source=fields[1] or fields[0],
        method="chrony",
        stratum=int(fields[2]),
        offset_us=-correction * 1e6 + 0.0,
        uncertainty_us=(delay / 2 + dispersion) * 1e6,
        traceable=True,
        synchronised=leap != "Not synchronised",
        detail=f"leap: {leap}",
    )
