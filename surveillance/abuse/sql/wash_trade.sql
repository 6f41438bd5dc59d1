-- Fills of two own parties (account and strategy) on opposite sides of one instrument within window_s, of nearly one size
-- and price: at least `pairs` of them in the day, and that share of what the party with fewer fills did in it.
WITH

fill AS (
    SELECT
        source,
        symbol,
        account,
        strategy,
        concat(account, ' ', strategy) AS party,
        order_id,
        side,
        volume,
        price,
        ts_event,
        count() OVER (PARTITION BY source, symbol, account, strategy) AS fills
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
        AND kind IN ('filled', 'partially_filled')
),

buy AS (
    SELECT
        *,
        arrayJoin([-1, 0, 1]) AS beside,
        intDiv(toUnixTimestamp(ts_event), {window_s:UInt32}) + beside AS bucket
    FROM fill
    WHERE side = 'buy'
),

sell AS (
    SELECT
        *,
        intDiv(toUnixTimestamp(ts_event), {window_s:UInt32}) AS bucket
    FROM fill
    WHERE side = 'sell'
),

-- One sell to a buy: the nearest in time.
pair AS (
    SELECT
        b.source AS source,
        b.symbol AS symbol,
        arraySort([b.party, s.party]) AS parties,
        arraySort(arrayDistinct([b.account, s.account])) AS accounts,
        arraySort(arrayDistinct([b.strategy, s.strategy])) AS strategies,
        b.order_id AS order_bought,
        s.order_id AS order_sold,
        least(b.ts_event, s.ts_event) AS ts_pair,
        least(b.fills, s.fills) AS fills
    FROM buy AS b
    INNER JOIN sell AS s ON b.source = s.source AND b.symbol = s.symbol AND b.bucket = s.bucket
    WHERE
        b.party != s.party
        AND abs(dateDiff('microsecond', b.ts_event, s.ts_event)) <= {window_s:UInt32} * 1e6
        AND abs(b.volume - s.volume) <= {size:Float64} * greatest(b.volume, s.volume)
        AND abs(b.price - s.price) <= {price_bp:Float64} / 1e4 * b.price
    ORDER BY abs(dateDiff('microsecond', b.ts_event, s.ts_event))
    LIMIT 1 BY b.order_id
)

SELECT
    source,
    symbol,
    arrayConcat([source, symbol], parties) AS case_key,
    any(accounts) AS accounts,
    any(strategies) AS strategies,
    min(ts_pair) AS ts_from,
    max(ts_pair) AS ts_to,
    count() / {pairs:Float64} AS score,
    arrayDistinct(arrayFlatten(groupArray([order_bought, order_sold]))) AS order_ids,
    concat(toString(count()), ' pairs of ', arrayStringConcat(parties, ' and ')) AS detail
FROM pair
GROUP BY source, symbol, parties
HAVING count() >= {pairs:Float64} AND count() >= {share:Float64} * any(fills)
ORDER BY ts_from
