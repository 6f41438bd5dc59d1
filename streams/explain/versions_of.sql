-- Every version kept of the ticks of a span, in the order of tick and version; fields as ticks.sql.
SELECT
    toUnixTimestamp64Milli(toDateTime64(ts_event, 3, 'UTC')) AS tick_msc,
    seq,
    flags,
    quality,
    toFloat64(bid) AS bid_price,
    toFloat64(ask) AS ask_price,
    toFloat64(last) AS last_price,
    volume,
    toUnixTimestamp64Micro(ts_recv) AS recv_us,
    toUnixTimestamp64Micro(ts_known) AS known_us,
    kind = 'withdrawal' AS withdrawn
FROM tick_version FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND (ts_event, seq) >= (fromUnixTimestamp64Micro({from:Int64}, 'UTC'), {from_seq:UInt32})
    AND (ts_event, seq) <= (fromUnixTimestamp64Micro({to:Int64}, 'UTC'), {to_seq:UInt32})
ORDER BY ts_event, seq, version
