-- Hours (UTC) in which each strategy sent orders in the days before, as unusual_time.sql has it.
SELECT
    account,
    strategy,
    groupUniqArray(toHour(ts_event, 'UTC')) AS hours
FROM order_event FINAL
WHERE
    mode = {mode:String} AND kind = 'submitted' AND ts_event < {start:DateTime64(6)}
    AND ts_event >= {start:DateTime64(6)} - toIntervalDay({days:UInt32})
GROUP BY account, strategy
HAVING count() >= {orders:Float64} AND uniqExact(toDate(ts_event, 'UTC')) >= {known_days:Float64}
