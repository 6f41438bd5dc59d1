-- Feature rows that may have seen a feed's ticks: its own up to `last`, those of the source's other
-- symbols up to `peers`.
SELECT
    run_id,
    symbol,
    count() AS reached
FROM feature FINAL
WHERE
    source = {source:String}
    AND ts_event >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli(if(symbol = {symbol:String}, {last:Int64}, {peers:Int64}), 'UTC')
GROUP BY run_id, symbol
ORDER BY run_id, symbol
