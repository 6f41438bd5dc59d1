-- The newest feature row of one feed at or before each of many moments; a moment without one has
-- no row. models/training/dataset.py names the catalogue's columns in it.
WITH moment AS (
    SELECT
        0 AS one,
        number AS place,
        fromUnixTimestamp64Micro({moments:Array(Int64)}[number + 1], 'UTC') AS ts
    FROM numbers(length({moments:Array(Int64)}))
),

made AS (
    SELECT
        0 AS one,
        ts_event,
        feature_columns
    FROM feature FINAL
    WHERE
        run_id = {run_id:String}
        AND source = {source:String}
        AND symbol = {symbol:String}
        AND feature_set_hash = {feature_set_hash:String}
)

SELECT
    moment.place,
    toUnixTimestamp64Micro(made.ts_event) AS time_us,
    feature_columns
FROM moment
ASOF JOIN made ON moment.one = made.one AND moment.ts >= made.ts_event
ORDER BY moment.place
