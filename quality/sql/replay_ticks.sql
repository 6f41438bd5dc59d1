-- Ticks of one feed in a span: count and exact price sums. FINAL: a repeat counts once.
SELECT
    count() AS ticks,
    sum(toInt64(bid * 100000000)) AS bid_units,
    sum(toInt64(ask * 100000000)) AS ask_units
FROM tick FINAL
WHERE source = {source:String} AND symbol = {symbol:String}
  AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
  AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
