DROP VIEW IF EXISTS tick_as_of;
-- Ticks as they were known at a moment, withdrawn ones left out: SELECT * FROM
-- tick_as_of(moment = '2014-05-07 12:00:00') WHERE source = … AND symbol = … AND a span of ts_event.
-- `known_by` says what a version's ts_known is: 'clock', when it was stored here; or 'market', its market time, of
-- ticks that were replayed, or imported before versions were kept: since when they are known here nobody noted, and
-- they count as known from their market time on.
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
    t.ts_known AS ts_known,
    if(t.ts_known = t.ts_event, 'market', 'clock') AS known_by
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
    v.ts_known AS ts_known,
    if(v.ts_known = v.ts_event, 'market', 'clock') AS known_by
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
