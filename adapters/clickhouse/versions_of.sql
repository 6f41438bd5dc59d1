-- Every version of the ticks that one correction changed; packed as core.tick_versions.KNOWN, with
-- whether this correction brought it in front.
SELECT
    toUInt8(v.correction_id = {correction_id:String}),
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
    AND v.ts_event >= fromUnixTimestamp64Micro({first_us:Int64}, 'UTC')
    AND v.ts_event <= fromUnixTimestamp64Micro({last_us:Int64}, 'UTC')
    AND (v.ts_event, v.seq) IN (
        SELECT
            b.ts_event,
            b.seq
        FROM tick_version AS b
        WHERE
            b.source = {source:String} AND b.symbol = {symbol:String}
            AND b.ts_event >= fromUnixTimestamp64Micro({first_us:Int64}, 'UTC')
            AND b.ts_event <= fromUnixTimestamp64Micro({last_us:Int64}, 'UTC')
            AND b.correction_id = {correction_id:String}
    )
ORDER BY v.ts_event, v.seq, v.version
