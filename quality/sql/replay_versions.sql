-- Every version of the ticks of one feed in a span that were ever changed: by tick, the oldest first.
SELECT
    toUnixTimestamp64Milli(ts_event) AS time_msc,
    seq,
    version,
    kind = 'withdrawal' AS withdrawn,
    reinterpretAsInt64(bid) AS bid_units,
    reinterpretAsInt64(ask) AS ask_units
FROM tick_version FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
ORDER BY ts_event, seq, version
