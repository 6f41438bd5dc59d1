-- What the feed held, by whichever strategy: a restart with another one goes on holding it. On a
-- desk each strategy holds its own.
SELECT
    target,
    intDiv(toUnixTimestamp64Micro(ts_horizon), 1000) AS until_msc
FROM signal FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND action = '' -- an order that waits for its price holds nothing
    AND (empty({strategy:String}) OR strategy = {strategy:String})
    AND (ts_event, seq) < (fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC'), {seq:UInt32})
ORDER BY ts_event DESC, seq DESC, strategy DESC
LIMIT 1
