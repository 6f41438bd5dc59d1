"""A heartbeat's histograms as rows of `stage_latency`."""

import numpy as np

from adapters.clickhouse.native import Column
from core.contracts.operations import Heartbeat
from core.metrics import bucket_upper_ns
from streams.rows import Rows


def latency_rows(beat: Heartbeat) -> list[Rows]:
    """One row per stage and bucket; none when nothing was measured since the last heartbeat."""
    entries = [
        (stage, bucket, count)
        for stage, counts in sorted(beat.stages.items())
        for bucket, count in sorted(counts.items())
    ]
    if not entries:
        return []
    stages = [stage for stage, _, _ in entries]
    buckets = [bucket for _, bucket, _ in entries]
    n = len(entries)
    columns = (
        Column("run_id", "String", beat.run_id),
        Column("mode", "String", beat.mode),
        Column("process", "String", beat.process),
        Column("incarnation", "UInt64", np.full(n, beat.incarnation_us, np.uint64)),
        Column("heartbeat", "UInt64", np.full(n, beat.seq, np.uint64)),
        Column("stage", "String", stages),
        Column("ts_event", "DateTime64(6, 'UTC')", np.full(n, beat.ts_event_us, np.int64)),
        Column("bucket", "UInt16", np.array(buckets, np.uint16)),
        Column("upper_ns", "UInt64", np.array([bucket_upper_ns(b) for b in buckets], np.uint64)),
        Column("count", "UInt64", np.array([count for _, _, count in entries], np.uint64)),
        Column("max_ns", "UInt64", np.array([beat.max_ns[s] for s in stages], np.uint64)),
    )
    return [Rows("stage_latency", f"{beat.run_id}.{beat.mode}.{beat.process}", columns, n)]
