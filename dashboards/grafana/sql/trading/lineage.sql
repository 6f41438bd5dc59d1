SELECT
    e.ts_event AS time,
    e.kind AS event,
    e.side AS side,
    e.volume AS lots,
    e.price AS price,
    e.reason AS reason,
    s.signal_id AS signal,
    s.confidence AS confidence,
    s.prediction_id AS prediction,
    s.time_msc AS tick_time_msc,
    s.seq AS tick_seq
FROM order_event AS e FINAL
LEFT JOIN signal AS s ON e.signal_id = s.signal_id AND e.run_id = s.run_id
WHERE
    e.run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND e.order_id = '${order}'
ORDER BY e.seq
