-- Kernels of some symbols at one full hour, and the memories of own features beside them.
SELECT
    symbol,
    base64Encode(state) AS kernel,
    base64Encode(own_state) AS own
FROM kernel_state FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol IN {symbols:Array(String)}
    AND feature_set_hash = {hash:String}
    AND (empty({own:String}) OR own_set_hash = {own:String})
    AND ts_event = fromUnixTimestamp64Micro({hour_us:Int64}, 'UTC')
