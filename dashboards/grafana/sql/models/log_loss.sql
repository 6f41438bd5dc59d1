SELECT
    left(model, 8) AS model_short,
    symbol,
    sum(predictions) AS said,
    sum(labelled) AS judged,
    sum(log_loss * labelled) / nullIf(judged, 0) AS mean_log_loss,
    sum(accuracy * labelled) / nullIf(judged, 0) AS mean_accuracy,
    sum(moves_right * moves_said) / nullIf(sum(moves_said), 0) AS hit_rate,
    sum(share_up * labelled) / nullIf(judged, 0) AS came_up,
    sum(p_up_mean * predictions) / nullIf(said, 0) AS said_up
FROM ${marts}.fct_model_performance
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND source = '${source}'
    AND trading_day >= toDate($__fromTime) AND trading_day <= toDate($__toTime)
GROUP BY model_short, symbol
ORDER BY model_short, symbol
