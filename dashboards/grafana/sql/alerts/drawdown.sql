-- Largest fall of equity from its peak of the last day, as a share.
SELECT max(1 - newest / peak) AS fall
FROM (
    SELECT
        account,
        max(equity) AS peak,
        argMax(equity, seq) AS newest
    FROM account_state
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = 'live'
        ) AND ts_event >= now() - INTERVAL 1 DAY
    GROUP BY account
) AS each_one
WHERE peak > 0
