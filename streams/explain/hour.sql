-- The newest kernel snapshot that has the rows before the decision which members look back over
-- behind it, and not in it; with
-- own features one that has the memory of the same.
WITH oldest AS (
    SELECT ts_event
    FROM feature FINAL
    WHERE
        run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
        AND (ts_event, seq) < (fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC'), {seq:UInt32})
    ORDER BY ts_event DESC, seq DESC
    LIMIT 1 OFFSET {past_rows:UInt32}
)

SELECT
    toUnixTimestamp64Micro(ts_event) AS hour_us,
    base64Encode(state) AS kernel,
    base64Encode(own_state) AS own
FROM kernel_state FINAL
WHERE
    run_id = {run_id:String} AND source = {source:String} AND symbol = {symbol:String}
    AND feature_set_hash = {hash:String}
    AND (empty({own:String}) OR own_set_hash = {own:String})
    AND ts_event <= (SELECT max(ts_event) FROM oldest)
ORDER BY ts_event DESC
LIMIT 1
