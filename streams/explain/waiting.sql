-- The last that was asked of the orders of a name before a decision: what waited then, and until when.
SELECT
    toInt64(sign(target)) AS direction,
    if(action = 'cancel', time_msc + {rest_msc:Int64}, intDiv(toUnixTimestamp64Micro(ts_expires), 1000)) AS until_msc,
    entry_price
FROM signal FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND strategy = {strategy:String} AND name = {name:String} AND action != ''
    AND (ts_event, seq) < (fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC'), {seq:UInt32})
ORDER BY ts_event DESC, seq DESC
LIMIT 1
