-- In the order of the fields of core.contracts.tick.TICK, and when it became known. The first row is the last good tick before
-- the span, when there is one: what a silent symbol stood at.
WITH last_before AS (
    SELECT max((ts_event, seq)) AS place
    FROM tick
    WHERE
        source = {source:String} AND symbol = {symbol:String}
        AND (ts_event, seq) < (fromUnixTimestamp64Micro({from:Int64}, 'UTC'), {from_seq:UInt32})
        AND (ts_event, seq) >= (fromUnixTimestamp64Micro({first:Int64}, 'UTC'), {first_seq:UInt32})
        AND bitAnd(quality, 8) = 0 AND bid > 0 AND ask > 0
)

SELECT
    toUnixTimestamp64Milli(ts_event) AS tick_msc,
    seq,
    flags,
    quality,
    toFloat64(bid) AS bid_price,
    toFloat64(ask) AS ask_price,
    toFloat64(last) AS last_price,
    volume,
    toUnixTimestamp64Micro(ts_recv) AS recv_us,
    toUnixTimestamp64Micro(ts_known) AS known_us
FROM tick FINAL
WHERE
    source = {source:String} AND symbol = {symbol:String}
    AND (
        (
            (ts_event, seq) >= (fromUnixTimestamp64Micro({from:Int64}, 'UTC'), {from_seq:UInt32})
            AND (ts_event, seq) <= (fromUnixTimestamp64Micro({to:Int64}, 'UTC'), {to_seq:UInt32})
        )
        OR (ts_event, seq) = (SELECT place FROM last_before)
    )
ORDER BY ts_event, seq
