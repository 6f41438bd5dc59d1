-- What our journal says an account's balance is: with what it was opened, and all money booked since.
WITH
journal AS (
    SELECT
        kind,
        purpose,
        seq,
        venue_deal,
        profit,
        commission,
        swap
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND account = {account:String}
        AND ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
),

opening AS (
    SELECT argMin(venue_deal, seq) AS watermark
    FROM journal
    WHERE kind = 'booked' AND purpose = 'opening'
)

SELECT
    countIf(kind = 'booked' AND purpose = 'opening') > 0 AS opened,
    argMinIf(profit, seq, kind = 'booked' AND purpose = 'opening') + sumIf(
        profit + commission + swap,
        kind IN ('partially_filled', 'filled', 'closed') AND venue_deal > watermark
        OR kind = 'booked' AND purpose NOT IN ('opening', 'opening_credit', 'credit', 'accepted_credit')
    ) AS balance
FROM journal
CROSS JOIN opening
