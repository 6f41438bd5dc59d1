DROP VIEW IF EXISTS order_trace;
-- The way of orders from tick to fill, a row per span, of the times that their events carry; nothing is measured
-- for it. The trace is named by the order, so that whoever knows one knows the other. Feature and prediction say
-- when their rows were made: what was between the tick and the signal is `decision`. `broker` and `fill` hold the
-- broker's clock against ours: a span may end before it begins. What closes a position later is no part of it. One
-- that waits for its price has `waiting` instead of `broker`: from the broker's answer to the fill, or its end.
CREATE VIEW IF NOT EXISTS order_trace AS
WITH

events AS (
    SELECT
        *,
        kind IN ('partially_filled', 'filled') AS is_fill,
        kind IN ('accepted', 'partially_filled', 'filled', 'rejected', 'unknown', 'expired', 'cancelled') AS is_answer,
        is_answer OR kind IN ('superseded', 'denied', 'reconciled') AS is_outcome
    FROM order_event FINAL
    WHERE
        -- Found by its index first, which must not read all columns of what may hold it.
        seq IN (
            SELECT found.seq FROM order_event AS found
            WHERE found.order_id IN {orders:Array(String)}
        )
        AND order_id IN {orders:Array(String)}
        AND kind IN (
            'received', 'superseded', 'denied', 'submitted', 'accepted', 'partially_filled', 'filled', 'rejected',
            'cancelled', 'expired', 'unknown', 'reconciled'
        )
),

ordered AS (
    SELECT
        e.run_id AS run_id,
        e.order_id AS order_id,
        any(e.mode) AS mode,
        any(e.account) AS account,
        any(e.strategy) AS strategy,
        any(e.source) AS source,
        any(e.symbol) AS symbol,
        any(e.signal_id) AS signal_id,
        argMin(e.side, e.seq) AS side,
        argMin(e.purpose, e.seq) AS purpose,
        argMin(e.volume, e.seq) AS volume,
        min(e.ts_init) AS ts_taken,
        countIf(e.kind = 'received') > 0 AS is_received,
        countIf(e.kind = 'submitted') > 0 AS is_sent,
        minIf(e.ts_init, e.kind = 'submitted') AS ts_submitted,
        countIf(e.kind IN ('denied', 'superseded', 'cancelled')) > 0 AND NOT is_sent AS is_refused,
        minIf(e.ts_init, e.kind IN ('denied', 'superseded', 'cancelled')) AS ts_refused,
        countIf(e.is_answer) > 0 AS is_answered,
        minIf(e.ts_init, e.is_answer) AS ts_answered,
        argMinIf(e.kind, e.seq, e.is_answer) AS answer,
        argMaxIf(e.kind, e.seq, e.is_outcome) AS outcome,
        argMaxIf(e.reason, e.seq, e.is_outcome) AS reason,
        argMinIf(e.reason, e.seq, e.kind = 'submitted') AS sent_as,
        match(sent_as, '^(limit|stop) ') AS is_waiting,
        argMinIf(e.price, e.seq, e.kind = 'submitted') AS sent_price,
        max(e.ts_init) AS ts_last,
        arraySort(groupArrayIf((e.seq, e.ts_event, e.ts_init, e.volume, e.price), e.is_fill)) AS fills
    FROM events AS e
    GROUP BY e.run_id, e.order_id
),

-- An exit is nobody's signal: it names the one that opened the position, which may be hours old.
signals AS (
    SELECT *
    FROM signal FINAL
    WHERE signal_id IN (
        SELECT o.signal_id FROM ordered AS o
        WHERE o.purpose IN ('entry', 'opposite')
    )
),

moments AS (
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq
    FROM signals
),

features AS (
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq,
        ts_init,
        spread
    FROM feature FINAL
    WHERE (run_id, source, symbol, ts_event, seq) IN (SELECT * FROM moments)
),

predictions AS (
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq,
        ts_init,
        p_down,
        p_up
    FROM prediction FINAL
    WHERE (run_id, source, symbol, ts_event, seq) IN (SELECT * FROM moments)
),

ticks AS (
    SELECT
        source,
        symbol,
        ts_event,
        seq,
        ts_recv,
        bid,
        ask
    FROM tick FINAL
    WHERE (source, symbol, ts_event, seq) IN (
        SELECT
            m.source,
            m.symbol,
            m.ts_event,
            m.seq
        FROM moments AS m
    )
),

