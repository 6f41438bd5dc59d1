-- Exposures of a moment, by currency and by feed.
SELECT
    'currency' AS kind,
    c.currency AS name,
    c.exposure AS exposure,
    0. AS contribution
FROM currency_exposure AS c FINAL
WHERE
    c.run_id = {run_id:String} AND c.account = {account:String} AND c.strategy = ''
    AND c.ts_event = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
UNION ALL
SELECT
    'feed' AS kind,
    concat(f.source, ' ', f.symbol) AS name,
    f.exposure AS exposure,
    f.contribution AS contribution
FROM feed_exposure AS f FINAL
WHERE
    f.run_id = {run_id:String} AND f.account = {account:String} AND f.strategy = ''
    AND f.ts_event = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
ORDER BY kind, abs(exposure) DESC
