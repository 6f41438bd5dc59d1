-- Values of own features at the decision's tick.
SELECT
    name,
    value,
    feature_set_hash
FROM own_feature FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND ts_event = fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC') AND seq = {seq:UInt32}
ORDER BY name
