DROP VIEW IF EXISTS lineage_of;
-- Lineage of the events of one order, cut by primary keys: a report's row names run and order.
CREATE VIEW IF NOT EXISTS lineage_of ( -- noqa: PRS
    run_id String COMMENT 'Run the row belongs to',
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    account String COMMENT 'Account the run trades',
    strategy String COMMENT 'Strategy that asked for it',
    source String COMMENT 'Broker or feed that quoted',
    symbol String COMMENT 'Instrument as the source names it',
    venue_deal UInt64 COMMENT 'Deal ticket of the venue',
    venue_position UInt64 COMMENT 'Position ticket of the venue',
    fill_kind String COMMENT 'filled, partially_filled, closed by the venue, or busted since; empty for what is no fill',
    ts_fill DateTime64(6, 'UTC') COMMENT 'When the venue filled, as it says now; the epoch for what is no fill',
    side String COMMENT 'buy or sell',
    purpose String COMMENT 'entry, horizon, opposite, stop or flatten',
    volume Float64 COMMENT 'Lots of this fill as the broker tells it now, 0 of a busted one; or asked for',
    price Float64 COMMENT 'Price of this fill as the broker tells it now, or asked for',
    profit_net Float64 COMMENT 'Realised by this fill after commission and swap as the broker tells it now, account currency',
    fill_hash String COMMENT 'Hash of the journal record',
    order_id String COMMENT 'Our order',
    ts_submitted DateTime64(6, 'UTC') COMMENT 'When the order was journalled as sent; the epoch when it never was',
    arrival_mid Float64 COMMENT 'Mid when the decision arrived',
    limits_version String COMMENT 'Version of the limits the order passed; empty when none was noted',
    signal_id String COMMENT 'Signal behind the order; empty for what nobody signalled',
    ts_signal DateTime64(6, 'UTC') COMMENT 'Market time of the tick that caused the signal',
    seq UInt32 COMMENT 'Count of that tick within its millisecond',
    target Float64 COMMENT '-1 to 1: share of the full position',
    reference_price Float64 COMMENT 'Mid at the signal',
    stop_price Float64 COMMENT 'Stop of the signal',
    model String COMMENT 'SHA-256 of the artefact, or the strategy name when no model spoke',
    prediction_id String COMMENT 'Prediction at that tick, of the model that the strategy names or the champion; empty without',
    p_down Float32 COMMENT 'Probability of a fall beyond costs; 0 without a model',
    p_flat Float32 COMMENT 'Probability of neither; 0 without a model',
    p_up Float32 COMMENT 'Probability of a rise beyond costs; 0 without a model',
    feature_set_hash String COMMENT 'Feature set of the row at that tick',
    feature_mid Float64 COMMENT 'Middle of bid and ask in the feature row',
    feature_spread Float64 COMMENT 'Ask minus bid in the feature row',
    tick_bid Decimal(18, 8) COMMENT 'Bid of the tick that caused the signal, as it stands now',
    tick_ask Decimal(18, 8) COMMENT 'Ask of that tick',
    tick_quality UInt16 COMMENT 'Bits of that tick: 1 crossed, 2 locked, 4 same millisecond, 8 out of order',
    journal_seq UInt64 COMMENT 'Journal record: with run_id and account the name of a row of order_event',
    event_id String COMMENT 'order_id, a dot and the count within the order',
    kind String COMMENT 'What happened to the order: received, denied, submitted, filled, ...',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time; the time of the venue for what the venue did',
    reason String COMMENT 'Denial reason, or the return code and text of the venue; in shadow that nothing is sent',
    limit_value Float64 COMMENT 'Limit of the check that denied',
    observed Float64 COMMENT 'What that check saw',
    limits_denied String COMMENT 'Version of the limits that denied; empty for what was not denied',
    session_id String COMMENT 'Session that journalled it; of a replay, and of rows of before, the run',
    signal_session_id String COMMENT 'Session that decided; empty without a signal',
    settings_hash String COMMENT 'Settings of that session: a row of content; empty when it has no row in session',
    strategy_hash String COMMENT 'Strategy of a person in that session: a row of content',
    agreement Float32 COMMENT '1 minus the mean distance of the members from the prediction; 0 without a model',
    veto Bool COMMENT 'The prediction lay outside the training range',
    tick_status String COMMENT 'unchanged, corrected or withdrawn since it was first stored, missing, or empty without a signal',
    tick_versions UInt64 COMMENT 'Versions of that tick; 0: it never changed',
    tick_correction_id String COMMENT 'Correction that brought the version that stands; empty: none',
    tick_bid_then Decimal(18, 8) COMMENT 'Bid that the decision saw',
    tick_ask_then Decimal(18, 8) COMMENT 'Ask that the decision saw',
    confidence Float64 COMMENT 'Of the signal, 0 to 1',
    features_hash String COMMENT 'Own features of that session: a row of content; empty without any',
    fill_status String COMMENT 'unchanged, corrected or withdrawn by the broker since it was journalled; empty for what is no fill',
    fill_versions UInt32 COMMENT 'Versions of that fill, rows of fill_version; 0: it never changed',
    fill_correction_id String COMMENT 'Row of broker_correction that brought what stands; empty: none',
    side_then String COMMENT 'As it was journalled',
    volume_then Float64 COMMENT 'Lots as they were journalled',
    price_then Float64 COMMENT 'As it was journalled',
    ts_fill_then DateTime64(6, 'UTC') COMMENT 'When the venue filled, as it was journalled; the epoch for what is no fill',
    profit_net_then Float64 COMMENT 'As it was journalled, account currency'
) AS
-- The same as lineage_cut with that order, in a text of its own: to understand a view costs the engine more than to
-- read these few rows, and for a view of a view it does so once more.
WITH

