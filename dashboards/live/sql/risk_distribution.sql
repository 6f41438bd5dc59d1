-- What each minute of the two trading days before would do to what is held now, in account currency.
WITH

held AS (
    SELECT
        f.source AS source,
        f.symbol AS symbol,
        f.exposure AS exposure
    FROM feed_exposure AS f FINAL
    WHERE
        f.run_id = {run_id:String} AND f.account = {account:String} AND f.strategy = ''
        AND f.ts_event = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
),

moved AS (
    SELECT
        b.ts_open AS ts_open,
        b.source AS source,
        b.symbol AS symbol,
        toFloat64(b.bid_close + b.ask_close) AS price,
        lagInFrame(toNullable(toFloat64(b.bid_close + b.ask_close))) OVER (
            PARTITION BY b.source, b.symbol ORDER BY b.ts_open
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS price_before
    FROM bar AS b
    WHERE
        b.`interval` = '1m'
        AND (b.source, b.symbol) IN (SELECT (h.source, h.symbol) FROM held AS h)
        AND b.ts_open > fromUnixTimestamp64Micro({at_us:Int64}, 'UTC') - INTERVAL 2 DAY
        AND b.ts_open < fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
)

SELECT sum(h.exposure * (m.price / m.price_before - 1)) AS profit
FROM moved AS m
INNER JOIN held AS h ON m.source = h.source AND m.symbol = h.symbol
WHERE m.price_before > 0
GROUP BY m.ts_open
HAVING count() = (SELECT count() FROM held)
