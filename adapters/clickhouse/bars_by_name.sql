-- Bars of a feed by interval and opening, as text: what a correction writes down before and after it.
SELECT
    concat(b.`interval`, formatDateTime(b.ts_open, ' %Y-%m-%d %H:%i:%S')) AS name,
    toString(b.bid_open) AS bid_open,
    toString(b.bid_high) AS bid_high,
    toString(b.bid_low) AS bid_low,
    toString(b.bid_close) AS bid_close,
    toString(b.ask_close) AS ask_close,
    toString(b.spread_max) AS spread_max,
    toUInt32(b.tick_count) AS tick_count
FROM bar AS b
WHERE
    b.source = {source:String} AND b.symbol = {symbol:String}
    AND b.`interval` IN ('1m', '5m', '1h')
    AND b.ts_open >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
    AND b.ts_open <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
    AND concat(b.`interval`, ' ', toString(toUnixTimestamp64Milli(b.ts_open)))
    IN ({opens:Array(String)})