-- Read once, not by each step that asks for it.
(
    SELECT (groupUniqArray(seq), groupUniqArray(signal_id), groupUniqArray(venue_deal))
    FROM order_event
    WHERE ({run:String} = '' OR run_id = {run:String}) AND order_id = {order:String} AND {order:String} != ''
) AS named,

events AS (
    SELECT *
    FROM order_event FINAL
    WHERE
        ({run:String} = '' OR run_id = {run:String})
        -- Found by its index first, which must not read all columns of what may hold it.
        AND seq IN (named.1)
        AND order_id = {order:String} AND {order:String} != ''
),

signals AS (
    SELECT
        *,
        extract(prediction_id, ':([0-9a-f]+)$') AS named_model
    FROM signal FINAL
    WHERE
        ({run:String} = '' OR run_id = {run:String})
        AND signal_id IN (named.2)
),

-- Rows of a moment are found by its time.
(SELECT (min(ts_event), max(ts_event)) FROM signals) AS span,

sent AS (
    SELECT
        e.run_id AS run_id,
        e.order_id AS order_id,
        min(e.ts_init) AS ts_submitted,
        argMin(e.arrival_mid, e.seq) AS arrival_mid,
        argMin(e.limits_version, e.seq) AS limits_version
    FROM order_event AS e
    WHERE
        e.kind = 'submitted'
        AND ({run:String} = '' OR e.run_id = {run:String})
        AND e.order_id = {order:String}
    GROUP BY run_id, order_id
),

predictions AS (
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq,
        '' AS named_model,
        p_down,
        p_flat,
        p_up,
        agreement,
        veto,
        prediction_id
    FROM prediction FINAL
    WHERE
        ({run:String} = '' OR run_id = {run:String})
        AND ts_event BETWEEN span.1 AND span.2
    UNION ALL
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq,
        model AS named_model,
        p_down,
        p_flat,
        p_up,
        agreement,
        veto,
        prediction_id
    FROM named_prediction FINAL
    WHERE
        ({run:String} = '' OR run_id = {run:String})
        AND ts_event BETWEEN span.1 AND span.2
),

features AS (
    SELECT
        run_id,
        source,
        symbol,
        ts_event,
        seq,
        feature_set_hash,
        mid,
        spread
    FROM feature FINAL
    WHERE
        ({run:String} = '' OR run_id = {run:String})
        AND ts_event BETWEEN span.1 AND span.2
),

