-- What our journal says an account's balance is: with what it was opened, and all money booked since.
WITH
opening AS (
    SELECT
        count() > 0 AS opened,
        argMin(profit, seq) AS balance,
        argMin(venue_deal, seq) AS watermark
    FROM order_event FINAL
    WHERE
        mode = {mode:String} AND account = {account:String} AND kind = 'booked' AND purpose = 'opening'
        AND ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
)

SELECT
    any(o.opened) AS opened,
    any(o.balance) + sumIf(
        e.profit + e.commission + e.swap,
        e.kind IN ('partially_filled', 'filled', 'closed') AND e.venue_deal > o.watermark
        OR e.kind = 'booked' AND e.purpose NOT IN ('opening', 'opening_credit', 'credit', 'accepted_credit')
    ) AS balance
FROM opening AS o
LEFT JOIN (
    SELECT * FROM order_event FINAL
    WHERE
        mode = {mode:String} AND account = {account:String}
        AND ts_event <= fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
) AS e ON true
