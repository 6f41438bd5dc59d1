-- Seconds without a tick, per feed that the running session collects, while its market is open. In the hour
-- after an opening they count from that hour on. What never spoke counts from the session's start.
WITH

expected AS (
    SELECT
        p.name AS feed,
        splitByChar('/', p.name)[1] AS feed_source,
        splitByChar('/', p.name)[2] AS feed_symbol,
        p.hours AS hours
    FROM session_part AS p FINAL
    WHERE
        p.kind = 'feed' AND p.session_id IN (
            SELECT session_id FROM running_mode
            WHERE status = 'running'
        )
),

begun AS (
    SELECT max(ts_start) AS ts_begun FROM session
    WHERE session_id IN (SELECT session_id FROM running_mode)
),

newest AS (
    SELECT
        source,
        symbol,
        max(ts_event) AS ts_newest
    FROM tick
    WHERE
        (source, symbol) IN (SELECT
            feed_source,
            feed_symbol
        FROM expected)
        AND ts_event >= now() - INTERVAL 7 DAY AND ts_event <= now() + INTERVAL 1 DAY
    GROUP BY source, symbol
),

trading AS (
    SELECT
        e.feed AS feed,
        e.feed_source AS feed_source,
        e.feed_symbol AS feed_symbol,
        arrayMap(
            moment -> e.hours = 'always' OR NOT (
                (e.hours = 'metal' AND toHour(moment) = 17)
                OR toDayOfWeek(moment) = 6
                OR (toDayOfWeek(moment) = 7 AND toHour(moment) < 17)
                OR (toDayOfWeek(moment) = 5 AND toHour(moment) >= 17)
            ),
            [toTimeZone(now(), 'America/New_York'), toTimeZone(now() - INTERVAL 1 HOUR, 'America/New_York')]
        ) AS open
    FROM expected AS e
)

SELECT
    t.feed AS subject,
    toFloat64(least(
        dateDiff('second', greatest(n.ts_newest, b.ts_begun), now()),
        if(t.open[2], 1000000000, dateDiff('second', toStartOfHour(now()), now()))
    )) AS value
FROM trading AS t
CROSS JOIN begun AS b
LEFT JOIN newest AS n ON t.feed_source = n.source AND t.feed_symbol = n.symbol
WHERE t.open[1]
ORDER BY subject
