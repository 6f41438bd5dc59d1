-- The first tick of a feed in a run: it always gives a feature row.
SELECT
    toUnixTimestamp64Milli(ts_event) AS time_msc,
    seq
FROM feature
WHERE run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
ORDER BY ts_event, seq
LIMIT 1
