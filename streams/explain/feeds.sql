-- The first tick of a feed always gives a feature row, so that row is where the kernel began.
SELECT
    symbol,
    toUnixTimestamp64Micro(min(ts_event)) AS time_us,
    argMin(seq, (ts_event, seq)) AS first_seq
FROM feature
WHERE
    run_id = {run_id:String} AND source = {source:String} AND feature_set_hash = {hash:String}
    AND ts_event <= fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC')
GROUP BY symbol
ORDER BY symbol
