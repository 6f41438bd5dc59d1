-- Versions of a feed's ticks that were changed, in order of time, each with the one before it.
SELECT
    t.ts_event AS ts_event,
    toUnixTimestamp64Milli(t.ts_event) AS time_msc,
    t.seq AS seq,
    t.version AS version,
    t.kind AS kind,
    toString(t.old_bid) AS old_bid,
    toString(t.new_bid) AS new_bid,
    toString(t.old_ask) AS old_ask,
    toString(t.new_ask) AS new_ask,
    toString(t.old_last) AS old_last,
    toString(t.new_last) AS new_last,
    t.old_volume AS old_volume,
    t.new_volume AS new_volume,
    t.ts_known_before AS ts_known_before,
    t.ts_known AS ts_known,
    t.origin AS origin,
    t.author AS author,
    t.reason AS reason,
    t.correction_id AS correction_id
FROM tick_correction AS t
WHERE
    t.source = {source:String} AND t.symbol = {symbol:String}
    AND t.ts_event >= fromUnixTimestamp64Micro({first:Int64}, 'UTC')
    AND t.ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
ORDER BY t.ts_event, t.seq, t.version
