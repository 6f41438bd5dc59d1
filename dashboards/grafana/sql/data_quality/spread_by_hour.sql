-- Mean of each minute's widest spread in basis points, by hour of day, UTC.
SELECT
    symbol,
    by_hour[1] AS `00`,
    by_hour[2] AS `01`,
    by_hour[3] AS `02`,
    by_hour[4] AS `03`,
    by_hour[5] AS `04`,
    by_hour[6] AS `05`,
    by_hour[7] AS `06`,
    by_hour[8] AS `07`,
    by_hour[9] AS `08`,
    by_hour[10] AS `09`,
    by_hour[11] AS `10`,
    by_hour[12] AS `11`,
    by_hour[13] AS `12`,
    by_hour[14] AS `13`,
    by_hour[15] AS `14`,
    by_hour[16] AS `15`,
    by_hour[17] AS `16`,
    by_hour[18] AS `17`,
    by_hour[19] AS `18`,
    by_hour[20] AS `19`,
    by_hour[21] AS `20`,
    by_hour[22] AS `21`,
    by_hour[23] AS `22`,
    by_hour[24] AS `23`
FROM (
    SELECT
        symbol,
        avgOrNullResample(0, 24, 1) (widest / nullIf(bid, 0) * 10000, toHour(minute)) AS by_hour
    FROM (
        SELECT
            symbol,
            ts_open AS minute,
            toFloat64(max(spread_max)) AS widest,
            toFloat64(argMaxMerge(bid_close)) AS bid
        FROM bar_1m
        WHERE source = '${source}' AND $__timeFilter(ts_open)
        GROUP BY symbol, minute
    ) AS minutes
    GROUP BY symbol
) AS symbols
ORDER BY symbol
