-- Feature rows of one feed in time order. FINAL: a row that was inserted again counts once.
-- models/training/dataset.py names the catalogue's columns in it.
SELECT
    toUnixTimestamp64Micro(ts_event) AS time_us,
    mid,
    spread,
    feature_columns
FROM feature FINAL
WHERE
    run_id = {run_id:String}
    AND source = {source:String}
    AND symbol = {symbol:String}
    AND feature_set_hash = {feature_set_hash:String}
    AND toUnixTimestamp64Micro(ts_event) >= {start_us:Int64}
    AND toUnixTimestamp64Micro(ts_event) < {end_us:Int64}
ORDER BY ts_event, seq
LIMIT {rows:UInt64}
