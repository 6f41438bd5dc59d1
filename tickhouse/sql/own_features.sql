-- Names of a person's own features among the rows asked for.
SELECT DISTINCT name
FROM own_feature
WHERE
    run_id = {run:String}
    AND ({source:String} = '' OR source = {source:String})
    AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
    AND ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
ORDER BY name
