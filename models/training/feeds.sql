-- Feeds of a run with their row counts, in the order in which a dataset holds them. A feed of the
-- demonstration or of the generated market makes a model simulated, whatever the caller thinks.
SELECT
    source,
    symbol,
    count() AS feature_rows,
    max(mode = 'demo' OR source = 'sim') AS simulated
FROM feature FINAL
WHERE
    run_id = {run_id:String}
    AND (empty({sources:Array(String)}) OR has({sources:Array(String)}, source))
    AND feature_set_hash = {feature_set_hash:String}
    AND toUnixTimestamp64Micro(ts_event) >= {start_us:Int64}
    AND toUnixTimestamp64Micro(ts_event) < {end_us:Int64}
GROUP BY source, symbol
ORDER BY source, symbol
