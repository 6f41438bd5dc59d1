-- A run's feature rows and predictions, and predictions without their feature row.
SELECT
    (
        SELECT count() FROM feature FINAL
        WHERE run_id = {run_id:String}
    ) AS features,
    (
        SELECT count() FROM prediction FINAL
        WHERE run_id = {run_id:String}
    ) AS predictions,
    (
        SELECT count()
        FROM prediction FINAL
        WHERE run_id = {run_id:String} AND ts_event < fromUnixTimestamp64Milli({cut_msc:Int64}, 'UTC')
    ) AS before_cut,
    (
        SELECT count()
        FROM prediction AS p FINAL
        LEFT ANTI JOIN feature AS f
            ON
                p.run_id = f.run_id AND p.source = f.source AND p.symbol = f.symbol
                AND p.ts_event = f.ts_event AND p.seq = f.seq
        WHERE p.run_id = {run_id:String}
    ) AS orphans