ticks AS (
    SELECT
        source,
        symbol,
        ts_event,
        seq,
        bid,
        ask,
        quality
    FROM tick FINAL
    WHERE
        ts_event BETWEEN span.1 AND span.2
),

-- The versions of the ticks that ever changed; live, what was known when the signal was made is what its
-- decision saw. A replay's clock is the market's, so there the quote that its signal names is.
versions AS (
    SELECT
        source,
        symbol,
        ts_event,
        seq,
        count() AS version_count,
        argMax(kind, version) AS last_kind,
        argMax(correction_id, version) AS last_correction,
        arraySort(groupArray((version, ts_known, bid, ask))) AS known
    FROM tick_version FINAL
    WHERE
        ts_event BETWEEN span.1 AND span.2
    GROUP BY source, symbol, ts_event, seq
),

-- Deals that a later statement of the broker tells otherwise than it was told first, as the newest one does: the
-- last version of fill_version. A deal that no statement had told before corrects nothing.
told AS (
    SELECT
        mode,
        account,
        deal,
        argMin(change, (ts_known, correction_id)) AS first_change,
        argMin(if(before = '', toUnixTimestamp64Micro(ts_event), JSONExtractInt(before, 5)), (ts_known, correction_id)) AS first_us,
        argMax(change, (ts_known, correction_id)) = 'withdrawal' OR side = 'balance' AS is_busted,
        argMax(kind, (ts_known, correction_id)) AS side,
        argMax(ts_event, (ts_known, correction_id)) AS ts_told,
        argMax(volume, (ts_known, correction_id)) AS lots,
        argMax(price, (ts_known, correction_id)) AS price,
        argMax(profit + commission + swap, (ts_known, correction_id)) AS profit_net,
        argMax(correction_id, (ts_known, correction_id)) AS newest_id,
        toUInt32(count() - (first_change = 'addition')) AS versions
    FROM broker_correction FINAL
    GROUP BY mode, account, deal
    HAVING versions > 0
),

-- One such deal may have filled several journalled parts, of other orders too: each takes its share of what is told.
-- Where no fill that is asked for was corrected, which is nearly always, no event is read for it.
(
    SELECT groupUniqArray(deal)
    FROM told
    WHERE (SELECT count() FROM broker_correction) > 0 AND has(named.3, deal)
) AS corrected_deals,

parts AS (
    SELECT
        run_id,
        account,
        venue_deal,
        sum(volume) AS lots
    FROM order_event FINAL
    WHERE
        notEmpty(corrected_deals)
        AND ({run:String} = '' OR run_id = {run:String})
        AND kind IN ('partially_filled', 'filled', 'closed')
        AND has(corrected_deals, venue_deal)
    GROUP BY run_id, account, venue_deal
)

