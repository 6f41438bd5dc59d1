-- Percentiles of each stage of a run from its histograms, in microseconds.
SELECT
    stage,
    quantileExactWeighted(0.5)(upper_ns, count) / 1000 AS p50,
    quantileExactWeighted(0.99)(upper_ns, count) / 1000 AS p99,
    max(max_ns) / 1000 AS max
FROM stage_latency FINAL
WHERE run_id = {run_id:String} AND incarnation >= {since:UInt64}
GROUP BY stage
