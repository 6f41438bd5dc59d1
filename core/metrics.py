"""Latency stages and the histogram that carries them.

A histogram has log-linear buckets (32 per power of two, 3 % wide), so that deltas from several
processes add up to exact counts and percentiles within 3 %.
"""

import threading

STAGES = (
    "collect",  # one poll of the terminal and its publish, per batch
    "feature",  # kernel time, per tick
    "predict",  # model time, per predicted row
    "publish",  # signal encoded and acknowledged by the bus
    "risk",  # sizing and pre-trade checks, per order
    "journal",  # order durable on disk
    "send",  # the venue's round trip
    "tick_to_signal",  # tick batch received by the flow to its signal acknowledged
    "signal_to_order",  # signal received by execution to order at the terminal's door
)

_SUB_BITS = 5
_SUB = 1 << _SUB_BITS


def bucket_of(value_ns: int) -> int:
    """Index of the bucket that holds a duration in nanoseconds."""
    if value_ns < _SUB:
        return max(value_ns, 0)
    shift = value_ns.bit_length() - _SUB_BITS - 1
    return (shift + 1) * _SUB + ((value_ns >> shift) - _SUB)


def bucket_upper_ns(bucket: int) -> int:
    """Largest duration in nanoseconds that falls into a bucket."""
    if bucket < _SUB:
        return bucket
    shift = bucket // _SUB - 1
    return ((_SUB + bucket % _SUB + 1) << shift) - 1


class Histograms:
    """Durations by stage since the last `take`, and all. Thread-safe: a heartbeat thread takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[int, int]] = {}
        self._max_ns: dict[str, int] = {}
        self._taken: dict[str, dict[int, int]] = {}  # before; added up once a second, not per value

    def record(self, stage: str, value_ns: int, count: int = 1) -> None:
        """Add `count` observations of one duration."""
        bucket = bucket_of(value_ns)
        with self._lock:
            counts = self._counts.setdefault(stage, {})
            counts[bucket] = counts.get(bucket, 0) + count
            if value_ns > self._max_ns.get(stage, 0):
                self._max_ns[stage] = value_ns

    def take(self) -> tuple[dict[str, dict[int, int]], dict[str, int]]:
        """Counts and maxima since the last call; starts anew."""
        with self._lock:
            taken = self._counts, self._max_ns
            self._counts, self._max_ns = {}, {}
            _add(self._taken, taken[0])
        return taken

    def totals(self) -> dict[str, dict[int, int]]:
        """Counts since the beginning."""
        total: dict[str, dict[int, int]] = {}
        with self._lock:
            _add(total, self._taken)
            _add(total, self._counts)
        return total


def _add(total: dict[str, dict[int, int]], more: dict[str, dict[int, int]]) -> None:
    for stage, counts in more.items():
        into = total.setdefault(stage, {})
        for bucket, count in counts.items():
            into[bucket] = into.get(bucket, 0) + count