SELECT * EXCEPT (of_decision, is_fill, is_told) -- noqa: AM04
FROM (
    SELECT
        d.run_id AS run_id,
        d.mode AS mode,
        d.account AS account,
        d.strategy AS strategy,
        d.source AS source,
        d.symbol AS symbol,
        d.venue_deal AS venue_deal,
        d.venue_position AS venue_position,
        multiIf(NOT is_fill, '', is_told AND c.is_busted, 'busted', d.kind) AS fill_kind,
        if(is_told AND toUnixTimestamp64Micro(c.ts_told) != c.first_us, c.ts_told, ts_fill_then) AS ts_fill,
        if(is_told AND NOT c.is_busted, c.side, d.side) AS side,
        d.purpose AS purpose,
        multiIf(NOT is_told, d.volume, c.is_busted, 0, round(c.lots * d.volume / w.lots, 8)) AS volume,
        if(is_told, c.price, d.price) AS price,
        multiIf(NOT is_told, profit_net_then, c.is_busted, 0, c.profit_net * d.volume / w.lots) AS profit_net,
        d.hash AS fill_hash,
        d.order_id AS order_id,
        o.ts_submitted AS ts_submitted,
        o.arrival_mid AS arrival_mid,
        o.limits_version AS limits_version,
        d.signal_id AS signal_id,
        s.ts_event AS ts_signal,
        s.seq AS seq,
        s.target AS target,
        s.reference_price AS reference_price,
        s.stop_price AS stop_price,
        s.model AS model,
        if(p.run_id = '', '', p.prediction_id) AS prediction_id,
        p.p_down AS p_down,
        p.p_flat AS p_flat,
        p.p_up AS p_up,
        f.feature_set_hash AS feature_set_hash,
        f.mid AS feature_mid,
        f.spread AS feature_spread,
        t.bid AS tick_bid,
        t.ask AS tick_ask,
        t.quality AS tick_quality,
        d.seq AS journal_seq,
        d.event_id AS event_id,
        d.kind AS kind,
        d.ts_event AS ts_event,
        d.reason AS reason,
        d.limit AS limit_value,
        d.observed AS observed,
        if(d.kind = 'denied', d.limits_version, '') AS limits_denied,
        if(d.session_id = '', d.run_id, d.session_id) AS session_id,
        if(s.session_id = '', s.run_id, s.session_id) AS signal_session_id,
        n.settings_hash AS settings_hash,
        n.strategy_hash AS strategy_hash,
        p.agreement AS agreement,
        p.veto AS veto,
        multiIf(
            s.run_id = '', '',
            v.last_kind = 'withdrawal', 'withdrawn',
            v.version_count > 1, 'corrected',
            t.source = '', 'missing',
            'unchanged'
        ) AS tick_status,
        v.version_count AS tick_versions,
        v.last_correction AS tick_correction_id,
        arrayLast(
            k -> if(
                s.mode IN ('replay', 'backtest'),
                abs(toFloat64(k.3 + k.4) / 2 - s.reference_price) < 1e-9,
                k.1 = 0 OR k.2 <= s.ts_init
            ), v.known
        ) AS of_decision,
        if(of_decision.3 > 0, of_decision.3, t.bid) AS tick_bid_then,
        if(of_decision.4 > 0, of_decision.4, t.ask) AS tick_ask_then,
        s.confidence AS confidence,
        n.features_hash AS features_hash,
        multiIf(NOT is_fill, '', NOT is_told, 'unchanged', c.is_busted, 'withdrawn', 'corrected') AS fill_status,
        if(is_told, c.versions + 1, 0) AS fill_versions,
        if(is_told, c.newest_id, '') AS fill_correction_id,
        d.side AS side_then,
        d.volume AS volume_then,
        d.price AS price_then,
        if(is_fill, d.ts_event, toDateTime64(0, 6, 'UTC')) AS ts_fill_then,
        d.profit + d.commission + d.swap AS profit_net_then,
        d.kind IN ('partially_filled', 'filled', 'closed') AS is_fill,
        is_fill AND c.versions > 0 AS is_told
    FROM events AS d
    LEFT JOIN told AS c ON d.mode = c.mode AND d.account = c.account AND d.venue_deal = c.deal
    LEFT JOIN parts AS w ON d.run_id = w.run_id AND d.account = w.account AND d.venue_deal = w.venue_deal
    LEFT JOIN sent AS o ON d.run_id = o.run_id AND d.order_id = o.order_id
    LEFT JOIN signals AS s ON d.run_id = s.run_id AND d.signal_id = s.signal_id
    LEFT JOIN predictions AS p
        ON
            s.run_id = p.run_id AND s.source = p.source AND s.symbol = p.symbol
            AND s.ts_event = p.ts_event AND s.seq = p.seq AND s.named_model = p.named_model
    LEFT JOIN features AS f
        ON
            s.run_id = f.run_id AND s.source = f.source AND s.symbol = f.symbol
            AND s.ts_event = f.ts_event AND s.seq = f.seq
    LEFT JOIN ticks AS t
        ON s.source = t.source AND s.symbol = t.symbol AND s.ts_event = t.ts_event AND s.seq = t.seq
    LEFT JOIN versions AS v
        ON s.source = v.source AND s.symbol = v.symbol AND s.ts_event = v.ts_event AND s.seq = v.seq
    LEFT JOIN (
        SELECT
            run_id,
            session_id,
            settings_hash,
            strategy_hash,
            features_hash
        FROM session FINAL
    ) AS n ON s.run_id = n.run_id AND signal_session_id = n.session_id
)
SETTINGS join_use_nulls = 0;
