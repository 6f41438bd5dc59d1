-- The signal of an id: what was wanted, and how sure the model was.
SELECT
    s.strategy AS strategy,
    s.source AS source,
    s.symbol AS symbol,
    toUnixTimestamp64Micro(s.ts_event) AS ts_event_us,
    s.target AS target,
    s.reference_price AS reference_price,
    s.stop_price AS stop_price,
    s.confidence AS confidence
FROM signal AS s FINAL
WHERE s.run_id = {run_id:String} AND s.signal_id = {id:String}
ORDER BY s.ts_event DESC
LIMIT 1
