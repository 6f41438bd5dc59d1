-- Our fills that are deals of a statement: the UTC days on which their order was at work, and the feed's own day.
SELECT
    arrayDistinct(arrayFlatten(groupArray([toDate(o.ts_init, 'UTC'), toDate(o.ts_event, 'UTC')]))) AS days,
    any(f.venue_deal) AS deal,
    toUnixTimestamp64Micro(any(f.ts_event)) AS filled_us,
    any(f.source) AS feed_source,
    any(f.symbol) AS feed_symbol
FROM order_event AS f FINAL
INNER JOIN order_event AS o ON f.run_id = o.run_id AND f.account = o.account AND f.order_id = o.order_id
WHERE
    f.mode = {mode:String} AND f.account = {account:String} AND f.venue_deal IN {deals:Array(UInt64)}
    AND f.kind IN ('partially_filled', 'filled', 'closed')
GROUP BY f.run_id, f.seq
ORDER BY filled_us
