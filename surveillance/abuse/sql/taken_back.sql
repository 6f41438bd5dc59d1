-- Orders of one side that worked at the time of a fill of the other side and were taken back unfilled within window_s
-- after it, together `ratio` times the fill: at least `orders` of them are layering, fewer are spoofing. Accounts and
-- strategies are not told apart.
WITH

placed AS (
    SELECT
        source,
        symbol,
        order_id,
        any(account) AS account,
        any(strategy) AS strategy,
        anyIf(side, kind = 'submitted') AS side,
        anyIf(volume, kind = 'submitted') AS volume,
        minIf(ts_event, kind = 'accepted') AS ts_working,
        maxIf(ts_event, kind = 'cancelled') AS ts_gone
    FROM order_event FINAL
    WHERE mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
    GROUP BY source, symbol, order_id
    HAVING
        countIf(kind = 'cancelling') > 0 AND countIf(kind = 'cancelled') > 0 AND countIf(kind = 'accepted') > 0
        AND countIf(kind IN ('filled', 'partially_filled')) = 0
),

-- In the bucket in which it went and the one before, so that a fill meets it by its own bucket.
gone AS (
    SELECT
        *,
        arrayJoin([0, 1]) AS earlier,
        intDiv(toUnixTimestamp(ts_gone), {window_s:UInt32}) - earlier AS bucket
    FROM placed
),

fill AS (
    SELECT
        source AS fill_source,
        symbol AS fill_symbol,
        order_id AS fill_order,
        side AS fill_side,
        account AS fill_account,
        strategy AS fill_strategy,
        volume AS fill_volume,
        ts_event AS ts_fill,
        intDiv(toUnixTimestamp(ts_event), {window_s:UInt32}) AS fill_bucket
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
        AND kind IN ('filled', 'partially_filled')
),

met AS (
    SELECT
        fill_source,
        fill_symbol,
        ts_fill,
        fill_order,
        any(fill_volume) AS volume_filled,
        any(fill_account) AS account_filled,
        any(fill_strategy) AS strategy_filled,
        count() AS orders,
        sum(volume) AS volume_gone,
        min(ts_working) AS ts_first,
        max(ts_gone) AS ts_last,
        groupUniqArray(account) AS accounts_gone,
        groupUniqArray(strategy) AS strategies_gone,
        groupArray(order_id) AS orders_gone
    FROM fill
    INNER JOIN gone ON source = fill_source AND symbol = fill_symbol AND bucket = fill_bucket
    WHERE
        side != fill_side AND ts_working <= ts_fill AND ts_gone >= ts_fill
        AND ts_gone <= ts_fill + toIntervalSecond({window_s:UInt32})
    GROUP BY fill_source, fill_symbol, ts_fill, fill_order
    HAVING (orders >= {orders:Float64}) = ({scenario:String} = 'layering') AND volume_gone >= {ratio:Float64} * volume_filled
)

SELECT
    fill_source AS source,
    fill_symbol AS symbol,
    [fill_source, fill_symbol, toString(toStartOfHour(ts_fill))] AS case_key,
    arraySort(arrayDistinct(arrayFlatten(groupArray(arrayPushBack(accounts_gone, account_filled))))) AS accounts,
    arraySort(arrayDistinct(arrayFlatten(groupArray(arrayPushBack(strategies_gone, strategy_filled))))) AS strategies,
    min(ts_first) AS ts_from,
    max(ts_last) AS ts_to,
    max(volume_gone / (volume_filled * {ratio:Float64})) AS score,
    arrayDistinct(arrayFlatten(groupArray(arrayPushBack(orders_gone, fill_order)))) AS order_ids,
    concat(
        toString(max(orders)), ' orders of ', toString(round(max(volume_gone), 2)), ' lots taken back within ',
        toString({window_s:UInt32}), ' s of a fill of the other side, ', toString(count()), ' times'
    ) AS detail
FROM met
GROUP BY fill_source, fill_symbol, toStartOfHour(ts_fill)
ORDER BY ts_from
