-- Of each symbol the newest row before a moment.
SELECT
    symbol,
    toUnixTimestamp64Milli(toDateTime64(max(ts_event), 3, 'UTC')) AS time_msc,
    argMax(seq, (ts_event, seq)) AS newest_seq
FROM feature FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol IN {symbols:Array(String)}
    AND ts_event < fromUnixTimestamp64Milli({until_msc:Int64}, 'UTC')
GROUP BY symbol
ORDER BY symbol
