"""How long the stages took in the last minute, from the histogram deltas that heartbeats carry."""

from collections import Counter, deque

from core.contracts.operations import Heartbeat
from core.metrics import bucket_upper_ns

WINDOW_US = 60_000_000


class Latencies:
    """Deltas of all processes within the window."""

    def __init__(self) -> None:
        self._deltas: dict[str, deque[tuple[int, dict[int, int], int]]] = {}

    def add(self, beat: Heartbeat) -> list[str]:
        """Take a heartbeat's deltas; the stages that it speaks of."""
        for stage, counts in beat.stages.items():
            delta = (beat.ts_event_us, counts, beat.max_ns.get(stage, 0))
            self._deltas.setdefault(stage, deque()).append(delta)
        return list(beat.stages)

    def summary(self, stage: str, now_us: int) -> dict[str, float] | None:
        """count, and p50, p99 and max in microseconds; None without any in the window."""
        deltas = self._deltas.get(stage, deque())
        while deltas and deltas[0][0] < now_us - WINDOW_US:
            deltas.popleft()
        total: Counter[int] = Counter()
        for _, counts, _ in deltas:
            total.update(counts)
        count = total.total()
        if not count:
            return None
        most = max(longest for _, _, longest in deltas) / 1e3  # exact; buckets round up
        return {
            "count": count,
            "p50": min(_quantile_us(total, 0.50), most),
            "p99": min(_quantile_us(total, 0.99), most),
            "max": most,
        }


def _quantile_us(counts: Counter[int], share: float) -> float:
    wanted, counted = share * counts.total(), 0
    for bucket in sorted(counts):
        counted += counts[bucket]
        if counted >= wanted:
            return bucket_upper_ns(bucket) / 1e3
    return 0.0
