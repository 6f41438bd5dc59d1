-- Registered models, and which of them learnt a simulated market.
SELECT
    model,
    simulated
FROM model FINAL
ORDER BY ts_init DESC
LIMIT 50
