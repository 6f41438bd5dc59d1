-- The highest score of the last two hours' own orders, per account and strategy.
SELECT
    concat(account, ' ', strategy) AS subject,
    toFloat64(max(score)) AS value
FROM order_score FINAL
WHERE
    run_id IN (
        SELECT run_id FROM session
        WHERE session_id IN (SELECT session_id FROM running_mode)
    ) AND mode IN (SELECT mode FROM running_mode)
    AND ts_event >= now() - INTERVAL 2 HOUR
GROUP BY account, strategy
ORDER BY subject
