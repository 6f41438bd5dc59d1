-- The one place to read bars. Columns and intervals are names other people's scripts rely on.
-- A filter on interval leaves the other branches unread.
CREATE VIEW IF NOT EXISTS bar AS
SELECT
    t.source AS source,
    t.symbol AS symbol,
    '1s' AS `interval`,
    toStartOfSecond(t.ts_event) AS ts_open,
    argMin(t.bid, (t.ts_event, t.seq)) AS bid_open,
    max(t.bid) AS bid_high,
    min(t.bid) AS bid_low,
    argMax(t.bid, (t.ts_event, t.seq)) AS bid_close,
    argMax(t.ask, (t.ts_event, t.seq)) AS ask_close,
    max(t.ask - t.bid) AS spread_max,
    count() AS tick_count
FROM tick AS t FINAL
GROUP BY source, symbol, ts_open
UNION ALL
SELECT
    b.source AS source,
    b.symbol AS symbol,
    '1m' AS `interval`,
    b.ts_open AS ts_open,
    argMinMerge(b.bid_open) AS bid_open,
    max(b.bid_high) AS bid_high,
    min(b.bid_low) AS bid_low,
    argMaxMerge(b.bid_close) AS bid_close,
    argMaxMerge(b.ask_close) AS ask_close,
    max(b.spread_max) AS spread_max,
    groupBitmapMerge(b.tick_count) AS tick_count
FROM bar_1m AS b
GROUP BY source, symbol, ts_open
UNION ALL
SELECT
    b.source AS source,
    b.symbol AS symbol,
    '5m' AS `interval`,
    b.ts_open AS ts_open,
    argMinMerge(b.bid_open) AS bid_open,
    max(b.bid_high) AS bid_high,
    min(b.bid_low) AS bid_low,
    argMaxMerge(b.bid_close) AS bid_close,
    argMaxMerge(b.ask_close) AS ask_close,
    max(b.spread_max) AS spread_max,
    groupBitmapMerge(b.tick_count) AS tick_count
FROM bar_5m AS b
GROUP BY source, symbol, ts_open
UNION ALL
SELECT
    b.source AS source,
    b.symbol AS symbol,
    '1h' AS `interval`,
    b.ts_open AS ts_open,
    argMinMerge(b.bid_open) AS bid_open,
    max(b.bid_high) AS bid_high,
    min(b.bid_low) AS bid_low,
    argMaxMerge(b.bid_close) AS bid_close,
    argMaxMerge(b.ask_close) AS ask_close,
    max(b.spread_max) AS spread_max,
    groupBitmapMerge(b.tick_count) AS tick_count
FROM bar_1h AS b
GROUP BY source, symbol, ts_open;
