-- Where a fill comes from: order, signal, prediction, feature row and tick. Analysts and reports read
-- the same view. Each joined table is first cut to what signals name, by its primary key, so that a
-- question about one fill does not read all ticks.
CREATE VIEW IF NOT EXISTS lineage (
    run_id String COMMENT 'Run the row belongs to',
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    account String COMMENT 'Account the run trades',
    strategy String COMMENT 'Strategy that asked for it',
    source String COMMENT 'Broker or feed that quoted',
    symbol String COMMENT 'Instrument as the source names it',
    venue_deal UInt64 COMMENT 'Deal ticket of the venue',
    venue_position UInt64 COMMENT 'Position ticket of the venue',
    fill_kind String COMMENT 'filled, partially_filled, or closed by the venue',
    ts_fill DateTime64(6, 'UTC') COMMENT 'When the venue filled',
    side String COMMENT 'buy or sell',
    purpose String COMMENT 'entry, horizon, opposite, stop or flatten',
    volume Float64 COMMENT 'Lots of this fill',
    price Float64 COMMENT 'Price of this fill',
    profit_net Float64 COMMENT 'Realised by this fill after commission and swap, account currency',
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
    prediction_id String COMMENT 'Prediction at that tick; empty without a model',
    p_down Float32 COMMENT 'Probability of a fall beyond costs; 0 without a model',
    p_flat Float32 COMMENT 'Probability of neither; 0 without a model',
    p_up Float32 COMMENT 'Probability of a rise beyond costs; 0 without a model',
    feature_set_hash String COMMENT 'Feature set of the row at that tick',
    feature_mid Float64 COMMENT 'Middle of bid and ask in the feature row',
    feature_spread Float64 COMMENT 'Ask minus bid in the feature row',
    tick_bid Decimal(18, 8) COMMENT 'Bid of the tick that caused the signal',
    tick_ask Decimal(18, 8) COMMENT 'Ask of that tick',
    tick_quality UInt16 COMMENT 'Bits of that tick: 1 crossed, 2 locked, 4 same millisecond, 8 out of order'
) AS
SELECT
    d.run_id AS run_id,
    d.mode AS mode,
    d.account AS account,
    d.strategy AS strategy,
    d.source AS source,
    d.symbol AS symbol,
    d.venue_deal AS venue_deal,
    d.venue_position AS venue_position,
    d.kind AS fill_kind,
    d.ts_event AS ts_fill,
    d.side AS side,
    d.purpose AS purpose,
    d.volume AS volume,
    d.price AS price,
    d.profit + d.commission + d.swap AS profit_net,
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
    t.quality AS tick_quality
FROM (
    SELECT *
    FROM order_event FINAL
    WHERE kind IN ('partially_filled', 'filled', 'closed')
) AS d
LEFT JOIN (
    SELECT
        e.run_id AS run_id,
        e.order_id AS order_id,
        min(e.ts_init) AS ts_submitted,
        argMin(e.arrival_mid, e.seq) AS arrival_mid,
        argMin(e.limits_version, e.seq) AS limits_version
    FROM order_event AS e FINAL
    WHERE e.kind = 'submitted'
    GROUP BY run_id, order_id
) AS o ON d.run_id = o.run_id AND d.order_id = o.order_id
LEFT JOIN (
    SELECT *
    FROM signal FINAL
) AS s ON d.run_id = s.run_id AND d.signal_id = s.signal_id
LEFT JOIN (
    SELECT
        *,
        prediction_id
    FROM prediction FINAL
    WHERE (run_id, source, symbol, ts_event, seq) IN (
        SELECT
            run_id,
            source,
            symbol,
            ts_event,
            seq
        FROM signal
    )
) AS p
    ON
        s.run_id = p.run_id AND s.source = p.source AND s.symbol = p.symbol
        AND s.ts_event = p.ts_event AND s.seq = p.seq
LEFT JOIN (
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
    WHERE (run_id, source, symbol, ts_event, seq) IN (
        SELECT
            run_id,
            source,
            symbol,
            ts_event,
            seq
        FROM signal
    )
) AS f
    ON
        s.run_id = f.run_id AND s.source = f.source AND s.symbol = f.symbol
        AND s.ts_event = f.ts_event AND s.seq = f.seq
LEFT JOIN (
    SELECT *
    FROM tick FINAL
    WHERE (source, symbol, ts_event, seq) IN (
        SELECT
            source,
            symbol,
            ts_event,
            seq
        FROM signal
    )
) AS t
    ON s.source = t.source AND s.symbol = t.symbol AND s.ts_event = t.ts_event AND s.seq = t.seq;
