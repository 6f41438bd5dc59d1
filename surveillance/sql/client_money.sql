-- Days since which money of an account differs from what its broker states, the first one counted.
SELECT
    concat(account, ' ', item) AS subject,
    age_days + 1 AS value
FROM client_money_break
WHERE mode IN (SELECT mode FROM running_mode) AND severity = 'error'
ORDER BY subject
