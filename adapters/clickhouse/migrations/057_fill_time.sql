DROP VIEW IF EXISTS fill_version;
-- Fills have versions, too: as they were journalled, and as each later statement of the broker tells them. The journal
-- is never changed; reports and marts read the newest version. Fills that were never corrected have no row. A version has
-- the time that its statement tells from the moment one tells another than was told first.
CREATE VIEW IF NOT EXISTS fill_version ( -- noqa: PRS
    run_id String COMMENT 'Run the row belongs to',
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    account String COMMENT 'Account the run trades',
    source String COMMENT 'Broker or feed that quoted',
    symbol String COMMENT 'Instrument as the source names it',
    order_id String COMMENT 'Our order',
    signal_id String COMMENT 'Signal that asked for it',
    journal_seq UInt64 COMMENT 'Journal record: with run_id and account the name of a row of order_event',
    venue_deal UInt64 COMMENT 'Deal ticket of the venue',
    ts_event DateTime64(6, 'UTC') COMMENT 'When the venue filled, as this version says; of 0 as it was journalled',
    version UInt32 COMMENT 'From 0, the fill as it was journalled',
    kind String COMMENT 'first, correction, or withdrawal: the broker busted the deal',
    side String COMMENT 'buy or sell',
    volume Float64 COMMENT 'Lots; of a withdrawal 0, as the money is',
    price Float64 COMMENT 'Of the fill',
    commission Float64 COMMENT 'Account currency',
    swap Float64 COMMENT 'Account currency',
    profit Float64 COMMENT 'Realised by this fill, without commission and swap',
    ts_known DateTime64(6, 'UTC') COMMENT 'When it was journalled, or the statement taken that says so',
    correction_id String COMMENT 'Row of broker_correction; empty for the first',
    author String COMMENT 'Who took the statement; empty for the first'
) AS
WITH

changes AS (
    SELECT
        b.*, -- noqa: AM04
        row_number() OVER (PARTITION BY b.mode, b.account, b.deal ORDER BY b.ts_known, b.correction_id) AS place,
        first_value(
            if(b.before = '', toUnixTimestamp64Micro(b.ts_event), JSONExtractInt(b.before, 5))
        ) OVER (
            PARTITION BY b.mode, b.account, b.deal ORDER BY b.ts_known, b.correction_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS first_us
    FROM broker_correction AS b FINAL
),

-- A deal that no statement had told before is compared with the journal by the reconciliation; it corrects nothing.
told AS (
    SELECT
        c.*, -- noqa: AM04
        c.change = 'withdrawal' OR c.kind = 'balance' AS is_busted,
        toUnixTimestamp64Micro(c.ts_event) != c.first_us AS is_moved,
        row_number() OVER (PARTITION BY c.mode, c.account, c.deal ORDER BY c.place) AS number
    FROM changes AS c
    WHERE c.place > 1 OR c.change != 'addition'
),

-- One deal may have filled several journalled parts: each takes its share of what is told.
fills AS (
    SELECT
        e.*, -- noqa: AM04
        e.volume / sum(e.volume) OVER (PARTITION BY e.run_id, e.account, e.venue_deal) AS share
    FROM order_event AS e FINAL
    WHERE
        e.kind IN ('partially_filled', 'filled', 'closed')
        AND (e.mode, e.account, e.venue_deal) IN (SELECT (t.mode, t.account, t.deal) FROM told AS t)
)

SELECT
    f.run_id AS run_id,
    f.mode AS mode,
    f.account AS account,
    f.source AS source,
    f.symbol AS symbol,
    f.order_id AS order_id,
    f.signal_id AS signal_id,
    f.seq AS journal_seq,
    f.venue_deal AS venue_deal,
    f.ts_event AS ts_event,
    toUInt32(0) AS version,
    'first' AS kind,
    f.side AS side,
    f.volume AS volume,
    f.price AS price,
    f.commission AS commission,
    f.swap AS swap,
    f.profit AS profit,
    f.ts_init AS ts_known,
    '' AS correction_id,
    '' AS author
FROM fills AS f
UNION ALL
SELECT
    f.run_id AS run_id,
    f.mode AS mode,
    f.account AS account,
    f.source AS source,
    f.symbol AS symbol,
    f.order_id AS order_id,
    f.signal_id AS signal_id,
    f.seq AS journal_seq,
    f.venue_deal AS venue_deal,
    if(t.is_moved, t.ts_event, f.ts_event) AS ts_event,
    toUInt32(t.number) AS version,
    if(t.is_busted, 'withdrawal', 'correction') AS kind,
    if(t.is_busted, f.side, t.kind) AS side,
    if(t.is_busted, 0, round(t.volume * f.share, 8)) AS volume,
    t.price AS price,
    if(t.is_busted, 0, t.commission * f.share) AS commission,
    if(t.is_busted, 0, t.swap * f.share) AS swap,
    if(t.is_busted, 0, t.profit * f.share) AS profit,
    t.ts_known AS ts_known,
    t.correction_id AS correction_id,
    t.author AS author
FROM fills AS f
INNER JOIN told AS t ON f.mode = t.mode AND f.account = t.account AND f.venue_deal = t.deal
SETTINGS join_use_nulls = 0;
