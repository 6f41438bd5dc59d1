-- Predictions of one model in a run, with what their rows said of the market, feed by feed in time
-- order. The table of predictions is filled in by models/monitoring/outcomes.py: that of the model's role.
SELECT
    p.source,
    p.symbol,
    toUnixTimestamp64Micro(p.ts_event) AS time_us,
    p.p_down,
    p.p_flat,
    p.p_up,
    p.agreement,
    p.veto,
    p.members,
    f.mid,
    f.spread,
    f.volatility_60s,
    f.spread_bp
FROM predictions_of_role AS p FINAL
INNER JOIN feature AS f FINAL
    ON
        p.run_id = f.run_id AND p.source = f.source AND p.symbol = f.symbol
        AND p.ts_event = f.ts_event AND p.seq = f.seq
WHERE
    p.run_id = {run_id:String}
    AND p.model = {model:String}
    AND toUnixTimestamp64Micro(p.ts_event) >= {start_us:Int64}
    AND toUnixTimestamp64Micro(p.ts_event) < {end_us:Int64}
ORDER BY p.source, p.symbol, p.ts_event, p.seq
