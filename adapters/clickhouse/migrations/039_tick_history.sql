-- Files of ticks by content, and when each began to be stored here for the first time: what was
-- corrected after that does not come back by importing the same file again.
CREATE TABLE IF NOT EXISTS tick_file (
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument',
    digest String COMMENT 'Of its bytes, BLAKE2b',
    ts_known DateTime64(6, 'UTC') COMMENT 'When its first import began',
    name String COMMENT 'File name',
    author LowCardinality(String) COMMENT 'Who imported it'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (source, symbol, digest, ts_known);

-- Ticks as they were known at a moment, withdrawn ones left out: SELECT * FROM
-- tick_as_of(moment = '2014-05-07 12:00:00') WHERE source = … AND symbol = … AND a span of ts_event.
CREATE VIEW IF NOT EXISTS tick_as_of AS
WITH newest AS (
    SELECT
        source,
        symbol,
        ts_event,
        seq,
        max(version) AS version
    FROM tick_version
    WHERE ts_known <= parseDateTime64BestEffort({moment:String}, 6, 'UTC')
    GROUP BY source, symbol, ts_event, seq
)

SELECT
    t.source AS source,
    t.symbol AS symbol,
    t.ts_event AS ts_event,
    t.seq AS seq,
    t.bid AS bid,
    t.ask AS ask,
    t.last AS last,
    t.volume AS volume,
    t.flags AS flags,
    t.quality AS quality,
    t.ts_recv AS ts_recv,
    t.ts_known AS ts_known
FROM tick AS t FINAL
WHERE
    t.ts_known <= parseDateTime64BestEffort({moment:String}, 6, 'UTC')
    AND (t.source, t.symbol, t.ts_event, t.seq) NOT IN (
        SELECT
            c.source,
            c.symbol,
            c.ts_event,
            c.seq
        FROM tick_version AS c
    )
UNION ALL
SELECT
    v.source AS source,
    v.symbol AS symbol,
    v.ts_event AS ts_event,
    v.seq AS seq,
    v.bid AS bid,
    v.ask AS ask,
    v.last AS last,
    v.volume AS volume,
    v.flags AS flags,
    v.quality AS quality,
    v.ts_recv AS ts_recv,
    v.ts_known AS ts_known
FROM tick_version AS v FINAL
WHERE
    v.kind != 'withdrawal'
    AND (v.source, v.symbol, v.ts_event, v.seq, v.version) IN (
        SELECT
            n.source,
            n.symbol,
            n.ts_event,
            n.seq,
            n.version
        FROM newest AS n
    );

-- What changed: old and new content of each version side by side, when, by what and by whom.
CREATE VIEW IF NOT EXISTS tick_correction (
    source String COMMENT 'Broker or feed that quoted',
    symbol String COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time of the tick',
    seq UInt32 COMMENT 'Count within the millisecond, from 0',
    version UInt32 COMMENT 'Of the new content, from 1',
    kind String COMMENT 'correction or withdrawal',
    old_bid Decimal(18, 8) COMMENT 'Bid before',
    old_ask Decimal(18, 8) COMMENT 'Ask before',
    old_last Decimal(18, 8) COMMENT 'Price of the last trade before',
    old_volume Float64 COMMENT 'Volume before',
    new_bid Decimal(18, 8) COMMENT 'Bid now; of a withdrawal as before',
    new_ask Decimal(18, 8) COMMENT 'Ask now',
    new_last Decimal(18, 8) COMMENT 'Price of the last trade now',
    new_volume Float64 COMMENT 'Volume now',
    ts_known_before DateTime64(6, 'UTC') COMMENT 'When the old content became known',
    ts_known DateTime64(6, 'UTC') COMMENT 'When the new one did',
    correction_id String COMMENT 'Correction that brought it',
    origin String COMMENT 'File name and start of its hash, or feed',
    author String COMMENT 'Who imported or said it',
    reason String COMMENT 'Why, where somebody gave a reason'
) AS
WITH kept AS (
    SELECT v.* -- noqa: AM04
    FROM tick_version AS v FINAL
),

known AS (
    SELECT k.* -- noqa: AM04
    FROM correction AS k FINAL
)

SELECT
    a.source AS source,
    a.symbol AS symbol,
    a.ts_event AS ts_event,
    a.seq AS seq,
    a.version AS version,
    a.kind AS kind,
    b.bid AS old_bid,
    b.ask AS old_ask,
    b.last AS old_last,
    b.volume AS old_volume,
    a.bid AS new_bid,
    a.ask AS new_ask,
    a.last AS new_last,
    a.volume AS new_volume,
    b.ts_known AS ts_known_before,
    a.ts_known AS ts_known,
    a.correction_id AS correction_id,
    c.origin AS origin,
    c.author AS author,
    c.reason AS reason
FROM kept AS a
INNER JOIN kept AS b
    ON
        a.source = b.source AND a.symbol = b.symbol
        AND a.ts_event = b.ts_event AND a.seq = b.seq
        AND a.version = b.version + 1
LEFT JOIN known AS c
    ON a.source = c.source AND a.symbol = c.symbol AND a.correction_id = c.correction_id;
