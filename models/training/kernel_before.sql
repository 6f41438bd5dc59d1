-- The newest kernel snapshot of a feed before a moment: a full hour, with every tick before it.
SELECT
    toUnixTimestamp64Milli(ts_event) AS hour_msc,
    base64Encode(state) AS kernel
FROM kernel_state FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND feature_set_hash = {feature_set_hash:String}
    AND ts_event <= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
ORDER BY ts_event DESC
LIMIT 1
