-- Orders of an account that ended after a record of its journal, oldest first.
SELECT
    order_id,
    seq
FROM order_event FINAL
WHERE
    run_id = {run:String} AND account = {account:String} AND seq > {after:UInt64}
    AND kind IN ('superseded', 'denied', 'filled', 'rejected', 'cancelled', 'expired')
    AND ts_init BETWEEN fromUnixTimestamp64Micro({from_us:Int64}) AND fromUnixTimestamp64Micro({until_us:Int64})
ORDER BY seq
LIMIT {most:UInt32}
