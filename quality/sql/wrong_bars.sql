-- Minute bars beside those rebuilt from ticks; `wrong` tells those that differ or are on one side only.
WITH rebuilt AS (
    SELECT
        source,
        symbol,
        toDateTime64(toStartOfMinute(ts_event), 6, 'UTC') AS minute,
        argMin(bid, (ts_event, seq)) AS first_bid,
        max(bid) AS highest,
        min(bid) AS lowest,
        argMax(bid, (ts_event, seq)) AS last_bid,
        count() AS ticks
    FROM tick FINAL
    WHERE ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
    GROUP BY source, symbol, minute
),

stored AS (
    SELECT *
    FROM bar
    WHERE
        `interval` = '1m'
        AND ts_open >= {start:DateTime64(6)} AND ts_open < {end:DateTime64(6)}
)

SELECT
    if(r.ticks > 0, r.source, b.source) AS bar_source,
    if(r.ticks > 0, r.symbol, b.symbol) AS bar_symbol,
    if(r.ticks > 0, r.minute, b.ts_open) AS bar_minute,
    r.first_bid != b.bid_open OR r.highest != b.bid_high OR r.lowest != b.bid_low
    OR r.last_bid != b.bid_close OR r.ticks != b.tick_count AS wrong
FROM rebuilt AS r
FULL OUTER JOIN stored AS b ON r.source = b.source AND r.symbol = b.symbol AND r.minute = b.ts_open
