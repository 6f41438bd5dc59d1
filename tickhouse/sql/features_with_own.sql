-- The columns of the catalogue follow those that say which row it is, then a person's own features by name, for which
-- tickhouse/connection.py writes what stands for own_columns.
WITH

f AS (
    SELECT *
    FROM feature FINAL
    WHERE
        run_id = {run:String}
        AND ({source:String} = '' OR source = {source:String})
        AND symbol = {symbol:String}
        AND ts_event >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
        AND ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
),

o AS (
    SELECT
        source,
        ts_event,
        seq,
        groupArray(name) AS names,
        groupArray(value) AS values
    FROM own_feature FINAL
    WHERE
        run_id = {run:String}
        AND ({source:String} = '' OR source = {source:String})
        AND symbol = {symbol:String}
        AND ts_event >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
        AND ts_event < fromUnixTimestamp64Micro({end:Int64}, 'UTC')
    GROUP BY source, ts_event, seq
)

SELECT
    f.* EXCEPT (mode, account, strategy, ts_init, feature_set_hash), -- noqa: AM04
    own_columns
FROM f
LEFT JOIN o ON f.source = o.source AND f.ts_event = o.ts_event AND f.seq = o.seq
ORDER BY f.ts_event, f.source, f.seq
