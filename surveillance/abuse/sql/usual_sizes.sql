-- Median size that each strategy sent in an instrument in the days before, as unusual_size.sql has it.
SELECT
    account,
    strategy,
    source,
    symbol,
    quantileExact(volume) AS median_volume
FROM order_event FINAL
WHERE
    mode = {mode:String} AND kind = 'submitted' AND ts_event < {start:DateTime64(6)}
    AND ts_event >= {start:DateTime64(6)} - toIntervalDay({days:UInt32})
GROUP BY account, strategy, source, symbol
HAVING count() >= {orders:Float64}
