-- The rows of a feed before a decision, the newest first.
SELECT
    toUnixTimestamp64Milli(toDateTime64(ts_event, 3, 'UTC')) AS time_msc,
    seq
FROM feature FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND (ts_event, seq) < (fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC'), {seq:UInt32})
ORDER BY ts_event DESC, seq DESC
LIMIT {past_rows:UInt32}
