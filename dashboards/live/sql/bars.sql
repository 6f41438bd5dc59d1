-- Minute bars of the last hours, all feeds.
SELECT
    source,
    symbol,
    toUnixTimestamp(ts_open) AS time_s,
    toFloat64(bid_open) AS `open`,
    toFloat64(bid_high) AS high,
    toFloat64(bid_low) AS low,
    toFloat64(bid_close) AS `close`
FROM bar
WHERE `interval` = '1m' AND ts_open >= now() - INTERVAL 6 HOUR
ORDER BY source, symbol, time_s
