-- Entries of an account in the last minutes before the day's close in New York: at least `orders`, that share of the
-- day's volume of entries, nearly all on one side, and the price went that way between the first and the last of them.
WITH

parseDateTimeBestEffort(
    concat(toString({day:Date}), ' ', leftPad(toString({close_hour:UInt32}), 2, '0'), ':00:00'), 'America/New_York'
) AS ts_close,

entry AS (
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
        ts_event >= ts_close - toIntervalMinute({minutes:UInt32}) AND ts_event < ts_close AS is_late
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
        AND kind IN ('filled', 'partially_filled') AND purpose = 'entry'
),

late AS (
    SELECT
        account,
        source,
        symbol,
        arraySort(groupUniqArrayIf(strategy, is_late)) AS strategies,
        minIf(ts_event, is_late) AS ts_from,
        maxIf(ts_event, is_late) AS ts_to,
        countIf(is_late) AS orders,
        sumIf(volume, is_late) AS volume_late,
        sum(volume) AS volume_day,
        sumIf(if(side = 'buy', volume, -volume), is_late) AS net,
        sign(net) * (argMaxIf(price, ts_event, is_late) / argMinIf(price, ts_event, is_late) - 1) * 1e4 AS moved_bp,
        groupArrayIf(order_id, is_late) AS order_ids
    FROM entry
    GROUP BY account, source, symbol
)

SELECT
    source,
    symbol,
    [source, symbol, account] AS case_key,
    [account] AS accounts,
    strategies,
    ts_from,
    ts_to,
    volume_late / volume_day / {share:Float64} AS score,
    order_ids,
    concat(
        toString(orders), ' entries with ', toString(round(100 * volume_late / volume_day)), ' % of the day in the last ',
        toString({minutes:UInt32}), ' minutes, price ', toString(round(moved_bp, 1)), ' bp their way'
    ) AS detail
FROM late
WHERE
    orders >= {orders:Float64} AND volume_late >= {share:Float64} * volume_day
    AND abs(net) >= {one_sided:Float64} * volume_late AND moved_bp >= {move_bp:Float64}
ORDER BY ts_from
