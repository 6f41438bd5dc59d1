-- The columns of the catalogue follow those that say which row it is.
SELECT * EXCEPT (mode, account, strategy, ts_init, feature_set_hash) -- noqa: AM04
FROM feature FINAL
WHERE
    run_id = {run:String}
    AND ({source:String} = '' OR source = {source:String})
    AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
    AND ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
ORDER BY ts_event, source, seq
