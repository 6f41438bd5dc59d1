-- Percentiles of each stage of a run from its histograms, in microseconds. A percentile is the
-- upper edge of its bucket, so the largest value itself bounds it.
SELECT
    stage,
    least(quantileExactWeighted(0.5)(upper_ns, count), max(max_ns)) / 1000 AS p50, -- noqa: LT01
    least(quantileExactWeighted(0.99)(upper_ns, count), max(max_ns)) / 1000 AS p99, -- noqa: LT01
    max(max_ns) / 1000 AS max
FROM stage_latency FINAL
WHERE run_id = {run_id:String} AND incarnation >= {since:UInt64}
GROUP BY stage
