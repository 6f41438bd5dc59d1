-- Views that take parameters: SELECT * FROM bars(source = 'oanda', symbol = 'EURUSD', seconds = 900,
-- start = '2014-05-06', end = '2014-05-07'). Times are UTC; `end` is not included.

-- Bars of any interval from ticks, which are read by the primary key; `bar` has the usual intervals ready.
CREATE VIEW IF NOT EXISTS bars AS
SELECT
    toStartOfInterval(t.ts_event, toIntervalSecond({seconds:UInt32})) AS ts_open,
    argMin(t.bid, (t.ts_event, t.seq)) AS bid_open,
    max(t.bid) AS bid_high,
    min(t.bid) AS bid_low,
    argMax(t.bid, (t.ts_event, t.seq)) AS bid_close,
    argMax(t.ask, (t.ts_event, t.seq)) AS ask_close,
    max(t.ask - t.bid) AS spread_max,
    count() AS tick_count
FROM tick AS t FINAL
WHERE
    t.source = {source:String} AND t.symbol = {symbol:String}
    AND t.ts_event >= parseDateTime64BestEffort({start:String}, 6, 'UTC')
    AND t.ts_event < parseDateTime64BestEffort({end:String}, 6, 'UTC')
GROUP BY ts_open
ORDER BY ts_open;

-- The quote of every feed that stood at a time: its last tick of the week before.
CREATE VIEW IF NOT EXISTS quote_at AS
SELECT
    t.source AS source,
    t.symbol AS symbol,
    max(t.ts_event) AS ts_quote,
    argMax(t.bid, (t.ts_event, t.seq)) AS bid,
    argMax(t.ask, (t.ts_event, t.seq)) AS ask,
    dateDiff('millisecond', ts_quote, parseDateTime64BestEffort({at:String}, 6, 'UTC')) / 1000 AS age_s
FROM tick AS t FINAL
WHERE
    t.ts_event <= parseDateTime64BestEffort({at:String}, 6, 'UTC')
    AND t.ts_event > parseDateTime64BestEffort({at:String}, 6, 'UTC') - INTERVAL 7 DAY
GROUP BY source, symbol
ORDER BY source, symbol;

-- A position of the venue with everything behind each of its fills.
CREATE VIEW IF NOT EXISTS trade AS
SELECT * -- noqa: AM04
FROM lineage
WHERE run_id = {run:String} AND venue_position = {position:UInt64}
ORDER BY ts_fill;
