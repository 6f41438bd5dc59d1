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
CREATE VIEW IF NOT EXISTS tick_correction AS
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
