-- Kernels of some symbols at one full hour.
SELECT
    symbol,
    base64Encode(state) AS kernel
FROM kernel_state FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol IN {symbols:Array(String)}
    AND feature_set_hash = {hash:String}
    AND ts_event = fromUnixTimestamp64Micro({hour_us:Int64}, 'UTC')
