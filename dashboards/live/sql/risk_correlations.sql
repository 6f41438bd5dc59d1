-- The newest correlation of each pair of feeds.
SELECT
    concat(c.source, ' ', c.symbol) AS feed,
    concat(c.other_source, ' ', c.other_symbol) AS other,
    c.correlation AS correlation
FROM correlation AS c FINAL
WHERE
    c.run_id = {run_id:String}
    AND c.ts_event = (
        SELECT max(newest.ts_event) FROM correlation AS newest
        WHERE newest.run_id = {run_id:String}
    )
ORDER BY feed, other
