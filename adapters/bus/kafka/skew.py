"""Clocks of this host and of the brokers, compared at every acknowledged message.

A broker stamps a message between our sending it and our hearing of that; a stamp outside of this
span, by more than settings allow, means that two hosts disagree about the time. Signals expire
by the clock, so that is a fault to mend, not to live with.
"""

import logging

from prometheus_client import Gauge

_log = logging.getLogger(__name__)
_SKEW = Gauge("tickhouse_bus_clock_skew_seconds", "The broker's clock ahead of this host's")


def skew_ms(sent_ms: float, heard_ms: float, stamped_ms: float) -> float:
    """How far the broker's clock is ahead (negative: behind), as far as this shows."""
    if stamped_ms < sent_ms - 1:  # stamps have whole milliseconds
        return stamped_ms - sent_ms
    return max(0.0, stamped_ms - heard_ms)


class SkewWatch:
    """Tells once when clocks part, and once when they agree again."""

    def __init__(self, most_s: float) -> None:
        self._most_ms = most_s * 1000
        self._apart = False

    def observe(self, sent_ms: float, heard_ms: float, stamped_ms: float) -> None:
        """One message, acknowledged."""
        skew = skew_ms(sent_ms, heard_ms, stamped_ms)
        _SKEW.set(skew / 1000)
        apart = abs(skew) > self._most_ms
        if apart != self._apart:
            self._apart = apart
            way = "ahead of" if skew > 0 else "behind"
            _log.warning(
                "the broker's clock is %.1f s %s this host's: set both by NTP; signals expire by"
                " the clock",
                abs(skew) / 1000,
                way,
            ) if apart else _log.warning("this host's clock and the broker's agree again")
