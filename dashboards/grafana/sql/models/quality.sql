SELECT
    role,
    left(model, 8) AS model_short,
    if(member = '', 'whole', toString(member)) AS part,
    predictions,
    hit_rate,
    1 - brier / nullIf(brier_shares, 0) AS skill,
    calibration_error,
    vetoed,
    decisions,
    net_bp,
    ts_end AS judged_to
FROM model_quality FINAL
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_end)
    AND $__conditionalAll(model IN (${model:singlequote}), $model)
ORDER BY judged_to DESC, role ASC, part = 'whole' DESC, part ASC
LIMIT 1 BY role, model, member
