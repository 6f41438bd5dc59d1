SELECT
    source,
    symbol
FROM tick
WHERE
    (
        empty({symbols:Array(String)})
        OR source IN (
            SELECT named.source FROM tick AS named
            WHERE named.symbol IN {symbols:Array(String)}
        )
    )
    AND (empty({source:String}) OR source = {source:String})
    AND ts_event < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY source, symbol
ORDER BY source, symbol
