-- When the newest of what a dataset reads of one feed became known: its ticks and their versions.
SELECT toUnixTimestamp64Micro(max(ts_known)) AS known_us
FROM (
    SELECT max(ts_known) AS ts_known FROM tick
    WHERE
        source = {source:String} AND symbol = {symbol:String}
        AND ts_event >= fromUnixTimestamp64Micro({start_us:Int64}, 'UTC')
        AND ts_event < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
    UNION ALL
    SELECT max(ts_known) AS ts_known FROM tick_version
    WHERE
        source = {source:String} AND symbol = {symbol:String}
        AND ts_event >= fromUnixTimestamp64Micro({start_us:Int64} - {memory_us:Int64}, 'UTC')
        AND ts_event < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
) AS known
