-- Where each feed of a source began in a run: its first tick always gives a feature row.
SELECT
    symbol,
    toUnixTimestamp64Milli(min(ts_event)) AS first_msc,
    argMin(seq, (ts_event, seq)) AS first_seq
FROM feature
WHERE
    run_id = {run_id:String} AND source = {source:String}
    AND feature_set_hash = {feature_set_hash:String}
GROUP BY symbol
ORDER BY symbol
