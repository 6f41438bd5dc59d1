-- A balance less all money booked up to it stays the same: per state of the account on the day, its change since the first.
WITH
fills AS (
    SELECT
        account,
        seq,
        sum(profit + commission + swap) OVER (PARTITION BY account ORDER BY seq ASC) AS booked
    FROM order_event FINAL
    WHERE
        run_id = {run:String}
        AND (
            kind IN ('partially_filled', 'filled', 'closed')
            -- The broker's own, but for credit, which is no balance, and for where the books begin.
            OR kind = 'booked' AND purpose NOT IN ('opening', 'opening_credit', 'credit', 'accepted_credit')
        )
),

states AS (
    SELECT
        s.account AS account,
        s.ts_event AS ts_event,
        s.seq AS seq,
        s.balance - f.booked AS rest
    FROM account_state AS s FINAL
    ASOF LEFT JOIN fills AS f ON s.account = f.account AND s.seq >= f.seq
    WHERE s.run_id = {run:String}
)

SELECT
    account,
    ts_event,
    rest - first_value(rest) OVER (PARTITION BY account ORDER BY seq ASC) AS difference
FROM states
WHERE ts_event < {end:DateTime64(6)}
QUALIFY ts_event >= {start:DateTime64(6)}
