-- What there is before files of ticks of one feed: when something was last said of the feed, when the first of
-- these very files was, whether `tick` shows anything of their span, and whether ticks were ever withdrawn.
SELECT
    greatest(
        (
            SELECT toUnixTimestamp64Micro(max(c.ts_known))
            FROM correction AS c
            WHERE c.source = {source:String} AND c.symbol = {symbol:String}
        ),
        (
            SELECT toUnixTimestamp64Micro(max(f.ts_known))
            FROM tick_file AS f
            WHERE f.source = {source:String} AND f.symbol = {symbol:String}
        )
    ) AS latest_us,
    (
        SELECT toUnixTimestamp64Micro(min(f.ts_known))
        FROM tick_file AS f
        WHERE f.source = {source:String} AND f.symbol = {symbol:String} AND f.digest IN {digests:Array(String)}
    ) AS said_us,
    (
        SELECT count()
        FROM (
            SELECT 1
            FROM tick AS t
            WHERE
                t.source = {source:String} AND t.symbol = {symbol:String}
                AND t.ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC')
                AND t.ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')
            LIMIT 1 -- noqa: AM09
        ) AS some
    ) AS anything,
    (
        SELECT count()
        FROM (
            SELECT 1
            FROM correction AS w
            WHERE w.withdrawn > 0
            LIMIT 1 -- noqa: AM09
        ) AS one
    ) AS withdrawn
