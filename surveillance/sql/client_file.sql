-- Clients whose file is not in order, and how much of it lacks: nothing is opened for them.
SELECT
    client AS subject,
    toFloat64(count()) AS value
FROM client_need
WHERE NOT is_in_order
GROUP BY client
ORDER BY subject
