-- Cases of market abuse that nobody took yet, or that are past their day, per scenario.
SELECT
    scenario AS subject,
    toFloat64(countIf(status = 'open' OR (status = 'taken' AND due < today()))) AS value
FROM abuse_case
WHERE mode IN (SELECT mode FROM running_mode)
GROUP BY scenario
ORDER BY subject
