-- Ticks of a run that were refused, by feed.
SELECT
    source,
    symbol,
    count() AS ticks
FROM tick_quarantine FINAL
WHERE run_id = {run_id:String}
GROUP BY source, symbol
