SELECT
    trading_day AS day,
    symbol,
    ticks,
    crossed / nullIf(ticks, 0) AS crossed_share,
    locked / nullIf(ticks, 0) AS locked_share,
    out_of_order / nullIf(ticks, 0) AS late_share,
    quarantined,
    longest_silence_s AS longest_silence,
    spread_median,
    spread_max,
    toFloat64(restated_from_ticks) AS restated_from,
    source
FROM ${marts}.fct_data_quality_daily
WHERE trading_day >= toDate($__fromTime) AND trading_day <= toDate($__toTime) + 1
ORDER BY day DESC, source ASC, symbol ASC
LIMIT 200
