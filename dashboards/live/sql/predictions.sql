-- The newest prediction of each feed. Bounded by time, so that the primary key serves it.
SELECT
    source,
    symbol,
    toUnixTimestamp64Micro(ts_event) AS time,
    model,
    p_down,
    p_flat,
    p_up,
    confidence
FROM prediction
WHERE run_id = {run_id:String} AND ts_event >= now() - INTERVAL 10 MINUTE
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY source, symbol
