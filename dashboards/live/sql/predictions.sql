-- The newest prediction of each feed; what comes after is on the bus. Bounded by time, so that the
-- primary key serves it. What it was worth against costs is not stored.
SELECT
    run_id,
    mode,
    account,
    source,
    symbol,
    toUnixTimestamp64Micro(ts_event) AS ts_event_us,
    seq,
    toUnixTimestamp64Micro(ts_init) AS ts_init_us,
    model,
    p_down,
    p_flat,
    p_up,
    confidence,
    agreement,
    veto,
    0. AS edge_bp
FROM prediction
WHERE run_id = {run_id:String} AND ts_event >= now() - INTERVAL 10 MINUTE
ORDER BY ts_event DESC, seq DESC
LIMIT 1 BY source, symbol
