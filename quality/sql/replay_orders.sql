-- A run's signals and order events, with the order-independent checksum of the event hashes.
SELECT
    (
        SELECT count() FROM signal FINAL
        WHERE run_id = {run_id:String}
    ) AS signals,
    count() AS events,
    sumIf(volume, kind IN ('filled', 'partially_filled', 'closed')) AS volume_filled,
    sum(profit + commission + swap) AS profit,
    groupBitXor(reinterpretAsUInt64(unhex(substring(hash, 1, 16)))) AS checksum
FROM order_event FINAL
WHERE run_id = {run_id:String}
