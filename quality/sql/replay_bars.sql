-- Minute bars of one feed in a span: how many, and how many ticks they counted.
SELECT
    count() AS bars,
    sum(tick_count) AS ticks
FROM bar
WHERE
    `interval` = '1m' AND source = {source:String} AND symbol = {symbol:String}
    AND ts_open >= toStartOfMinute(fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC'))
    AND ts_open <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
