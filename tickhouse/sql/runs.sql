-- Replays have a row each; live trading has no end and none: its feature rows say that it was.
SELECT
    run_id,
    mode,
    strategy,
    model,
    status,
    ts_start,
    ts_end
FROM run FINAL
UNION ALL
SELECT
    run_id,
    any(f.mode) AS mode,
    any(f.strategy) AS strategy,
    '' AS model,
    'open' AS status,
    min(f.ts_event) AS ts_start,
    max(f.ts_event) AS ts_end
FROM feature AS f
WHERE f.run_id NOT IN (SELECT run.run_id FROM run)
GROUP BY run_id
ORDER BY ts_start, run_id
