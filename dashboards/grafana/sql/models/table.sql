SELECT
    status,
    left(model, 8) AS model,
    name,
    ts_init AS registered,
    run_id AS trained_in,
    simulated,
    feature_set_hash,
    metrics
FROM model FINAL
ORDER BY status = 'champion' DESC, registered DESC
