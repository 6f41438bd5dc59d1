-- A fill with at least `orders` fills of its side of the account within the window_s before it, over which the price moved
-- move_bp its way, and of whose volume the share `back` was traded the other way within back_s, at a better price.
WITH

fill AS (
    SELECT
        account,
        strategy,
        source,
        symbol,
        order_id,
        side,
        volume,
        price,
        ts_event,
        toUnixTimestamp(ts_event) AS at_s
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
        AND kind IN ('filled', 'partially_filled')
),

burst AS (
    SELECT
        *,
        count() OVER same AS fills,
        sum(volume) OVER same AS volume_in,
        sum(volume * price) OVER same / volume_in AS price_in,
        first_value(price) OVER same AS price_first,
        first_value(ts_event) OVER same AS ts_first,
        groupArray(order_id) OVER same AS orders_in
    FROM fill
    WINDOW same AS (
        PARTITION BY account, source, symbol, side ORDER BY at_s
        RANGE BETWEEN {window_s:UInt32} PRECEDING AND CURRENT ROW
    )
),

after_it AS (
    SELECT
        *,
        sum(if(side = 'sell', volume, 0)) OVER later AS volume_sold,
        sum(if(side = 'buy', volume, 0)) OVER later AS volume_bought,
        sum(if(side = 'sell', volume * price, 0)) OVER later AS money_sold,
        sum(if(side = 'buy', volume * price, 0)) OVER later AS money_bought,
        max(ts_event) OVER later AS ts_last,
        groupArray(order_id) OVER later AS orders_out
    FROM burst
    WINDOW later AS (
        PARTITION BY account, source, symbol ORDER BY at_s
        RANGE BETWEEN 1 FOLLOWING AND {back_s:UInt32} FOLLOWING
    )
),

judged AS (
    SELECT
        *,
        if(side = 'buy', 1, -1) AS way,
        way * (price / price_first - 1) * 1e4 AS moved_bp,
        if(side = 'buy', volume_sold, volume_bought) AS volume_out,
        if(side = 'buy', money_sold, money_bought) / nullIf(volume_out, 0) AS price_out
    FROM after_it
    WHERE fills >= {orders:Float64}
)

SELECT
    source,
    symbol,
    [source, symbol, account, toString(toStartOfHour(ts_event))] AS case_key,
    [account] AS accounts,
    arraySort(groupUniqArray(strategy)) AS strategies,
    min(ts_first) AS ts_from,
    max(ts_last) AS ts_to,
    max(moved_bp / {move_bp:Float64}) AS score,
    arrayDistinct(arrayFlatten(groupArray(arrayConcat(orders_in, orders_out)))) AS order_ids,
    concat(
        toString(max(fills)), ' fills in ', toString({window_s:UInt32}), ' s moved the price ', toString(round(max(moved_bp), 1)),
        ' bp, then ', toString(round(max(volume_out), 2)), ' lots the other way'
    ) AS detail
FROM judged
WHERE
    moved_bp >= {move_bp:Float64} AND volume_out >= {back:Float64} * volume_in
    AND way * (coalesce(price_out, price_in) - price_in) > 0
GROUP BY account, source, symbol, toStartOfHour(ts_event)
ORDER BY ts_from
