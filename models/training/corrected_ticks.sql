-- Moments of a source at which a tick was corrected or withdrawn, as far as that was known.
SELECT
    symbol,
    groupUniqArray(toUnixTimestamp64Milli(ts_event)) AS moments_msc
FROM tick_version
WHERE
    source = {source:String} AND version > 0
    AND ts_known <= fromUnixTimestamp64Micro({known_us:Int64}, 'UTC')
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
GROUP BY symbol
ORDER BY symbol
