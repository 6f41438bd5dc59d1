-- Orders of `times` the median size that their strategy sent in the instrument in the days before, when those were at
-- least `orders`.
WITH

sent AS (
    SELECT
        account,
        strategy,
        source,
        symbol,
        order_id,
        volume,
        ts_event,
        ts_event >= {start:DateTime64(6)} AS is_today
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND kind = 'submitted' AND ts_event < {end:DateTime64(6)}
        AND ts_event >= {start:DateTime64(6)} - toIntervalDay({days:UInt32})
),

usual AS (
    SELECT
        account AS usual_account,
        strategy AS usual_strategy,
        source AS usual_source,
        symbol AS usual_symbol,
        quantileExact(volume) AS median_volume
    FROM sent
    WHERE NOT is_today
    GROUP BY usual_account, usual_strategy, usual_source, usual_symbol
    HAVING count() >= {orders:Float64}
)

SELECT
    source,
    symbol,
    [source, symbol, account, strategy] AS case_key,
    [account] AS accounts,
    [strategy] AS strategies,
    min(ts_event) AS ts_from,
    max(ts_event) AS ts_to,
    max(volume / (median_volume * {times:Float64})) AS score,
    groupArray(order_id) AS order_ids,
    concat(
        toString(count()), ' orders of up to ', toString(round(max(volume), 2)), ' lots, usual are ',
        toString(round(any(median_volume), 2))
    ) AS detail
FROM sent
INNER JOIN usual
    ON account = usual_account AND strategy = usual_strategy AND source = usual_source AND symbol = usual_symbol
WHERE is_today AND volume >= {times:Float64} * median_volume
GROUP BY account, strategy, source, symbol
ORDER BY ts_from
