-- Of the orders of a strategy that came to work at the broker in the day, at least `orders`, the share `ratio` was taken back
-- by us without a fill.
WITH

placed AS (
    SELECT
        account,
        strategy,
        source,
        symbol,
        order_id,
        min(ts_event) AS ts_first,
        max(ts_event) AS ts_last,
        countIf(kind = 'cancelling') > 0 AND countIf(kind IN ('filled', 'partially_filled')) = 0 AS is_taken_back
    FROM order_event FINAL
    WHERE mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
    GROUP BY account, strategy, source, symbol, order_id
    HAVING countIf(kind = 'accepted') > 0
)

SELECT
    source,
    symbol,
    [source, symbol, account, strategy] AS case_key,
    [account] AS accounts,
    [strategy] AS strategies,
    min(ts_first) AS ts_from,
    max(ts_last) AS ts_to,
    countIf(is_taken_back) / count() / {ratio:Float64} AS score,
    groupArrayIf(order_id, is_taken_back) AS order_ids,
    concat(toString(countIf(is_taken_back)), ' of ', toString(count()), ' orders taken back unfilled') AS detail
FROM placed
GROUP BY account, strategy, source, symbol
HAVING count() >= {orders:Float64} AND countIf(is_taken_back) >= {ratio:Float64} * count()
ORDER BY ts_from
