WITH

event AS (
    SELECT *
    FROM order_event FINAL
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND order_id = '${order}'
),

cause AS (
    SELECT *
    FROM signal FINAL
    WHERE
        run_id IN (
            SELECT run_id FROM run
            WHERE mode = '${mode}'
        ) AND (run_id, signal_id) IN (
            SELECT
                run_id,
                signal_id
            FROM event
        )
),

said AS (
    SELECT *
    FROM prediction FINAL
    WHERE
        (run_id, source, symbol, ts_event, seq) IN (
            SELECT
                run_id,
                source,
                symbol,
                ts_event,
                seq
            FROM cause
        )
),

seen AS (
    SELECT *
    FROM tick FINAL
    WHERE
        (source, symbol, ts_event, seq) IN (
            SELECT
                source,
                symbol,
                ts_event,
                seq
            FROM cause
        )
)

SELECT
    e.ts_event AS time,
    e.kind AS event,
    e.side AS side,
    e.volume AS lots,
    e.price AS price,
    e.reason AS reason,
    s.signal_id AS signal,
    s.confidence AS confidence,
    s.model AS model,
    p.p_down AS p_down,
    p.p_up AS p_up,
    s.ts_event AS tick_time,
    s.seq AS tick_seq,
    t.bid AS tick_bid,
    t.ask AS tick_ask,
    e.limits_version AS limits
FROM event AS e
LEFT JOIN cause AS s ON e.run_id = s.run_id AND e.signal_id = s.signal_id
LEFT JOIN said AS p
    ON
        s.run_id = p.run_id AND s.source = p.source AND s.symbol = p.symbol
        AND s.ts_event = p.ts_event AND s.seq = p.seq
LEFT JOIN seen AS t ON s.source = t.source AND s.symbol = t.symbol AND s.ts_event = t.ts_event AND s.seq = t.seq
ORDER BY e.seq
