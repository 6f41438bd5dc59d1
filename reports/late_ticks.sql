-- How late ticks come by our clock, per broker: their least is what clocks differ by at most.
SELECT
    source,
    count(),
    min(late_us),
    medianExact(late_us)
FROM (
    SELECT
        source,
        toFloat64(dateDiff('microsecond', ts_event, ts_recv)) AS late_us
    FROM tick
    WHERE
        ts_event > now64(6) - INTERVAL 5 MINUTE
        AND ts_recv > now64(6) - INTERVAL 5 MINUTE
) AS late
GROUP BY source
ORDER BY source