traced AS (
    SELECT
        o.run_id AS run_id,
        o.order_id AS order_id,
        o.mode AS mode,
        o.account AS account,
        o.strategy AS strategy,
        o.source AS source,
        o.symbol AS symbol,
        o.side AS side,
        o.purpose AS purpose,
        o.volume AS volume,
        o.outcome AS outcome,
        o.reason AS reason,
        o.ts_taken AS ts_taken,
        o.ts_last AS ts_last,
        arrayFilter(one -> one.1, arrayConcat(
            [
                (t.source != '', 'tick', t.ts_event, t.ts_recv, concat('bid ', toString(t.bid), ', ask ', toString(t.ask))),
                (
                    s.run_id != '', 'decision', if(t.source = '', s.ts_event, t.ts_recv), s.ts_init,
                    if(t.source = '', 'from the time of its tick, which is not stored', 'features, prediction, strategy')
                ),
                (f.run_id != '', 'feature', f.ts_init, f.ts_init, concat('row made; spread ', toString(round(f.spread, 6)))),
                (
                    p.run_id != '', 'prediction', p.ts_init, p.ts_init,
                    concat('row made; down ', toString(round(p.p_down, 3)), ', up ', toString(round(p.p_up, 3)))
                ),
                (s.run_id != '', 'signal', s.ts_init, o.ts_taken, concat('to execution; confidence ', toString(round(s.confidence, 3)))),
                (
                    o.is_received AND (o.is_sent OR o.is_refused), 'risk', o.ts_taken, if(o.is_sent, o.ts_submitted, o.ts_refused),
                    if(o.is_refused, concat(o.outcome, ' ', o.reason), 'passed; journalled in one with its receipt')
                ),
                (o.is_sent AND o.is_answered, 'sent', o.ts_submitted, o.ts_answered, concat('answer: ', o.answer)),
                (
                    o.is_waiting AND o.is_answered, 'waiting', o.ts_answered,
                    if(length(o.fills) > 0, tupleElement(o.fills[1], 2), o.ts_last), concat(o.sent_as, ' at ', toString(o.sent_price))
                ),
                (
                    length(o.fills) > 0 AND NOT o.is_waiting, 'broker', if(o.is_sent, o.ts_submitted, o.ts_taken),
                    tupleElement(o.fills[1], 2), 'until its clock says filled'
                )
            ],
            arrayMap(
                one -> (
                    true, 'fill', one.2, one.3,
                    concat(toString(one.4), ' lots at ', toString(one.5))
                ),
                o.fills
            )
        )) AS parts
    FROM ordered AS o
    LEFT JOIN signals AS s ON o.run_id = s.run_id AND o.signal_id = s.signal_id AND o.purpose IN ('entry', 'opposite')
    LEFT JOIN features AS f
        ON
            s.run_id = f.run_id AND s.source = f.source AND s.symbol = f.symbol
            AND s.ts_event = f.ts_event AND s.seq = f.seq
    LEFT JOIN predictions AS p
        ON
            s.run_id = p.run_id AND s.source = p.source AND s.symbol = p.symbol
            AND s.ts_event = p.ts_event AND s.seq = p.seq
    LEFT JOIN ticks AS t
        ON s.source = t.source AND s.symbol = t.symbol AND s.ts_event = t.ts_event AND s.seq = t.seq
),

spans AS (
    SELECT
        *,
        arrayJoin(arrayZip(
            range(toUInt32(length(parts) + 1)),
            arrayConcat(
                [(
                    true, 'order',
                    arrayMin(arrayConcat([ts_taken], arrayMap(one -> one.3, parts))),
                    arrayMax(arrayConcat([ts_last], arrayMap(one -> one.4, parts))),
                    concat(
                        side, ' ', toString(volume), ' ', symbol, ', ', purpose, ': ',
                        if(outcome = '', 'not ended', outcome), if(reason = '', '', concat(' ', reason))
                    )
                )],
                parts
            )
        )) AS span_at
    FROM traced
)

SELECT
    order_id,
    if(match(order_id, '^[0-9a-f]{30}$'), concat('00', order_id), lower(hex(MD5(order_id)))) AS trace_id,
    substring(lower(hex(MD5(concat(order_id, ' ', toString(span_at.1))))), 1, 16) AS span_id,
    if(span_at.1 = 0, '', substring(lower(hex(MD5(concat(order_id, ' 0')))), 1, 16)) AS parent_id,
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    outcome,
    span_at.1 AS place,
    span_at.2.2 AS span,
    span_at.2.3 AS ts_start,
    span_at.2.4 AS ts_end,
    dateDiff('microsecond', ts_start, ts_end) AS duration_us,
    span_at.2.5 AS detail
FROM spans
ORDER BY order_id, place
SETTINGS join_use_nulls = 0;
