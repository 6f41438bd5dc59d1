-- Orders and denials of a world by any of: an id (of order, signal or the venue), symbol, strategy, day.
WITH named AS (
    SELECT
        run_id,
        account,
        order_id
    FROM order_event
    WHERE
        mode = {mode:String}
        AND (
            {id:String} = ''
            OR startsWith(order_id, {id:String})
            OR signal_id = {id:String}
            OR has([toString(venue_deal), toString(venue_order), toString(venue_position)], {id:String})
        )
        AND ({symbol:String} = '' OR symbol = {symbol:String})
        AND ({strategy:String} = '' OR strategy = {strategy:String})
        AND ({begin:String} = '' OR ts_event >= parseDateTime64BestEffortOrZero({begin:String}, 6, 'UTC'))
        AND ({end:String} = '' OR ts_event < parseDateTime64BestEffortOrZero({end:String}, 6, 'UTC'))
        AND (NOT {denied:Bool} OR kind = 'denied')
    GROUP BY run_id, account, order_id
    ORDER BY max(ts_event) DESC
    LIMIT {most:UInt32}
)

SELECT
    run_id,
    account,
    order_id,
    any(strategy) AS strategy,
    any(source) AS source,
    any(symbol) AS symbol,
    toUnixTimestamp64Micro(min(ts_event)) AS begun_us,
    argMin(side, seq) AS side,
    argMin(purpose, seq) AS purpose,
    argMin(volume, seq) AS volume,
    argMax(kind, seq) AS kind,
    argMax(reason, seq) AS reason,
    argMax(limit, seq) AS limit_value,
    argMax(observed, seq) AS observed
FROM order_event
WHERE mode = {mode:String} AND (run_id, account, order_id) IN (SELECT tuple(*) FROM named)
GROUP BY run_id, account, order_id
ORDER BY begun_us DESC, order_id ASC
