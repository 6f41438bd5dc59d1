-- How many of a feed's rows fell, stayed and rose: how far the mid moved within the horizon, against the spread.
WITH
rows_of_day AS (
    SELECT
        symbol,
        ts_event,
        mid,
        greatest(spread, 0) AS cost,
        addSeconds(ts_event, {horizon:UInt32}) AS due
    FROM feature FINAL
    WHERE
        run_id = {run:String} AND source = {source:String} AND symbol = {symbol:String}
        AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
),

moves AS (
    SELECT
        r.cost AS cost,
        l.mid - r.mid AS move
    FROM rows_of_day AS r
    ASOF JOIN rows_of_day AS l ON r.symbol = l.symbol AND r.due >= l.ts_event
    WHERE l.ts_event > r.ts_event
)

SELECT
    countIf(move < -cost) AS down,
    countIf(abs(move) <= cost) AS flat,
    countIf(move > cost) AS up
FROM moves
