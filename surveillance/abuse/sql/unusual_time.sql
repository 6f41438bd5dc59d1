-- At least `times` orders of a strategy in hours (UTC) in which none of its orders of the days before fell, when those were
-- at least `orders`, on at least `known_days` days: a strategy that is new has no usual hours yet.
WITH

sent AS (
    SELECT
        account,
        strategy,
        source,
        symbol,
        order_id,
        ts_event,
        toHour(ts_event, 'UTC') AS hour,
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
        groupUniqArray(hour) AS hours
    FROM sent
    WHERE NOT is_today
    GROUP BY usual_account, usual_strategy
    HAVING count() >= {orders:Float64} AND uniqExact(toDate(ts_event, 'UTC')) >= {known_days:Float64}
)

SELECT
    any(source) AS source,
    arrayStringConcat(arraySort(groupUniqArray(symbol)), ' ') AS symbol,
    [account, strategy] AS case_key,
    [account] AS accounts,
    [strategy] AS strategies,
    min(ts_event) AS ts_from,
    max(ts_event) AS ts_to,
    count() / {times:Float64} AS score,
    groupArray(order_id) AS order_ids,
    concat(
        toString(count()), ' orders at ', arrayStringConcat(arraySort(groupUniqArray(hour)), ', '),
        ' h UTC, where none was before'
    ) AS detail
FROM sent
INNER JOIN usual ON account = usual_account AND strategy = usual_strategy
WHERE is_today AND NOT has(hours, hour)
GROUP BY account, strategy
HAVING count() >= {times:Float64}
ORDER BY ts_from
