-- Share of the last quarter of an hour's orders that the broker refused.
SELECT countIf(kind = 'rejected') / countIf(kind = 'submitted') AS share
FROM order_event
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = 'live'
    ) AND ts_event >= now() - INTERVAL 15 MINUTE
HAVING countIf(kind = 'submitted') >= 5
