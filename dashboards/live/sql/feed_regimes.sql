-- The regime of a feed after each quarter of an hour of the last weeks, oldest first.
SELECT
    toUnixTimestamp(r.ts_event) AS at_s,
    r.regime AS regime
FROM regime AS r FINAL
WHERE
    r.run_id = {run_id:String} AND r.source = {source:String} AND r.symbol = {symbol:String}
ORDER BY at_s DESC
LIMIT 3000
