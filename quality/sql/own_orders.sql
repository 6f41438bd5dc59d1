-- Entries that were sent in a run, each with what it filled at, in order of time.
SELECT
    o.run_id AS run_id,
    any(o.mode) AS mode,
    o.account AS account,
    any(o.strategy) AS strategy,
    any(o.source) AS source,
    any(o.symbol) AS symbol,
    o.order_id AS order_id,
    minIf(toUnixTimestamp64Micro(o.ts_event), o.kind = 'submitted') AS ts_event_us,
    any(o.side) AS side,
    maxIf(o.volume, o.kind = 'submitted') AS volume,
    anyIf(o.arrival_mid, o.kind = 'submitted') AS mid,
    sumIf(o.price * o.volume, o.kind IN ('filled', 'partially_filled')) AS traded,
    sumIf(o.volume, o.kind IN ('filled', 'partially_filled')) AS filled
FROM order_event AS o FINAL
WHERE
    o.run_id = {run_id:String}
    AND o.purpose = 'entry'
    AND toUnixTimestamp64Micro(o.ts_event) >= {from_us:Int64}
    AND toUnixTimestamp64Micro(o.ts_event) < {until_us:Int64}
GROUP BY o.run_id, o.account, o.order_id
HAVING countIf(o.kind = 'submitted') > 0
ORDER BY ts_event_us, order_id
