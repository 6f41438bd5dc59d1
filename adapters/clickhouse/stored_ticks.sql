-- A span of one feed as `tick` shows it, and the versions kept of it; packed as core.tick_versions.KNOWN.
-- `only`: milliseconds, or nothing for all of the span.
SELECT
    toUnixTimestamp64Milli(t.ts_event),
    t.seq,
    t.flags,
    t.quality,
    reinterpretAsInt64(t.bid),
    reinterpretAsInt64(t.ask),
    reinterpretAsInt64(t.last),
    t.volume,
    toUnixTimestamp64Micro(t.ts_recv),
    toUnixTimestamp64Micro(t.ts_known),
    toInt32(-1),
    toUInt8(0)
FROM tick AS t FINAL
WHERE
    t.source = {source:String} AND t.symbol = {symbol:String}
    AND t.ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND t.ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
    AND (empty({only:Array(Int64)}) OR toUnixTimestamp64Milli(t.ts_event) IN ({only:Array(Int64)}))
UNION ALL
SELECT
    toUnixTimestamp64Milli(v.ts_event),
    v.seq,
    v.flags,
    v.quality,
    reinterpretAsInt64(v.bid),
    reinterpretAsInt64(v.ask),
    reinterpretAsInt64(v.last),
    v.volume,
    toUnixTimestamp64Micro(v.ts_recv),
    toUnixTimestamp64Micro(v.ts_known),
    toInt32(v.version),
    toUInt8(v.kind = 'withdrawal')
FROM tick_version AS v FINAL
WHERE
    v.source = {source:String} AND v.symbol = {symbol:String}
    AND v.ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND v.ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
    AND (empty({only:Array(Int64)}) OR toUnixTimestamp64Milli(v.ts_event) IN ({only:Array(Int64)}))
