-- The newest regime of each feed.
SELECT
    concat(source, ' ', symbol) AS feed,
    argMax(regime, ts_event) AS now,
    argMax(level_bp, ts_event) AS moves_bp,
    argMax(lasted_min, ts_event) / 60 AS lasted_h
FROM regime
WHERE run_id = {run_id:String} AND ts_event > now() - INTERVAL 7 DAY
GROUP BY source, symbol
ORDER BY feed
