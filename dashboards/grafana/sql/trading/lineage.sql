SELECT
    ts_event AS time,
    if(fill_kind = 'busted', fill_kind, kind) AS event,
    side,
    volume AS lots,
    price,
    reason,
    signal_id AS signal,
    confidence,
    model,
    p_down,
    p_up,
    ts_signal AS tick_time,
    seq AS tick_seq,
    toFloat64(l.tick_bid) AS tick_bid,
    toFloat64(l.tick_ask) AS tick_ask,
    tick_status,
    if(kind = 'denied', limits_denied, limits_version) AS limits,
    session_id AS session
FROM lineage_of(
    run = (
        SELECT any(run_id) FROM order_event
        WHERE
            run_id IN (
                SELECT run_id FROM run
                WHERE mode = '${mode}'
            ) AND order_id = '${order}'
    ),
    order = '${order}'
) AS l
ORDER BY journal_seq
