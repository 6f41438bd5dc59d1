-- Rows of `tick` that say what the newest version of their tick does not, of the ticks of one correction:
-- what was there before, and what was withdrawn. They are left out at once, whoever reads with FINAL or without.
DELETE FROM tick
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= fromUnixTimestamp64Micro({first_us:Int64}, 'UTC')
    AND ts_event <= fromUnixTimestamp64Micro({last_us:Int64}, 'UTC')
    AND (ts_event, seq) IN (
        SELECT
            v.ts_event,
            v.seq
        FROM tick_version AS v
        WHERE
            v.source = {source:String} AND v.symbol = {symbol:String}
            AND v.ts_event >= fromUnixTimestamp64Micro({first_us:Int64}, 'UTC')
            AND v.ts_event <= fromUnixTimestamp64Micro({last_us:Int64}, 'UTC')
            AND v.correction_id = {correction_id:String}
    )
    AND (ts_event, seq, ts_known) NOT IN (
        SELECT
            n.ts_event,
            n.seq,
            max(n.ts_known)
        FROM tick_version AS n
        WHERE
            n.source = {source:String} AND n.symbol = {symbol:String}
            AND n.ts_event >= fromUnixTimestamp64Micro({first_us:Int64}, 'UTC')
            AND n.ts_event <= fromUnixTimestamp64Micro({last_us:Int64}, 'UTC')
        GROUP BY n.ts_event, n.seq
    )
